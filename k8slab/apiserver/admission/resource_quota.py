"""ResourceQuota: a namespace gets no more than its quotas allow.

What a new object would count for is added to `status.used` of every quota that counts it, in the same compare-and-swap that
reads it: so two requests cannot both have the last of something. What ends or goes is given back by a controller, which
counts anew.

Models: k8s.io/apiserver/pkg/admission/plugin/resourcequota (controller.go: CheckRequest).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.api.quota import (
    Usage,
    add,
    counted_by,
    exceeded,
    growth,
    in_scope,
    unspecified,
    usage_of,
)
from k8slab.apimachinery.quantity import canonical
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = ("There is no list of resources that nobody gets without a quota for them (`limitedResources`).",)

QUOTAS = RESOURCES["", "resourcequotas"]
GROWING = ("services", "persistentvolumeclaims")
"""Kinds that may count for more after an update."""


def keep_to_quota(attributes: Attributes, registry: Registry) -> None:
    """Count a new object in. Raises Forbidden where it would be too much."""
    resource, obj = attributes.resource, attributes.object
    if obj is None or attributes.subresource or not attributes.namespace:
        return
    grows = attributes.operation == UPDATE and resource.plural in GROWING and not resource.group
    if attributes.operation != CREATE and not grows:
        return
    if not registry.holds(QUOTAS, attributes.namespace):
        return
    quotas = registry.list(QUOTAS, attributes.namespace).items
    usage = usage_of(resource.group, resource.plural, obj)
    if attributes.old is not None:
        usage = growth(usage, usage_of(resource.group, resource.plural, attributes.old))
    concerned = [quota for quota in quotas if _concerns(quota, attributes, usage)]
    # First asked of all, then counted in all: what one refuses, no other has counted.
    for quota in concerned:
        _counted(quota, attributes, usage)
    for quota in concerned if not attributes.dry_run else ():
        registry.guaranteed_update(
            QUOTAS, attributes.namespace, quota["metadata"]["name"], lambda newest: _counted(newest, attributes, usage)
        )


def _concerns(quota: JsonObject, attributes: Attributes, usage: Usage) -> bool:
    resource = attributes.resource
    hard = (quota.get("spec") or {}).get("hard") or {}
    counts = any(counted_by(name) == (resource.group, resource.plural) for name in hard)
    return counts and bool(usage) and in_scope(quota, resource.group, resource.plural, attributes.object or {})


def _counted(quota: JsonObject, attributes: Attributes, usage: Usage) -> JsonObject:
    """The quota, with the object counted in. Raises Forbidden."""
    name, status = quota["metadata"]["name"], quota.get("status") or {}
    resource = attributes.resource
    hard: Mapping[str, str] = status.get("hard") or {}
    asked = (quota.get("spec") or {}).get("hard") or {}
    ours = sorted(each for each in asked if counted_by(each) == (resource.group, resource.plural))
    if resource.plural == "pods" and not resource.group:
        _check_specified(name, attributes, ours)
    used: Usage = status.get("used") or {}
    if unknown := [each for each in ours if each not in used or each not in hard]:
        raise attributes.forbidden(f"status unknown for quota: {name}, resources: {','.join(unknown)}")
    requested = {each: usage[each] for each in ours if each in usage}
    after = {each: add(used[each], amount) for each, amount in requested.items()}
    if over := exceeded(after, hard):
        shown = (_shown(values, over) for values in (requested, used, hard))
        raise attributes.forbidden("exceeded quota: {}, requested: {}, used: {}, limited: {}".format(name, *shown))
    return {**quota, "status": {**status, "used": {**used, **after}}}


def _check_specified(name: str, attributes: Attributes, ours: list[str]) -> None:
    """Who counts by what Pods ask for needs Pods that say so."""
    if missing := unspecified((attributes.object or {})["spec"], ours):
        told = "; ".join(f"{each} for: {','.join(containers)}" for each, containers in sorted(missing.items()))
        raise attributes.forbidden(f"failed quota: {name}: must specify {told}")


def _shown(values: Mapping[str, str], names: Iterable[str]) -> str:
    return ",".join(f"{name}={canonical(values[name])}" for name in names)
