"""The node's heartbeat: a small object, renewed every ten seconds.

If nobody renews it for 40 seconds, the control plane takes the node for lost.

Models: k8s.io/component-helpers/apimachinery/lease/controller.go, pkg/kubelet/util/nodelease.go.
"""

from __future__ import annotations

from typing import Protocol

from k8slab.api.coordination import Lease
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.client.client import Client
from k8slab.clock import Clock, to_rfc3339_micro
from k8slab.names import Chance

NAMESPACE = "kube-node-lease"
DURATION = 40
RENEW_SHARE, JITTER = 0.25, 0.04
TRIES = 5
"""How often a renewal is tried at once, as upstream has it: with a server that answers now and then, a node is not lost."""
TICK = 0.1
"""Renewals happen at whole ticks, so that the nodes of a virtual cluster act together."""


class Heartbeat(Protocol):
    """What a kubelet asks of whatever renews its node's lease."""

    next_renewal: float
    """When `renew` is to be called next, on the clock."""

    def renew(self, node_uid: str) -> None:
        """Say that the node lives, and set `next_renewal`."""
        ...


class NodeLease:
    """One node's lease."""

    def __init__(self, node: str, client: Client, clock: Clock, chance: Chance) -> None:
        self._node, self._client, self._clock, self._chance = node, client, clock, chance
        self._there = False
        self._renewals = 0
        self.next_renewal = clock.now()

    def renew(self, node_uid: str) -> None:
        """Say that the node lives. A failure is made good by the next renewal."""
        now = self._clock.now()
        self._renewals += 1
        jitter = 1 + JITTER * self._chance.fraction("lease", (self._node, self._renewals))
        ends = now + DURATION * RENEW_SHARE * jitter
        self.next_renewal = round(ends // TICK * TICK, 6)
        for _ in range(TRIES):
            try:
                if self._there:
                    patch = {"spec": {"renewTime": to_rfc3339_micro(now)}}
                    self._client.patch(Lease, self._node, NAMESPACE, patch)
                else:
                    self._create(node_uid, now)
            except NotFound:
                self._there = False  # somebody has deleted it: the next try makes it anew
            except ApiError:
                continue
            else:
                return

    def _create(self, node_uid: str, now: float) -> None:
        owner = {"apiVersion": "v1", "kind": "Node", "name": self._node, "uid": node_uid}
        spec = {
            "holderIdentity": self._node,
            "leaseDurationSeconds": DURATION,
            "renewTime": to_rfc3339_micro(now),
        }
        meta = {"name": self._node, "namespace": NAMESPACE, "ownerReferences": [owner]}
        try:
            self._client.create(Lease, {"metadata": meta, "spec": spec}, NAMESPACE)
        except AlreadyExists:
            self._client.patch(Lease, self._node, NAMESPACE, {"metadata": {"ownerReferences": [owner]}, "spec": spec})
        self._there = True
