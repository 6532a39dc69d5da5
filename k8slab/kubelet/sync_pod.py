"""One pass over one Pod: do what `actions.py` finds, as far as it can be done now.

It runs as a job, so it may block on the runtime. What it could not do it says in its report: which containers wait, why, and
when to look again.

Models: pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod, KillPod, doBackOff), kuberuntime_container.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from k8slab.api.core import Container, Pod
from k8slab.client.backoff import Backoff
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock
from k8slab.cri.api import ContainerState, CriError, Mount, Runtime
from k8slab.kubelet.actions import PodActions, compute_actions
from k8slab.kubelet.container_config import ConfigError, container_config, sandbox_config
from k8slab.kubelet.image_manager import Verdict, field_path
from k8slab.kubelet.pod_state import PodState


@dataclass(slots=True)
class Report:
    """What came of a pass."""

    waiting: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Why containers wait, by name: reason and message."""
    again: float = 0.0
    """When to look again, on the clock; 0: when something happens."""
    changed: bool = False
    """Whether the runtime was told to do something."""

    def look_again(self, when: float) -> None:
        """The earliest of several moments counts."""
        self.again = min(self.again, when) if self.again else when


class PodSyncer:
    """Does the work of one kubelet in the runtime."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        runtime: Runtime,
        recorder: EventRecorder,
        node: Mapping[str, str],
        mounts: Callable[[Pod, Container], tuple[Mount, ...]],
    ) -> None:
        self._client, self._clock, self._runtime, self._recorder = client, clock, runtime, recorder
        self._node, self._mounts = node, mounts
        self._crashes = Backoff()

    def sync(self, pod: Pod, state: PodState, images: Mapping[str, Verdict]) -> Report:
        """Bring what runs closer to what should. `images`: what is known of those that may have to be there."""
        report = Report()
        actions = compute_actions(pod, state)
        if actions.kill_sandbox and state.sandbox is not None:
            message = "Pod sandbox changed, it will be killed and re-created."
            self._recorder.event(pod, "Normal", "SandboxChanged", message)
            self._runtime.stop_pod_sandbox(state.sandbox.id)
            report.changed = True
        for running, why in actions.kill:
            self._recorder.event(pod, "Normal", "Killing", why, field_path(pod, running.name))
            self._runtime.stop_container(running.id, pod.spec.termination_grace_period_seconds)
            report.changed = True
        sandbox_id, address = self._sandbox(pod, state, actions, report)
        if not sandbox_id:
            return report
        for container in actions.start:
            self._start(pod, container, state, sandbox_id, address, images.get(container.name, Verdict()), report)
        return report

    def forget(self, uid: str) -> None:
        """A Pod has gone."""
        self._crashes.forget(f"{uid}/")

    def in_crash_backoff(self, pod: Pod, container: Container, state: PodState) -> float:
        """Until when a container that ended waits before it is started again; 0: it need not wait."""
        last = state.newest(container.name)
        if last is None or last.state is not ContainerState.EXITED:
            return 0.0
        ends = self._crashes.ends(f"{pod.uid}/{container.name}", last.finished_at)
        return ends if ends > self._clock.now() else 0.0

    def _sandbox(self, pod: Pod, state: PodState, actions: PodActions, report: Report) -> tuple[str, str]:
        """(id, address) of the sandbox to start containers in; empty if there is none."""
        if not actions.create_sandbox:
            ready = state.ready_sandbox
            return (ready.id, ready.ip) if ready else ("", "")
        report.changed = True
        try:
            sandbox_id = self._runtime.run_pod_sandbox(sandbox_config(pod, actions.attempt))
        except CriError as error:
            message = f"Failed to create pod sandbox: {error}"
            self._recorder.event(pod, "Warning", "FailedCreatePodSandBox", message)
            report.look_again(self._clock.now() + 10.0)
            return "", ""
        made = next(each for each in self._runtime.list_pod_sandboxes(pod.uid) if each.id == sandbox_id)
        return sandbox_id, made.ip

    def _start(
        self,
        pod: Pod,
        container: Container,
        state: PodState,
        sandbox_id: str,
        address: str,
        image: Verdict,
        report: Report,
    ) -> None:
        where = field_path(pod, container.name)
        if ends := self.in_crash_backoff(pod, container, state):
            delay = round(self._crashes.get(f"{pod.uid}/{container.name}"))
            shown = f"{container.name} pod={pod.name}_{pod.namespace}({pod.uid})"
            report.waiting[container.name] = (
                "CrashLoopBackOff",
                f"back-off {_go(delay)} restarting failed container={shown}",
            )
            report.look_again(ends)
            text = f"Back-off restarting failed container {container.name} in pod {pod.name}_{pod.namespace}({pod.uid})"
            self._recorder.event(pod, "Warning", "BackOff", text, where)
            return
        if not image.ready:
            if image.reason:
                report.waiting[container.name] = (image.reason, image.message)
            if image.again:
                report.look_again(image.again)
            return
        last = state.newest(container.name)
        attempt = self._next_attempt(pod, container, state)
        try:
            mounts = self._mounts(pod, container)
            config = container_config(self._client, pod, container, attempt, address, self._node, mounts)
        except ConfigError as error:
            report.waiting[container.name] = ("CreateContainerConfigError", str(error))
            self._recorder.event(pod, "Warning", "Failed", f"Error: {error}", where)
            report.look_again(self._clock.now() + 10.0)
            return
        report.changed = True
        try:
            container_id = self._runtime.create_container(sandbox_id, config, sandbox_config(pod, 0))
        except CriError as error:
            report.waiting[container.name] = ("CreateContainerError", error.message)
            self._recorder.event(pod, "Warning", "Failed", f"Error: {error.message}", where)
            report.look_again(self._clock.now() + 10.0)
            return
        self._recorder.event(pod, "Normal", "Created", "Container created", where)
        if last is not None and last.state is ContainerState.EXITED:
            self._crashes.failed(f"{pod.uid}/{container.name}", last.finished_at)
        try:
            self._runtime.start_container(container_id)
        except CriError as error:
            report.waiting[container.name] = ("RunContainerError", error.message)
            self._recorder.event(pod, "Warning", "Failed", f"Error: {error.message}", where)
            report.look_again(self._clock.now() + 1.0)
            return
        self._recorder.event(pod, "Normal", "Started", "Container started", where)

    @staticmethod
    def _next_attempt(pod: Pod, container: Container, state: PodState) -> int:
        """One more than the last, which the runtime remembers; or else the API."""
        last = state.newest(container.name)
        if last is not None:
            return last.attempt + 1
        for status in (*pod.status.container_statuses, *pod.status.init_container_statuses):
            if status.name == container.name and status.container_id:
                return status.restart_count + 1
        return 0

    def kill(self, pod: Pod, state: PodState, grace: float) -> float:
        """Stop all containers; the simulated seconds until the last has stopped."""
        seconds = 0.0
        for container in state.running():
            text = f"Stopping container {container.name}"
            self._recorder.event(pod, "Normal", "Killing", text, field_path(pod, container.name))
            seconds = max(seconds, self._runtime.stop_container(container.id, grace))
        return seconds

    def stop_sandbox(self, sandbox_id: str) -> tuple[None, float]:
        """A Pod has ended: its address is given back, its containers stay for their logs."""
        self._runtime.stop_pod_sandbox(sandbox_id)
        return None, 0.0

    def remove_containers(self, ids: Sequence[str]) -> tuple[None, float]:
        """Remove containers that have ended."""
        for container_id in ids:
            self._runtime.remove_container(container_id)
        return None, 0.0

    def remove(self, state: PodState) -> tuple[None, float]:
        """Remove all that the runtime holds of a Pod."""
        for sandbox in state.sandboxes:
            self._runtime.stop_pod_sandbox(sandbox.id)
        for found in state.containers.values():
            for container in found:
                self._runtime.remove_container(container.id)
        for sandbox in state.sandboxes:
            self._runtime.remove_pod_sandbox(sandbox.id)
        return None, 0.0


def _go(seconds: int) -> str:
    """`10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
