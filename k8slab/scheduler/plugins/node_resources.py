"""Room: what a node has, less what the Pods on it asked for.

Models: pkg/scheduler/framework/plugins/noderesources (fit.go, least_allocated.go, balanced_allocation.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.scheduler.framework import MAX_SCORE, NODE, POD_GONE, Plugin, State
from k8slab.scheduler.node_info import CPU, MEMORY, NodeInfo, PodInfo, scoring_request


class NodeResourcesFit(Plugin):
    """There must be room: for one more Pod, and for what it asks for. The emptier the node, the better."""

    name, weight, lasts = "NodeResourcesFit", 1, True
    wakes_on = frozenset({NODE, POD_GONE})

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """What there is too little of."""
        reasons = []
        if len(node.pods) + 1 > node.allocatable.get("pods", 0):
            reasons.append("Too many pods")
        for name, asked in pod.requests.items():
            if 0 < asked > node.allocatable.get(name, 0) - node.requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
        return reasons

    def is_hopeless(self, pod: PodInfo, node: NodeInfo, reasons: Sequence[str]) -> bool:
        """Where the Pod asks for more than there is."""
        return any(asked > node.allocatable.get(name, 0) for name, asked in pod.requests.items())

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """LeastAllocated: the share that stays free, of CPU and memory."""
        shares = []
        for name in (CPU, MEMORY):
            capacity = node.allocatable.get(name, 0)
            if capacity:
                used = node.scored.get(name, 0) + scoring_request(pod.requests, name)
                shares.append(max(0, (capacity - used) * MAX_SCORE // capacity))
        return float(sum(shares) // len(shares)) if shares else 0.0


class NodeResourcesBalancedAllocation(Plugin):
    """CPU and memory should be used up evenly."""

    name, weight, lasts = "NodeResourcesBalancedAllocation", 1, True

    def skips(self, state: State, pod: PodInfo) -> bool:
        """A Pod that asks for nothing uses nothing up: else all of them would crowd on one node."""
        return not pod.requests.get(CPU) and not pod.requests.get(MEMORY)

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """100 where both shares are equal."""
        shares = []
        for name in (CPU, MEMORY):
            capacity = node.allocatable.get(name, 0)
            if capacity:
                used = node.requested.get(name, 0) + pod.requests.get(name, 0)
                shares.append(min(1.0, used / capacity))
        deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
        return float(int((1 - deviation) * MAX_SCORE))
