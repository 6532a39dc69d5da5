"""Labels that a node must have (`nodeSelector`, required affinity), or had better have (preferred affinity).

Models: pkg/scheduler/framework/plugins/nodeaffinity, k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.labels import from_label_selector
from k8slab.scheduler.framework import NodeProperty, State, share_of_highest
from k8slab.scheduler.node_info import NodeInfo, PodInfo

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class NodeAffinity(NodeProperty):
    """Labels of nodes."""

    name, weight = "NodeAffinity", 2

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Most do not care."""
        return not pod.pod.spec.node_selector and not _affinity(pod.pod)

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """All of the selector; one of the terms."""
        return () if wants_node(pod.pod, node.node) else ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """The weights of the preferences that are met."""
        preferred = _affinity(pod.pod).get(PREFERRED) or ()
        met = [each for each in preferred if _matches(each.get("preference") or {}, node.node)]
        return float(sum(each.get("weight", 0) for each in met))

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """The more the better."""
        return share_of_highest(scores)


def wants_node(pod: Pod, node: Node) -> bool:
    """Whether a node has the labels that a Pod demands."""
    labels = node.metadata.labels
    if not all(labels.get(key) == value for key, value in pod.spec.node_selector.items()):
        return False
    required = _affinity(pod).get(REQUIRED)
    return required is None or any(_matches(term, node) for term in required.get("nodeSelectorTerms") or ())


def _affinity(pod: Pod) -> Mapping[str, Any]:
    return (pod.spec.affinity or {}).get("nodeAffinity") or {}


def _matches(term: Mapping[str, Any], node: Node) -> bool:
    expressions, fields = term.get("matchExpressions"), term.get("matchFields")
    if not expressions and not fields:
        return False  # an empty term matches no node
    return from_label_selector({"matchExpressions": expressions or []}).matches(node.metadata.labels) and (
        not fields or from_label_selector({"matchExpressions": fields}).matches({"metadata.name": node.name})
    )
