"""Where a DaemonSet's Pods belong, as pure functions.

One Pod for each node that its template would accept. It bears what drives others away: daemons are there to mend a node that
is not well. The scheduler binds it, like any other: an affinity for one node's name leaves it no choice.

Models: pkg/controller/daemon/daemon_controller.go (NodeShouldRunDaemonPod), pkg/controller/daemon/util/daemonset_util.go.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from k8slab.api.apps import DaemonSet
from k8slab.api.core import Node, Pod
from k8slab.api.placement import REQUIRED, node_affinity, untolerated, wants_node
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.controllers.history import POD_LABEL
from k8slab.controllers.pod_control import pod_from_template

TAINT = "node.kubernetes.io/{}"
BORNE = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
"""The taints that every daemon tolerates."""
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
GENERATION_LABEL = "pod-template-generation"


class Verdict(NamedTuple):
    """What a node is to a DaemonSet."""

    run: bool
    """Whether it should have a Pod."""
    stay: bool
    """Whether one that is there may stay: a NoSchedule taint keeps away, and drives nobody out."""


def judge(model: Pod, node: Node) -> Verdict:
    """What a node is to the DaemonSet that makes Pods like this one (`model_of`)."""
    named = model.spec.node_name
    if (named and named != node.name) or not wants_node(model, node):
        return Verdict(False, False)
    if untolerated(model, node) is None:
        return Verdict(True, True)
    return Verdict(False, untolerated(model, node, ("NoExecute",)) is None)


def model_of(daemon: DaemonSet) -> Pod:
    """A Pod of the DaemonSet, not pinned to any node."""
    return Pod.of({"metadata": {}, "spec": _with_tolerations(daemon.spec.template.get("spec") or {})})


def daemon_pod(daemon: DaemonSet, version: str, node: str) -> JsonObject:
    """The body of the Pod for a node."""
    body = pod_from_template(daemon, copy_of(dict(daemon.spec.template)))
    labels = body["metadata"].setdefault("labels", {})
    if generation := daemon.metadata.annotations.get(TEMPLATE_GENERATION):
        labels[GENERATION_LABEL] = generation
    labels[POD_LABEL] = version
    body["spec"] = _with_tolerations(body["spec"])
    body["spec"]["affinity"] = _pinned(body["spec"].get("affinity") or {}, node)
    return body


def node_of(pod: Pod) -> str:
    """The node that a daemon's Pod is on, or is for; empty if it says none."""
    if pod.spec.node_name:
        return pod.spec.node_name
    for term in (node_affinity(pod).get(REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def _with_tolerations(spec: JsonObject) -> JsonObject:
    borne = [*BORNE, ("network-unavailable", "NoSchedule")] if spec.get("hostNetwork") else BORNE
    ours = [{"key": TAINT.format(name), "operator": "Exists", "effect": effect} for name, effect in borne]
    theirs = [each for each in spec.get("tolerations") or () if each not in ours]
    return {**spec, "tolerations": [*theirs, *ours]}


def _pinned(affinity: JsonObject, node: str) -> JsonObject:
    """The affinity, with its demands on nodes replaced: they were looked at, and this is the node."""
    name: dict[str, Any] = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    nodes = {**(affinity.get("nodeAffinity") or {}), REQUIRED: {"nodeSelectorTerms": [name]}}
    return {**affinity, "nodeAffinity": nodes}
