"""Nodes and Pods as the scheduler sees them: numbers, computed once.

A node's free room is kept as a running sum, so that a Pod costs the same to place on an empty cluster and on a full one.

Models: pkg/scheduler/framework/types.go (NodeInfo, Resource), pkg/api/v1/resource/helpers.go (PodRequests).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8slab.api.core import Container, Node, Pod
from k8slab.apimachinery.quantity import millis, value

CPU, MEMORY, STORAGE = "cpu", "memory", "ephemeral-storage"
DEFAULT_MILLICPU, DEFAULT_MEMORY = 100, 200 * 1024 * 1024
"""What a Pod without requests counts for when nodes are scored."""


def amount(name: str, quantity: str | int | float) -> int:
    """A quantity as a whole number: thousandths of a core for CPU, else the unit itself."""
    return millis(quantity) if name == CPU else value(quantity)


def requests_of(pod: Pod) -> dict[str, int]:
    """What a Pod asks for: its containers and sidecars together, or an init container and the sidecars before it if more."""
    total: dict[str, int] = {}
    for container in pod.spec.containers:
        _add(total, _requests(container))
    sidecars: dict[str, int] = {}
    start: dict[str, int] = {}
    for container in pod.spec.init_containers:
        asked = _requests(container)
        if container.restart_policy == "Always":
            _add(sidecars, asked)
            continue
        for name, number in asked.items():
            start[name] = max(start.get(name, 0), number + sidecars.get(name, 0))
    _add(total, sidecars)
    for name, number in start.items():
        total[name] = max(total.get(name, 0), number)
    _add(total, {name: amount(name, asked) for name, asked in pod.spec.overhead.items()})
    return total


def _requests(container: Container) -> dict[str, int]:
    return {name: amount(name, asked) for name, asked in container.resources.requests.items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number


@dataclass(slots=True)
class PodInfo:
    """A Pod to be placed."""

    pod: Pod
    requests: dict[str, int]
    shape: tuple[tuple[str, int], ...] = ()
    """The requests again: Pods of the same shape take the same room."""

    @classmethod
    def of(cls, pod: Pod) -> PodInfo:
        """With its requests summed up."""
        requests = requests_of(pod)
        return cls(pod, requests, tuple(sorted(requests.items())))

    def scoring_request(self, name: str) -> int:
        """What counts when nodes are compared."""
        default = {CPU: DEFAULT_MILLICPU, MEMORY: DEFAULT_MEMORY}.get(name, 0)
        return self.requests.get(name, 0) or default


@dataclass(slots=True)
class NodeInfo:
    """A node, and what is on it."""

    node: Node
    allocatable: dict[str, int]
    requested: dict[str, int] = field(default_factory=dict)
    scored: dict[str, int] = field(default_factory=dict)
    """Like `requested`, where Pods without requests count for something."""
    pods: dict[str, PodInfo] = field(default_factory=dict)
    """By UID."""
    scores: dict[Any, float] = field(default_factory=dict)
    """Scores that hold until a Pod comes or goes, by plugin and shape of the Pod."""

    @classmethod
    def of(cls, node: Node, pods: Iterable[PodInfo] = ()) -> NodeInfo:
        """A node with these Pods."""
        info = cls(node, {name: amount(name, there) for name, there in node.status.allocatable.items()})
        for pod in pods:
            info.add(pod)
        return info

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    def add(self, pod: PodInfo) -> None:
        """A Pod has come."""
        self.scores.clear()
        self.pods[pod.pod.uid] = pod
        _add(self.requested, pod.requests)
        _add(self.scored, {CPU: pod.scoring_request(CPU), MEMORY: pod.scoring_request(MEMORY)})

    def remove(self, uid: str) -> None:
        """A Pod has gone. One that is not here is fine."""
        pod = self.pods.pop(uid, None)
        if pod is None:
            return
        self.scores.clear()
        for name, number in pod.requests.items():
            self.requested[name] -= number
        for name in (CPU, MEMORY):
            self.scored[name] -= pod.scoring_request(name)
