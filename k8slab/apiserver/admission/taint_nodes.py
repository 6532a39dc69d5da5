"""TaintNodesByCondition: a new node takes no Pods until it has been seen ready.

Models: plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from k8slab.apiserver.admission.attributes import CREATE, Attributes
from k8slab.apiserver.registry import Registry

LEFT_OUT = ()

NOT_READY_TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def taint_new_nodes(attributes: Attributes, registry: Registry) -> None:
    """A new node takes no Pods until it has been seen ready.

    Upstream marks every new node, and a controller takes the mark away; a node that says at birth that it is ready gets none.
    """
    if not attributes.is_about("nodes", CREATE) or attributes.object is None:
        return
    conditions = (attributes.object.get("status") or {}).get("conditions") or []
    if any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions):
        return
    taints = attributes.object.setdefault("spec", {}).setdefault("taints", [])
    if not any(taint.get("key") == NOT_READY_TAINT["key"] and taint.get("effect") == "NoSchedule" for taint in taints):
        taints.append(dict(NOT_READY_TAINT))
