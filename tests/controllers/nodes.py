"""A server with the controllers of the nodes, and nodes that live as long as a test lets them."""

from __future__ import annotations

from typing import Any

from k8slab.api.coordination import Lease
from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import AlreadyExists
from k8slab.client.client import STRATEGIC
from k8slab.clock import to_rfc3339, to_rfc3339_micro
from k8slab.controllers.node_lifecycle import NodeLifecycleController
from k8slab.controllers.node_zones import REGION, ZONE
from k8slab.controllers.taint_eviction import TaintEvictionController
from tests.client.fake_server import World, pod

HEARTBEAT = 10.0


class Nodes(World):
    """Nodes that renew their leases every ten seconds, until they are silenced."""

    def __init__(self, seed: int = 1, wrap: Any = None, **options: Any) -> None:
        super().__init__(seed)

        def connect(name: str) -> Any:
            return self.connect(wrap and (lambda transport: wrap(self, transport, name)))

        self.lifecycle = NodeLifecycleController(connect("lifecycle"), self.clock, self.chance, **options)
        self.evictor = TaintEvictionController(connect("evictor"), self.clock, self.chance)
        self.components = [self.lifecycle, self.evictor]
        self.alive: dict[str, None] = {}
        self._next_beat = self.clock.now()

    def add(self, *names: str, zone: str = "", labels: dict[str, str] | None = None) -> None:
        """Nodes that say that they are ready."""
        where = {REGION: "lab", ZONE: zone} if zone else {}
        for name in names:
            meta = {"name": name, "labels": {**where, **(labels or {})}}
            self.client.create(Node, {"metadata": meta, "status": {"conditions": [self._ready("True")]}})
            self.alive[name] = None
            self._beat(name)

    def silence(self, *names: str) -> None:
        for name in names:
            del self.alive[name]

    def revive(self, *names: str) -> None:
        for name in names:
            self.alive[name] = None
            self.say(name, "True")
            self._beat(name)

    def say(self, name: str, ready: str) -> None:
        """What a kubelet would post."""
        status = {"status": {"conditions": [self._ready(ready)]}}
        self.client.patch(Node, name, "", status, content_type=STRATEGIC, subresource="status")

    def run_for(self, seconds: float) -> None:
        """Let time pass, with heartbeats."""
        end = self.clock.now() + seconds
        while self._next_beat <= end:
            self.pass_time(self._next_beat - self.clock.now())
            for name in self.alive:
                self._beat(name)
            self._next_beat += HEARTBEAT
        self.pass_time(end - self.clock.now())

    def node(self, name: str) -> Node:
        return self.client.get(Node, name)

    def ready(self, name: str) -> str:
        return self.node(name).ready

    def taints(self, name: str) -> list[str]:
        return [f"{taint.key.rpartition('/')[2]}:{taint.effect}" for taint in self.node(name).spec.taints]

    def tainted(self) -> list[str]:
        """The nodes off which Pods are driven."""
        nodes = self.client.list(Node)
        return [each.name for each in nodes if any(taint.effect == "NoExecute" for taint in each.spec.taints)]

    def run_pod(self, name: str, node: str, **spec: Any) -> Pod:
        """A Pod that runs on a node."""
        made = Pod.of(self.client.create(Pod, pod(name, nodeName=node, **spec), "default"))
        self.make_ready(made)
        return made

    def pod(self, name: str) -> Pod:
        return self.client.get(Pod, name, "default")

    def _ready(self, status: str) -> dict[str, str]:
        now = to_rfc3339(self.clock.now())
        return {"type": "Ready", "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now}

    def _beat(self, name: str) -> None:
        spec = {"holderIdentity": name, "renewTime": to_rfc3339_micro(self.clock.now())}
        try:
            meta = {"name": name, "namespace": "kube-node-lease"}
            self.client.create(Lease, {"metadata": meta, "spec": spec}, "kube-node-lease")
        except AlreadyExists:
            self.client.patch(Lease, name, "kube-node-lease", {"spec": spec})
