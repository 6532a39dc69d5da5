"""LimitRanger: how much a container, a Pod or a claim may ask for in a namespace, and how much it gets if it does not say.

A LimitRange holds, for each kind of thing, the least and the most, how far a limit may be above its request, and defaults.
Defaults are written into the Pod; what is out of bounds is refused.

Models: plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from k8slab.apimachinery.quantity import canonical, parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = (
    "Init containers that go on running beside the others are counted as those that end, and requests of whole Pods not at all.",
    "Resizes are not looked at.",
)

LIMIT_RANGES = RESOURCES["", "limitranges"]
ANNOTATION = "kubernetes.io/limit-ranger"
CONTAINER, POD, CLAIM = "Container", "Pod", "PersistentVolumeClaim"

Amounts = Mapping[str, str]
"""Quantities by the name of a resource."""


def fill_in_limits(attributes: Attributes, registry: Registry) -> None:
    """Containers that do not say what they need are given the namespace's defaults; an annotation tells of it."""
    if not attributes.is_about("pods", CREATE) or attributes.object is None:
        return
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for item in _items(attributes, registry, CONTAINER):
        for defaults, field in ((limits, "default"), (requests, "defaultRequest")):
            for name, amount in (item.get(field) or {}).items():
                defaults.setdefault(name, amount)
    if not limits and not requests:
        return
    told: list[str] = []
    spec = attributes.object["spec"]
    for kind, shown in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(kind) or []:
            told += _fill(container, shown, limits, requests)
    if told:
        annotations = attributes.object["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(told)


def _fill(container: JsonObject, shown: str, limits: Amounts, requests: Amounts) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for field, word, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        said = resources.get(field) or {}
        missing = sorted(name for name in defaults if name not in said)
        if missing:
            resources[field] = {**said, **{name: defaults[name] for name in missing}}
            yield f"{', '.join(missing)} {word} for {shown} {container['name']}"


def keep_to_limits(attributes: Attributes, registry: Registry) -> None:
    """Raises Forbidden for what is out of bounds, with all that is."""
    if attributes.object is None:
        return
    faults: list[str] = []
    if attributes.is_about("pods", CREATE):
        faults = [
            fault for item in _items(attributes, registry) for fault in _pod_faults(item, attributes.object["spec"])
        ]
    elif attributes.is_about("persistentvolumeclaims", CREATE, UPDATE):
        requests = ((attributes.object.get("spec") or {}).get("resources") or {}).get("requests") or {}
        for item in _items(attributes, registry, CLAIM):
            faults += _bounds(item, CLAIM, requests, {})
    if faults:
        raise attributes.all_forbidden(faults)


def _items(attributes: Attributes, registry: Registry, kind: str = "") -> Iterator[JsonObject]:
    if not registry.holds(LIMIT_RANGES, attributes.namespace):
        return
    for limit_range in registry.list(LIMIT_RANGES, attributes.namespace).items:
        for item in (limit_range.get("spec") or {}).get("limits") or []:
            if not kind or item.get("type") == kind:
                yield item


def _pod_faults(item: JsonObject, spec: JsonObject) -> Iterator[str]:
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    if item.get("type") == CONTAINER:
        for container in containers:
            resources = container.get("resources") or {}
            yield from _bounds(item, CONTAINER, resources.get("requests") or {}, resources.get("limits") or {})
    elif item.get("type") == POD:
        yield from _bounds(item, POD, _of_pod(spec, "requests"), _of_pod(spec, "limits"))


def _of_pod(spec: JsonObject, field: str) -> Amounts:
    """What a Pod asks for: its containers together, or its hungriest init container."""
    found: dict[str, Decimal] = {}
    for container in spec.get("containers") or []:
        for name, amount in ((container.get("resources") or {}).get(field) or {}).items():
            found[name] = found.get(name, Decimal(0)) + parse_quantity(amount)
    for container in spec.get("initContainers") or []:
        for name, amount in ((container.get("resources") or {}).get(field) or {}).items():
            found[name] = max(found.get(name, Decimal(0)), parse_quantity(amount))
    return {name: format(amount.normalize(), "f") for name, amount in found.items()}


def _bounds(item: JsonObject, kind: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, amount in _sorted(item, "min"):
        yield from _too_little(kind, name, amount, requests.get(name), limits.get(name))
    for name, amount in _sorted(item, "max"):
        if kind == CLAIM:
            yield from _claims_too_much(name, amount, requests.get(name))
        else:
            yield from _too_much(kind, name, amount, requests.get(name), limits.get(name))
    for name, amount in _sorted(item, "maxLimitRequestRatio"):
        yield from _too_far(kind, name, amount, requests.get(name), limits.get(name))


def _sorted(item: JsonObject, field: str) -> list[tuple[str, str]]:
    return sorted((item.get(field) or {}).items())


def _too_little(kind: str, name: str, least: str, request: str | None, limit: str | None) -> Iterator[str]:
    start = f"minimum {name} usage per {kind} is {canonical(least)}"
    if request is None:
        yield f"{start}.  No request is specified"
    elif parse_quantity(request) < parse_quantity(least):
        yield f"{start}, but request is {canonical(request)}"
    elif limit is not None and parse_quantity(limit) < parse_quantity(least):
        yield f"{start}, but limit is {canonical(limit)}"


def _too_much(kind: str, name: str, most: str, request: str | None, limit: str | None) -> Iterator[str]:
    start = f"maximum {name} usage per {kind} is {canonical(most)}"
    if limit is None:
        yield f"{start}.  No limit is specified"
    elif parse_quantity(limit) > parse_quantity(most):
        yield f"{start}, but limit is {canonical(limit)}"
    elif request is not None and parse_quantity(request) > parse_quantity(most):
        yield f"{start}, but request is {canonical(request)}"


def _claims_too_much(name: str, most: str, request: str | None) -> Iterator[str]:
    start = f"maximum {name} usage per {CLAIM} is {canonical(most)}"
    if request is None:
        yield f"{start}.  No request is specified"
    elif parse_quantity(request) > parse_quantity(most):
        yield f"{start}, but request is {canonical(request)}"


def _too_far(kind: str, name: str, ratio: str, request: str | None, limit: str | None) -> Iterator[str]:
    start = f"{name} max limit to request ratio per {kind} is {canonical(ratio)}"
    if request is None or not parse_quantity(request):
        yield f"{start}, but no request is specified or request is 0"
    elif limit is None or not parse_quantity(limit):
        yield f"{start}, but no limit is specified or limit is 0"
    else:
        found = parse_quantity(limit) / parse_quantity(request)
        if found > parse_quantity(ratio):
            yield f"{start}, but provided ratio is {found:.6f}"
