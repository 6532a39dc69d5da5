"""What is to be done about a Pod: a pure function of what it should be and what is.

Models: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions, computeInitContainerActions).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from k8slab.api.core import Container, Pod
from k8slab.cri.api import Container as Running
from k8slab.cri.api import ContainerState
from k8slab.kubelet.pod_state import PodState


@dataclass(slots=True)
class PodActions:
    """In the order in which they are done."""

    kill_sandbox: bool = False
    create_sandbox: bool = False
    attempt: int = 0
    """Of the new sandbox."""
    kill: list[tuple[Running, str]] = field(default_factory=list)
    """Containers, and why."""
    start: list[Container] = field(default_factory=list)
    is_init: bool = False
    """Whether `start` holds an init container."""


def compute_actions(pod: Pod, state: PodState) -> PodActions:
    """What has to be done now."""
    actions = PodActions()
    sandbox = state.sandbox
    if state.ready_sandbox is None:
        if sandbox is not None and not _something_to_start(pod, state):
            return actions  # it has ended, and nobody wants it back
        actions.kill_sandbox = sandbox is not None or bool(state.running())
        actions.create_sandbox = True
        actions.attempt = sandbox.attempt + 1 if sandbox else 0
        if pod.spec.init_containers:
            actions.start, actions.is_init = [pod.spec.init_containers[0]], True
        else:
            actions.start = [each for each in pod.spec.containers if _should_start(pod, each, state)]
        return actions

    initialized, init = _init_to_start(pod, state)
    if not initialized:
        if init is not None:
            actions.start, actions.is_init = [init], True
        return actions
    for container in pod.spec.init_containers:
        # A sidecar that ended is started again, whatever the others do.
        if container.restart_policy == "Always" and not _runs(state, container.name):
            actions.start.append(container)
    # Who looks around is started once, and never again.
    actions.start += [each for each in pod.spec.ephemeral_containers if state.newest(each.name) is None]
    for container in pod.spec.containers:
        current = state.newest(container.name)
        if current is not None and current.state is ContainerState.RUNNING:
            if _hash(current) not in ("", container_hash(container)):
                actions.kill.append((current, f"Container {container.name} definition changed, will be restarted"))
                actions.start.append(container)
            continue
        if _should_start(pod, container, state):
            actions.start.append(container)
    return actions


def container_hash(container: Container) -> str:
    """What a running container was made from, as far as it may change: its image."""
    return container.image


def should_restart(pod: Pod, exit_code: int) -> bool:
    """Whether a container that ended is started again."""
    policy = pod.spec.restart_policy
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _hash(container: Running) -> str:
    return container.annotations.get("io.kubernetes.container.hash", "")


def _runs(state: PodState, name: str) -> bool:
    current = state.newest(name)
    return current is not None and current.state is ContainerState.RUNNING


def _should_start(pod: Pod, container: Container, state: PodState) -> bool:
    current = state.newest(container.name)
    if current is None or current.state is ContainerState.CREATED:
        return True
    if current.state is ContainerState.RUNNING:
        return False
    return should_restart(pod, current.exit_code)


def _something_to_start(pod: Pod, state: PodState) -> bool:
    if not state.containers:
        return True
    return any(_should_start(pod, each, state) or _runs(state, each.name) for each in pod.spec.containers)


def _init_to_start(pod: Pod, state: PodState) -> tuple[bool, Container | None]:
    """(whether all init containers are done, the one to start now): one after the other."""
    if any(state.newest(each.name) is not None for each in pod.spec.containers):
        return True, None
    for container in pod.spec.init_containers:
        current = state.newest(container.name)
        if current is None or current.state is ContainerState.CREATED:
            return False, container
        if current.state is ContainerState.RUNNING:
            if container.restart_policy == "Always":
                continue
            return False, None
        if container.restart_policy == "Always":
            return False, container
        if current.exit_code != 0:
            return False, container if pod.spec.restart_policy != "Never" else None
    return True, None
