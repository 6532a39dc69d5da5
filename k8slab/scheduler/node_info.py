"""Nodes and Pods as the scheduler sees them: numbers, computed once.

A node's free room is kept as a running sum, so that a Pod costs the same to place on an empty cluster and on a full one. Of a
Pod that has its node, only what matters to other Pods is kept (`Resident`): a scheduler knows every Pod of a cluster.

Models: pkg/scheduler/framework/types.go (NodeInfo, PodInfo, Resource), pkg/api/v1/resource/helpers.go (PodRequests).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from k8slab.api.core import Container, Node, Pod
from k8slab.apimachinery.quantity import millis, value

CPU, MEMORY, STORAGE = "cpu", "memory", "ephemeral-storage"
DEFAULTS: Mapping[str, int] = {CPU: 100, MEMORY: 200 * 1024 * 1024}
"""What a Pod without requests counts for when nodes are scored: a tenth of a core, 200 MiB."""
HostPort = tuple[str, str, int]
"""(address, protocol, port)."""


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


def scoring_request(requests: Mapping[str, int], name: str) -> int:
    """What counts when nodes are compared."""
    return requests.get(name, 0) or DEFAULTS.get(name, 0)


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """The ports of the node that a Pod wants for itself."""
    return tuple(
        (port.host_ip or "0.0.0.0", port.protocol, port.host_port)
        for container in pod.spec.containers
        for port in container.ports
        if port.host_port
    )


@dataclass(frozen=True, slots=True)
class Resident:
    """A Pod on a node: what other Pods have to reckon with."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    requests: Mapping[str, int]
    ports: tuple[HostPort, ...]
    affinity: Mapping[str, Any] | None
    """`spec.affinity`, if it says anything of other Pods."""
    priority: int
    started: str
    """When it began, as RFC 3339; empty if it has not."""
    deleting: bool

    @classmethod
    def of(cls, pod: Pod) -> Resident:
        """What matters of a Pod. Pods of one template share most of it."""
        affinity = pod.spec.affinity or {}
        social = "podAffinity" in affinity or "podAntiAffinity" in affinity
        return cls(
            pod.uid,
            pod.namespace,
            pod.name,
            _shared(tuple(sorted(pod.metadata.labels.items()))),
            _shared(tuple(sorted(requests_of(pod).items()))),
            host_ports(pod),
            affinity if social else None,
            pod.spec.priority or 0,
            pod.status.start_time or "",
            pod.metadata.deleting,
        )


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

    @property
    def priority(self) -> int:
        """The higher, the sooner, and the more it may push aside."""
        return self.pod.spec.priority or 0


@dataclass(slots=True)
class NodeInfo:
    """A node, and what is on it."""

    node: Node
    allocatable: dict[str, int]
    requested: dict[str, int] = field(default_factory=dict)
    scored: dict[str, int] = field(default_factory=dict)
    """Like `requested`, where Pods without requests count for something."""
    pods: dict[str, Resident] = field(default_factory=dict)
    """By UID."""
    social: dict[str, Resident] = field(default_factory=dict)
    """Those of them with an affinity or anti-affinity to other Pods."""
    with_ports: dict[str, Resident] = field(default_factory=dict)
    """Those of them that hold ports of the node."""
    images: Mapping[str, int] = field(default_factory=dict)
    """The images that are there, and their bytes."""
    scores: dict[Any, float] = field(default_factory=dict)
    """Scores that hold until a Pod comes or goes, by plugin and shape of the Pod."""

    @classmethod
    def of(cls, node: Node, pods: Iterable[Resident] = ()) -> NodeInfo:
        """A node with these Pods."""
        info = cls(node, {name: amount(name, there) for name, there in node.status.allocatable.items()})
        info.images = {
            full_name(name): int(image.get("sizeBytes", 0))
            for image in node.status.images
            for name in image.get("names") or ()
        }
        for pod in pods:
            info.add(pod)
        return info

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    def with_pods(self, pods: Iterable[Resident]) -> NodeInfo:
        """The same node, if these Pods were on it."""
        return NodeInfo.of(self.node, pods)

    def add(self, pod: Resident) -> None:
        """A Pod has come."""
        self.scores.clear()
        self.pods[pod.uid] = pod
        if pod.affinity is not None:
            self.social[pod.uid] = pod
        if pod.ports:
            self.with_ports[pod.uid] = pod
        _add(self.requested, pod.requests)
        _add(self.scored, {name: scoring_request(pod.requests, name) for name in DEFAULTS})

    def update(self, pod: Resident) -> None:
        """A Pod that is here has changed: mostly in nothing that others reckon with."""
        before = self.pods[pod.uid]
        if (before.requests, before.ports, before.affinity) == (pod.requests, pod.ports, pod.affinity):
            self.pods[pod.uid] = pod
            if pod.affinity is not None:
                self.social[pod.uid] = pod
            if pod.ports:
                self.with_ports[pod.uid] = pod
        else:
            self.remove(pod.uid)
            self.add(pod)

    def remove(self, uid: str) -> None:
        """A Pod has gone. One that is not here is fine."""
        pod = self.pods.pop(uid, None)
        if pod is None:
            return
        self.scores.clear()
        self.social.pop(uid, None)
        self.with_ports.pop(uid, None)
        for name, number in pod.requests.items():
            self.requested[name] -= number
        for name in DEFAULTS:
            self.scored[name] -= scoring_request(pod.requests, name)


def full_name(image: str) -> str:
    """With its tag: `nginx` is `nginx:latest`."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _requests(container: Container) -> dict[str, int]:
    return {name: amount(name, asked) for name, asked in container.resources.requests.items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number


@lru_cache(maxsize=4096)
def _shared(items: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    """One dict for all that are alike. Read-only."""
    return dict(items)
