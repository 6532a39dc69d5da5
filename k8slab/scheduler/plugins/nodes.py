"""What a node itself says: it is cordoned, it is not the one that was asked for, it has a taint.

Models: pkg/scheduler/framework/plugins/nodeunschedulable, nodename, tainttoleration.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Pod, Taint
from k8slab.scheduler.framework import NodeProperty, State, share_of_highest
from k8slab.scheduler.node_info import NodeInfo, PodInfo

CORDONED = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


class NodeUnschedulable(NodeProperty):
    """A cordoned node takes no new Pods."""

    name = "NodeUnschedulable"

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Unless the Pod bears it."""
        if not node.node.spec.unschedulable or _tolerates(pod.pod, CORDONED):
            return ()
        return ("node(s) were unschedulable",)


class NodeName(NodeProperty):
    """A Pod may name its node."""

    name = "NodeName"

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Most name none."""
        return not pod.pod.spec.node_name

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Only that one will do."""
        asked = pod.pod.spec.node_name
        return ("node(s) didn't match the requested node name",) if asked and asked != node.name else ()


class TaintToleration(NodeProperty):
    """Taints keep Pods away that do not tolerate them."""

    name, weight = "TaintToleration", 3

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """NoSchedule and NoExecute keep away."""
        for taint in node.node.spec.taints:
            if taint.effect in ("NoSchedule", "NoExecute") and not _tolerates(pod.pod, taint):
                return ("node(s) had untolerated taint(s)",)
        return ()

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """PreferNoSchedule only counts against a node."""
        if not node.node.spec.taints:
            return 0.0
        soft = [taint for taint in node.node.spec.taints if taint.effect == "PreferNoSchedule"]
        return float(sum(1 for taint in soft if not _tolerates(pod.pod, taint)))

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """The fewer the better."""
        return share_of_highest(scores, reverse=True)


def _tolerates(pod: Pod, taint: Taint) -> bool:
    return any(toleration.tolerates(taint) for toleration in pod.spec.tolerations)
