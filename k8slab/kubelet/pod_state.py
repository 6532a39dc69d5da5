"""What the runtime says of one Pod: its sandboxes, its containers, newest first where it matters.

Models: pkg/kubelet/container/runtime.go (PodStatus).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from k8slab.cri.api import Container, ContainerState, Runtime, Sandbox, SandboxState


@dataclass(slots=True)
class PodState:
    """One Pod, as the runtime sees it."""

    uid: str
    sandboxes: list[Sandbox] = field(default_factory=list)
    """Newest first."""
    containers: dict[str, list[Container]] = field(default_factory=dict)
    """By name; newest first."""

    @property
    def sandbox(self) -> Sandbox | None:
        """The newest sandbox."""
        return self.sandboxes[0] if self.sandboxes else None

    @property
    def ready_sandbox(self) -> Sandbox | None:
        """The newest sandbox, if containers can be started in it."""
        newest = self.sandbox
        return newest if newest and newest.state is SandboxState.READY else None

    def newest(self, name: str) -> Container | None:
        """The newest container of a name."""
        found = self.containers.get(name)
        return found[0] if found else None

    def running(self) -> list[Container]:
        """All containers that run."""
        return [each for found in self.containers.values() for each in found if each.state is ContainerState.RUNNING]

    @property
    def ended(self) -> bool:
        """Whether a container has ended and no newer one has taken its place."""
        return any(found[0].state is ContainerState.EXITED for found in self.containers.values())

    @property
    def empty(self) -> bool:
        """Whether the runtime holds nothing of it."""
        return not self.sandboxes and not self.containers


def read_states(runtime: Runtime) -> dict[str, PodState]:
    """All Pods of a node, by UID."""
    return group(runtime.list_pod_sandboxes(), runtime.list_containers())


def read_state(runtime: Runtime, uid: str) -> PodState | None:
    """One Pod; None if the runtime holds nothing of it."""
    return group(runtime.list_pod_sandboxes(uid), runtime.list_containers(uid)).get(uid)


def group(sandboxes: Iterable[Sandbox], containers: Iterable[Container]) -> dict[str, PodState]:
    """Sandboxes and containers by the UID of their Pod."""
    states: dict[str, PodState] = {}
    owners = {}
    for sandbox in sandboxes:
        owners[sandbox.id] = sandbox.uid
        states.setdefault(sandbox.uid, PodState(sandbox.uid)).sandboxes.append(sandbox)
    for container in containers:
        uid = owners.get(container.sandbox_id) or container.labels.get("io.kubernetes.pod.uid", "")
        states.setdefault(uid, PodState(uid)).containers.setdefault(container.name, []).append(container)
    for state in states.values():
        state.sandboxes.sort(key=lambda each: (each.attempt, each.created_at), reverse=True)
        for found in state.containers.values():
            found.sort(key=lambda each: (each.attempt, each.created_at), reverse=True)
    return states
