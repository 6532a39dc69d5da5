"""What objects count for, in the currency of quotas, and which quotas count them.

A ResourceQuota limits sums over a namespace: how many objects of a kind there are (`pods`, `count/deployments.apps`), what
Pods ask for (`requests.cpu`, `limits.memory`), what claims ask for (`requests.storage`). Admission adds what a new object
would count for; a controller counts all anew. Both use these functions, on objects as JSON.

Models: pkg/quota/v1/evaluator/core (pods.go, services.go, persistent_volume_claims.go), k8s.io/apiserver/pkg/quota/v1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from k8slab.apimachinery.quantity import DECIMAL, format_quantity, parse_quantity, quantity_family
from k8slab.apimachinery.rest import JsonObject

Usage = dict[str, str]
"""Quantities by what is counted."""

LEGACY_COUNTS = (
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
"""Core kinds that are counted by their bare name too."""
COMPUTE = ("cpu", "memory", "ephemeral-storage")


def usage_of(group: str, plural: str, obj: JsonObject) -> Usage:
    """What one object counts for."""
    usage = {f"count/{plural}.{group}" if group else f"count/{plural}": "1"}
    if group:
        return usage
    if plural in LEGACY_COUNTS:
        usage[plural] = "1"
    special = {"pods": _pod_usage, "services": _service_usage, "persistentvolumeclaims": _claim_usage}.get(plural)
    return usage | special(obj) if special else usage


def counted_by(name: str) -> tuple[str, str]:
    """(group, plural) of the objects that a resource of a quota counts; empty strings for what nothing counts."""
    if name.startswith("count/"):
        plural, _, group = name.removeprefix("count/").partition(".")
        return group, plural
    if name.endswith(("requests.storage", "persistentvolumeclaims")):
        return "", "persistentvolumeclaims"
    if name in LEGACY_COUNTS:
        return "", name
    if name.startswith("services."):
        return "", "services"
    return "", "pods"


def total(usages: Iterable[Usage], names: Iterable[str]) -> Usage:
    """The sums over objects, of some resources; 0 for what none counts for."""
    found: Usage = dict.fromkeys(names, "0")
    for usage in usages:
        for name in found.keys() & usage.keys():
            found[name] = add(found[name], usage[name])
    return found


def add(a: str, b: str) -> str:
    """The sum of two quantities, written like the first that is not 0."""
    family = quantity_family(a) if parse_quantity(a) else quantity_family(b)
    return format_quantity(parse_quantity(a) + parse_quantity(b), family)


def growth(new: Usage, old: Usage) -> Usage:
    """By how much more the new state of an object counts than the old."""
    more = {name: parse_quantity(amount) - parse_quantity(old.get(name, "0")) for name, amount in new.items()}
    return {name: format_quantity(amount, quantity_family(new[name])) for name, amount in more.items() if amount > 0}


# Scopes.


def in_scope(quota: JsonObject, group: str, plural: str, obj: JsonObject) -> bool:
    """Whether an object is among those that a quota is about; without scopes, all are."""
    spec = quota.get("spec") or {}
    wanted = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or []]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    if not wanted:
        return True
    return (group, plural) == ("", "pods") and all(_scope_fits(each, obj) for each in wanted)


def _scope_fits(wanted: JsonObject, pod: JsonObject) -> bool:
    name, spec = wanted.get("scopeName"), pod.get("spec") or {}
    terminating = spec.get("activeDeadlineSeconds") is not None
    if name in ("Terminating", "NotTerminating"):
        return terminating is (name == "Terminating")
    if name in ("BestEffort", "NotBestEffort"):
        return _is_best_effort(spec) is (name == "BestEffort")
    if name == "CrossNamespacePodAffinity":
        return _looks_across(spec.get("affinity") or {})
    value, values = spec.get("priorityClassName") or "", wanted.get("values") or []
    operators = {
        "Exists": bool(value),
        "DoesNotExist": not value,
        "In": value in values,
        "NotIn": value not in values,
    }
    return name == "PriorityClass" and operators.get(wanted.get("operator", ""), False)


def _is_best_effort(spec: JsonObject) -> bool:
    amounts = [
        amount
        for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or []))
        for field in ("requests", "limits")
        for name, amount in ((container.get("resources") or {}).get(field) or {}).items()
        if name in ("cpu", "memory")
    ]
    return not any(parse_quantity(amount) for amount in amounts)


def _looks_across(affinity: JsonObject) -> bool:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or [])
        weighted = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        terms += [each.get("podAffinityTerm") or {} for each in weighted]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


# What the kinds count for.


def _pod_usage(pod: JsonObject) -> Usage:
    """A Pod counts for what it asks, as long as it has not ended."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    usage: Usage = {"pods": "1"}
    for field in ("requests", "limits"):
        for name, amount in _pod_resources(pod["spec"], field).items():
            usage[f"{field}.{name}"] = amount
            if field == "requests" and name in COMPUTE:
                usage[name] = amount
    return usage


def _pod_resources(spec: JsonObject, field: str) -> Usage:
    """All containers together, or the hungriest init container if that is more; and the Pod's overhead."""
    containers = [(container.get("resources") or {}).get(field) or {} for container in spec.get("containers") or []]
    found: Usage = {}
    for amounts in containers:
        for name, amount in amounts.items():
            found[name] = add(found.get(name, "0"), amount)
    for container in spec.get("initContainers") or []:
        for name, amount in ((container.get("resources") or {}).get(field) or {}).items():
            if parse_quantity(amount) > parse_quantity(found.get(name, "0")):
                found[name] = amount
    for name, amount in (spec.get("overhead") or {}).items():
        if field == "requests" or name in found:
            found[name] = add(found.get(name, "0"), amount)
    return found


def unspecified(spec: JsonObject, names: Sequence[str]) -> dict[str, list[str]]:
    """For each compute resource among `names`, the containers that do not say how much they need of it."""
    found: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or []), *(spec.get("initContainers") or [])):
        resources = container.get("resources") or {}
        for name in sorted(names):
            field, _, what = name.rpartition(".") if "." in name else ("requests", "", name)
            if field in ("requests", "limits") and what in COMPUTE and what not in (resources.get(field) or {}):
                found.setdefault(name, []).append(container["name"])
    return found


def _service_usage(service: JsonObject) -> Usage:
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or []
    exposed = len(ports) if kind in ("NodePort", "LoadBalancer") else 0
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        exposed = sum(1 for port in ports if port.get("nodePort"))
    return {"services.nodeports": str(exposed), "services.loadbalancers": "1" if kind == "LoadBalancer" else "0"}


def _claim_usage(claim: JsonObject) -> Usage:
    spec: Mapping[str, Any] = claim.get("spec") or {}
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    usage: Usage = {}
    prefix = f"{spec['storageClassName']}.storageclass.storage.k8s.io/" if spec.get("storageClassName") else ""
    if prefix:
        usage[f"{prefix}persistentvolumeclaims"] = "1"
    if asked:
        amount = format_quantity(parse_quantity(asked), quantity_family(asked) if parse_quantity(asked) else DECIMAL)
        usage["requests.storage"] = amount
        if prefix:
            usage[f"{prefix}requests.storage"] = amount
    return usage


def exceeded(used: Usage, hard: Mapping[str, str]) -> list[str]:
    """What is over its limit."""
    return sorted(
        name for name, limit in hard.items() if name in used and parse_quantity(used[name]) > parse_quantity(limit)
    )


def nothing(usage: Usage) -> bool:
    """Whether a usage counts for nothing."""
    return all(parse_quantity(amount) == Decimal(0) for amount in usage.values())
