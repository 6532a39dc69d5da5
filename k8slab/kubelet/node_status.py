"""The node: it registers itself, and says every ten seconds how it is.

It registers once in its life. The range of its Pods' addresses is given to it: it is not ready until the API server tells
which it is. A Node that somebody deletes stays away until its kubelet is started again.

The status is computed often and written seldom: when the API server has it otherwise, or every five minutes. That the node
lives at all is said by its lease (`node_lease.py`), which is small. Which images are there is part of it: the scheduler
likes a node better that need not pull.

Models: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from k8slab.api.core import Node
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock, to_rfc3339
from k8slab.cri.api import CriError, Runtime
from k8slab.version import __version__

COMPUTE_PERIOD, REPORT_PERIOD = 10.0, 300.0
IMAGES_PERIOD = 30.0
"""How often images are listed."""
MOST_IMAGES, MOST_NAMES = 50, 5
"""The largest images are told, each by so many names at most."""
TRIES = 5
"""How often a report is tried at once, as upstream has it; after that the next one makes it good."""
KUBELET_VERSION = "v1.37.1"
CAPACITY: Mapping[str, str] = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "110"}
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
OURS = (*(type_ for type_, *_ in HEALTHY), "Ready")
Said = tuple[tuple[str, str, str, str], ...]
"""Conditions: type, status, reason, message."""


class NodeStatus:
    """One node's object."""

    def __init__(
        self,
        name: str,
        client: Client,
        clock: Clock,
        runtime: Runtime,
        recorder: EventRecorder,
        *,
        address: str,
        capacity: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.address = name, address
        self._client, self._clock, self._runtime, self._recorder = client, clock, runtime, recorder
        self._capacity = dict(capacity or CAPACITY)
        self._version = runtime.version()
        self._range = ""
        self._announced = False
        self._said: Said = ()
        """Our conditions, as the API server has them."""
        self._images: list[JsonObject] = []
        self._listed_at = float("-inf")
        self._written_at = self._computed_at = float("-inf")
        self.registered = False
        """Whether there was a Node object once."""
        self.node: Node | None = None
        """The node as last seen; None before it is registered, and when it was deleted."""

    @property
    def runtime_name(self) -> str:
        """The scheme of container ids."""
        return self._version.name

    def register(self) -> None:
        """Make the Node object; or, where it is there from before, bring its status up to date. Raises ApiError."""
        if not self._announced:
            self._announced = True
            self._recorder.event(self.reference(), "Normal", "Starting", "Starting kubelet.")
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": self._labels()},
            "spec": {},
            "status": self._compute(),
        }
        try:
            self._written_at = self._computed_at = self._clock.now()
            self.see(Node.of(self._client.create(Node, body)))
        except AlreadyExists:
            self.see(Node.of(self._client.patch(Node, self.name, "", {"metadata": {"labels": self._labels()}})))
            self.report(force=True)
        self.registered = True

    def see(self, node: Node | None) -> None:
        """The Node object as it is now; None: it is gone. What is older than what is known changes nothing."""
        if node is not None and self.node is not None and _revision(node) < _revision(self.node):
            return
        if node is not None and node.spec.pod_cidr and self._range != node.spec.pod_cidr:
            self._range = node.spec.pod_cidr
            self._runtime.update_runtime_config(self._range)
            self._computed_at = float("-inf")  # the network is ready: say so at once
        self.node = node
        conditions = node.status.conditions if node is not None else ()
        ours = {each.type: (each.type, each.status, each.reason, each.message) for each in conditions}
        self._said = tuple(ours[type_] for type_ in OURS if type_ in ours)

    def next_report(self) -> float:
        """When the status is computed next."""
        return self._computed_at + COMPUTE_PERIOD

    def report(self, force: bool = False) -> None:
        """Compute the status; write it if it has changed, or if that is long ago. A failure is made good by the next report."""
        now = self._clock.now()
        self._computed_at = now
        stale = now - self._written_at >= REPORT_PERIOD
        self._list_images(now)
        if not force and not stale and self._said == self._conditions() and self._told_images() == self._images:
            return  # nothing else of a node's status ever changes
        before, status = self._said, self._compute()
        for _ in range(TRIES):
            try:
                patch = {"status": status}
                found = self._client.patch(
                    Node, self.name, "", patch, content_type=STRATEGIC, subresource="status"
                )  # fmt: skip
            except NotFound:
                self.see(None)
                return
            except ApiError:
                continue
            self._written_at = now
            self.see(Node.of(found))
            self._tell(before)
            return

    def _tell(self, before: Said) -> None:
        """An event, when the node has become ready, or is no longer."""
        if before and self._said and before[-1][1] != self._said[-1][1]:
            reason = "NodeReady" if self._said[-1][1] == "True" else "NodeNotReady"
            self._recorder.event(self.reference(), "Normal", reason, f"Node {self.name} status is now: {reason}")

    def _conditions(self) -> Said:
        return (*HEALTHY, self._ready())

    def _compute(self) -> JsonObject:
        now = to_rfc3339(self._clock.now())
        images = {"images": self._images} if self._images or self._told_images() else {}
        return {
            "capacity": self._capacity,
            "allocatable": self._capacity,
            "addresses": [
                {"type": "InternalIP", "address": self.address},
                {"type": "Hostname", "address": self.name},
            ],
            "conditions": [
                {
                    "type": type_,
                    "status": status,
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": self._since(type_, status) or now,
                    "reason": reason,
                    "message": message,
                }
                for type_, status, reason, message in self._conditions()
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": self._info(),
            **images,
        }

    def _list_images(self, now: float) -> None:
        if now - self._listed_at < IMAGES_PERIOD:
            return
        self._listed_at = now
        with suppress(CriError):  # what was there will still be there
            found = sorted(self._runtime.list_images(), key=lambda each: (each.size, each.id), reverse=True)
            self._images = [
                {"names": [*each.digests, *each.tags][:MOST_NAMES], "sizeBytes": each.size}
                for each in found[:MOST_IMAGES]
            ]

    def _told_images(self) -> list[JsonObject]:
        return [dict(each) for each in self.node.status.images] if self.node is not None else []

    def _since(self, type_: str, status: str) -> str | None:
        before = self.node.condition(type_) if self.node is not None else None
        return before.last_transition_time if before is not None and before.status == status else None

    def _ready(self) -> tuple[str, str, str, str]:
        try:
            problems = sorted(self._runtime.status().values())
        except CriError as error:
            problems = [f"container runtime is down: {error.message}"]
        if problems:
            return "Ready", "False", "KubeletNotReady", "; ".join(problems)
        return "Ready", "True", "KubeletReady", "kubelet is posting ready status"

    def _info(self) -> JsonObject:
        simulated = self._version.name == "simulated"
        return {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": f"{self._version.name}://{self._version.version}",
            "kernelVersion": "simulated" if simulated else "linux",
            "kubeProxyVersion": "",
            "kubeletVersion": KUBELET_VERSION,
            "machineID": self.name,
            "operatingSystem": "linux",
            "osImage": f"k8slab {__version__}" + (" (simulated)" if simulated else " (Docker)"),
            "systemUUID": self.name,
        }

    def _labels(self) -> dict[str, str]:
        return {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
        }

    def reference(self) -> Node:
        """What the node's events are about: by its name, which is also its UID there, as upstream has it."""
        return Node.of({"metadata": {"name": self.name, "uid": self.name}})


def _revision(node: Node) -> int:
    return int(node.metadata.resource_version)
