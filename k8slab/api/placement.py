"""Which nodes a Pod may be on, as far as its own words say: node selector, required node affinity, tolerations.

The scheduler asks it of a Pod that has no node yet, the DaemonSet controller of one that it has not made yet.

Models: k8s.io/component-helpers/scheduling/corev1 (nodeaffinity, helpers.go).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from k8slab.api.core import Node, Pod, Taint
from k8slab.apimachinery.labels import from_label_selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
HARD = ("NoSchedule", "NoExecute")


def wants_node(pod: Pod, node: Node) -> bool:
    """Whether a node has the labels that a Pod demands."""
    labels = node.metadata.labels
    if not all(labels.get(key) == value for key, value in pod.spec.node_selector.items()):
        return False
    required = node_affinity(pod).get(REQUIRED)
    return required is None or any(matches_term(term, node) for term in required.get("nodeSelectorTerms") or ())


def node_affinity(pod: Pod) -> Mapping[str, Any]:
    """What a Pod says of nodes; empty if nothing."""
    return (pod.spec.affinity or {}).get("nodeAffinity") or {}


def matches_term(term: Mapping[str, Any], node: Node) -> bool:
    """Whether a node has what one term of an affinity asks for: of its labels, and of its name (`matchFields`)."""
    expressions, fields = term.get("matchExpressions"), term.get("matchFields")
    if not expressions and not fields:
        return False  # an empty term matches no node
    return from_label_selector({"matchExpressions": expressions or []}).matches(node.metadata.labels) and (
        not fields or from_label_selector({"matchExpressions": fields}).matches({"metadata.name": node.name})
    )


def untolerated(pod: Pod, node: Node, effects: Collection[str] = HARD) -> Taint | None:
    """The first of a node's taints with one of these effects that a Pod does not bear."""
    for taint in node.spec.taints:
        if taint.effect in effects and not any(each.tolerates(taint) for each in pod.spec.tolerations):
            return taint
    return None
