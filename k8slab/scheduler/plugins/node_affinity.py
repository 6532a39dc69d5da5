"""Labels that a node must have (`nodeSelector`, required affinity), or had better have (preferred affinity).

Models: pkg/scheduler/framework/plugins/nodeaffinity, k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.placement import matches_term, node_affinity, wants_node
from k8slab.scheduler.framework import NodeProperty, State, share_of_highest
from k8slab.scheduler.node_info import NodeInfo, PodInfo

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class NodeAffinity(NodeProperty):
    """Labels of nodes."""

    name, weight = "NodeAffinity", 2

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Most do not care."""
        return not pod.pod.spec.node_selector and not node_affinity(pod.pod)

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """All of the selector; one of the terms."""
        return () if wants_node(pod.pod, node.node) else ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """The weights of the preferences that are met."""
        preferred = node_affinity(pod.pod).get(PREFERRED) or ()
        met = [each for each in preferred if matches_term(each.get("preference") or {}, node.node)]
        return float(sum(each.get("weight", 0) for each in met))

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """The more the better."""
        return share_of_highest(scores)
