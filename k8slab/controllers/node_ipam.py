"""Node IPAM: each node gets a range of addresses for its Pods.

The cluster's range is cut into equal parts (`cidr_set.py`). A node without `spec.podCIDR` gets the next free part; a node that
goes gives its part back. What the nodes have when the controller starts is taken: that is all it must know, so it may crash
at any time. A range that was given never changes (the API server sees to that).

One rule has to hold, whatever the watches tell and when: no two nodes have the same part. So only this controller gives, what
it has given counts as taken before any watch has told of it, and a part is free again when its node is seen to be gone.

Models: pkg/controller/nodeipam/ipam/range_allocator.go.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Node
from k8slab.apimachinery.errors import Conflict, NotFound
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock
from k8slab.controllers.cidr_set import CidrSet, NextFree, next_free
from k8slab.names import Chance

LEFT_OUT = ("One range for one family of addresses; the range of Services is not taken out of it.",)

CLUSTER_CIDR, NODE_MASK = "10.244.0.0/16", 24


class NodeIpamController(Controller):
    """Gives every node its podCIDR."""

    name = "node-ipam-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        cluster_cidr: str = CLUSTER_CIDR,
        node_mask: int = NODE_MASK,
        find: NextFree = next_free,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.recorder = EventRecorder(client, clock, "cidrAllocator")
        self.nodes = self.informer(Node, on_change=self._changed)
        self.cidrs = CidrSet(cluster_cidr, node_mask, find)
        self._given: dict[str, str] = {}
        """What a node was given, by its UID: the watch may not have told us yet."""
        self._without: dict[str, None] = {}
        """Nodes for which nothing was left, in order."""

    def reconcile(self, key: str) -> float | None:
        """Give a node a range, if it has none."""
        node = self.nodes.get(key)
        if node is None or node.spec.pod_cidr or node.metadata.deleting:
            return None
        cidr = self._given.get(node.uid) or self.cidrs.allocate()
        if cidr is None:
            self.recorder.event(node, "Warning", "CIDRNotAvailable", f"Node {key} status is now: CIDRNotAvailable")
            self._without[key] = None  # until another node goes
            return None
        self._given[node.uid] = cidr
        try:
            patch = {"metadata": {"uid": node.uid}, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}
            self.client.patch(Node, node.name, "", patch)
        except (NotFound, Conflict):
            return None  # it has gone: the watch will tell, and then the range is given back
        return None

    def _changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self._give_back(old)
        elif new.spec.pod_cidr:
            self.cidrs.occupy(new.spec.pod_cidr)
            self._given[new.uid] = new.spec.pod_cidr
        else:
            self.queue.add(new.key)

    def _give_back(self, node: Node) -> None:
        if cidr := self._given.pop(node.uid, ""):
            self.cidrs.release(cidr)
            waiting, self._without = self._without, {}
            for key in waiting:
                self.queue.add(key)
