"""Priority: the name of a priority class becomes a number.

Models: plugin/pkg/admission/priority/admission.go.
"""

from __future__ import annotations

from k8slab.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = ()

_PRIORITY_CLASSES = RESOURCES["scheduling.k8s.io", "priorityclasses"]
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
PREEMPT = "PreemptLowerPriority"


def priority(attributes: Attributes, registry: Registry) -> None:
    """The name of a priority class becomes a number, once and for all."""
    if not attributes.is_about("pods", CREATE) or attributes.object is None:
        return
    spec = attributes.object["spec"]
    name, value, policy = _priority_class(attributes, registry, spec.get("priorityClassName") or "")
    if name:
        spec["priorityClassName"] = name
    asked = spec.get("priority")
    if asked is not None and asked != value:
        raise attributes.forbidden(
            f"the integer value of priority ({asked}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
    asked_policy = spec.get("preemptionPolicy")
    if asked_policy is not None and asked_policy != policy:
        raise attributes.forbidden(
            f"the string value of PreemptionPolicy ({asked_policy}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _priority_class(attributes: Attributes, registry: Registry, name: str) -> tuple[str, int, str]:
    """(name, value, preemption policy) of a class, or of the default one; (``, 0, PreemptLowerPriority) if there is none."""
    if not name:
        # Of several defaults the lowest counts: that hurts nobody who was there before.
        classes = [each for each in registry.list(_PRIORITY_CLASSES).items if each.get("globalDefault")]
        found = min(classes, key=lambda each: (each.get("value", 0), each["metadata"]["name"]), default=None)
    else:
        found = registry.find(_PRIORITY_CLASSES, "", name)
        if found is None and name in SYSTEM_PRIORITIES:
            return name, SYSTEM_PRIORITIES[name], PREEMPT
        if found is None:
            raise attributes.forbidden(f"no PriorityClass with name {name} was found")
    if found is None:
        return "", 0, PREEMPT
    return found["metadata"]["name"], int(found.get("value", 0)), found.get("preemptionPolicy") or PREEMPT


def one_default_priority(attributes: Attributes, registry: Registry) -> None:
    """Only one priority class can be everybody's."""
    resource, obj = attributes.resource, attributes.object
    if resource is not _PRIORITY_CLASSES or attributes.operation not in (CREATE, UPDATE) or obj is None:
        return
    for other in registry.list(resource).items if obj.get("globalDefault") else []:
        name = other["metadata"]["name"]
        if other.get("globalDefault") and name != attributes.name:
            raise attributes.forbidden(f"PriorityClass {name} is already marked as default. Only one default can exist")
