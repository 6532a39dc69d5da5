"""The scheduler's cache: which Pods are on which node, and how much room that leaves.

A Pod that was bound counts on its node at once (it is *assumed*), without waiting for the watch. A Pod on a node that is not
known (yet) waits for that node. Nothing here asks or writes.

Models: pkg/scheduler/backend/cache/cache.go, snapshot.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from k8slab.api.core import Node, Pod
from k8slab.scheduler.framework import State
from k8slab.scheduler.node_info import NodeInfo, PodInfo, Resident


class Cache:
    """Nodes by name, Pods by UID."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.order: list[NodeInfo] = []
        """The nodes by name."""
        self.nominated: dict[str, tuple[str, PodInfo]] = {}
        """UID -> (node, Pod): room is being made there for it."""
        self._where: dict[str, str] = {}
        # Pods on nodes that are not known (yet), by node.
        self._homeless: dict[str, dict[str, Resident]] = {}
        self._images: Counter[str] = Counter()

    def __contains__(self, uid: str) -> bool:
        return uid in self._where

    def state(self, namespaces: Mapping[str, Mapping[str, str]]) -> State:
        """What a cycle begins with."""
        return State(self.order, [node for node in self.order if node.social], self._images, namespaces)

    def expecting(self, state: State, pod: PodInfo) -> State:
        """The same, with the Pods counted in for which room is being made, if they are no less important than this one."""
        awaited: dict[str, list[Resident]] = {}
        for uid, (node, other) in self.nominated.items():
            if uid != pod.pod.uid and other.priority >= pod.priority:
                awaited.setdefault(node, []).append(Resident.of(other.pod))
        if not awaited:
            return state
        nodes = [
            node.with_pods([*node.pods.values(), *awaited[node.name]]) if node.name in awaited else node
            for node in state.nodes
        ]
        return replace(state, nodes=nodes, social=[node for node in nodes if node.social], data={})

    def set_node(self, node: Node) -> bool:
        """A node is new, or has changed. False if that opens it to nobody: a heartbeat, an image that came."""
        before = self.nodes.get(node.name)
        differs = before is None or _differ(before.node, node)
        if before is not None and not differs and before.node.status.images == node.status.images:
            before.node = node
            return False
        pods = before.pods if before is not None else self._homeless.pop(node.name, {})
        if before is not None:
            self._images.subtract(before.images.keys())
        after = self.nodes[node.name] = NodeInfo.of(node, pods.values())
        self._images.update(after.images.keys())
        self._images = +self._images
        self._sort()
        return differs

    def remove_node(self, name: str) -> None:
        """A node is gone; the Pods on it may stay a while."""
        gone = self.nodes.pop(name, None)
        if gone is not None:
            self._images.subtract(gone.images.keys())
            self._images = +self._images
            if gone.pods:
                self._homeless[name] = gone.pods
            self._sort()

    def place(self, pod: Pod, node: str) -> None:
        """A Pod is on a node, or will be."""
        resident = Resident.of(pod)
        if self._where.get(pod.uid) == node and node in self.nodes:
            self.nodes[node].update(resident)
            return
        self.leave(pod.uid)
        self._where[pod.uid] = node
        if node in self.nodes:
            self.nodes[node].add(resident)
        else:
            self._homeless.setdefault(node, {})[pod.uid] = resident

    def leave(self, uid: str) -> bool:
        """A Pod is gone. False if it was on no node."""
        node = self._where.pop(uid, None)
        if node is None:
            return False
        if node in self.nodes:
            self.nodes[node].remove(uid)
        else:
            self._homeless.get(node, {}).pop(uid, None)
        return True

    def _sort(self) -> None:
        self.order = [self.nodes[name] for name in sorted(self.nodes)]


def _differ(old: Node, new: Node) -> bool:
    return (
        old.spec != new.spec
        or old.status.allocatable != new.status.allocatable
        or old.metadata.labels != new.metadata.labels
    )


def in_turn(nodes: Sequence[NodeInfo], start: int) -> Sequence[NodeInfo]:
    """The nodes from one on, and then those before it."""
    return [*nodes[start:], *nodes[:start]] if start else nodes
