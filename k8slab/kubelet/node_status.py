"""The node: it registers itself, and says every ten seconds how it is.

The status is computed often and written seldom: when it has changed, or every five minutes. That the node lives at all is
said by its lease (`node_lease.py`), which is small.

Models: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Node
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock, to_rfc3339
from k8slab.cri.api import CriError, Runtime
from k8slab.version import __version__

COMPUTE_PERIOD, REPORT_PERIOD = 10.0, 300.0
TRIES = 5
"""How often a report is tried at once, as upstream has it; after that the next one makes it good."""
KUBELET_VERSION = "v1.37.1"
CAPACITY: Mapping[str, str] = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "110"}
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


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
        pod_cidr: str,
        capacity: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.address, self.pod_cidr = name, address, pod_cidr
        self._client, self._clock, self._runtime, self._recorder = client, clock, runtime, recorder
        self._capacity = dict(capacity or CAPACITY)
        self._version = runtime.version()
        self._announced = False
        self._written: JsonObject | None = None
        self._written_at = self._computed_at = float("-inf")
        self.node: Node | None = None
        """The node as last seen; None before it is registered."""

    @property
    def runtime_name(self) -> str:
        """The scheme of container ids."""
        return self._version.name

    def register(self) -> None:
        """Make the Node object; or, where it is there from before, bring its status up to date."""
        if not self._announced:
            self._announced = True
            self._recorder.event(self._reference(), "Normal", "Starting", "Starting kubelet.")
        status = self._compute(None)
        spec = {"podCIDR": self.pod_cidr, "podCIDRs": [self.pod_cidr]} if self.pod_cidr else {}
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": self._labels()},
            "spec": spec,
            "status": status,
        }
        try:
            self.node = Node.of(self._client.create(Node, body))
            self._written = status
        except AlreadyExists:
            self._client.patch(Node, self.name, "", {"metadata": {"labels": self._labels()}})
            self.node = self._client.get(Node, self.name)
            self.report(force=True)
        self._written_at = self._computed_at = self._clock.now()
        text = f"Node {self.name} status is now: NodeReady"
        self._recorder.event(self._reference(), "Normal", "NodeReady", text)

    def next_report(self) -> float:
        """When the status is computed next."""
        return self._computed_at + COMPUTE_PERIOD

    def report(self, force: bool = False) -> None:
        """Compute the status; write it if it has changed, or if that is long ago. A failure is made good by the next report."""
        now = self._clock.now()
        self._computed_at = now
        stale = now - self._written_at >= REPORT_PERIOD
        if not force and not stale and self._says_ready(self._written) == self._ready():
            return  # nothing else of a node's status ever changes
        status = self._compute(self._written)
        for _ in range(TRIES):
            try:
                self._client.patch_status(Node, self.name, "", copy_of(status))
            except NotFound:
                self.node = None  # somebody deleted it: register anew
                return
            except ApiError:
                continue
            self._written, self._written_at = status, now
            return

    def _compute(self, before: JsonObject | None) -> JsonObject:
        now = to_rfc3339(self._clock.now())
        conditions = [*HEALTHY, self._ready()]
        since = {each["type"]: each for each in (before or {}).get("conditions", [])}
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
                    "lastTransitionTime": _transition(since.get(type_), status) or now,
                    "reason": reason,
                    "message": message,
                }
                for type_, status, reason, message in conditions
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": self._info(),
        }

    @staticmethod
    def _says_ready(status: JsonObject | None) -> tuple[str, str, str, str] | None:
        if status is None:
            return None
        last = status["conditions"][-1]
        return last["type"], last["status"], last["reason"], last["message"]

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

    def _reference(self) -> Node:
        """What the node's events are about: by its name, which is also its UID there, as upstream has it."""
        return Node.of({"metadata": {"name": self.name, "uid": self.name}})


def _transition(before: JsonObject | None, status: str) -> str | None:
    return before["lastTransitionTime"] if before and before["status"] == status else None
