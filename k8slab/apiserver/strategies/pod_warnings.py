"""What is odd about a Pod, or about a template of Pods, and yet allowed: the client is warned.

Two ports of one Pod that are the same, a variable that hides another, half a byte of memory: such a Pod is made all the
same, and seldom does what its author meant.

Models: pkg/api/pod/warnings.go, and WarningsOnCreate and WarningsOnUpdate of each kind's strategy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject

TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (),
    ("", "replicationcontrollers"): ("spec", "template"),
    ("apps", "daemonsets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
}
"""Where a kind, by (group, plural), has what is checked: a Pod is its own template."""
BYTES = ("memory", "ephemeral-storage")


def pod_warnings(template: tuple[str, ...], obj: JsonObject, old: JsonObject | None) -> list[str]:
    """What is odd in what a client has written; nothing where it has not touched it. A Pod is looked at once, at birth."""
    if old is not None and (not template or obj.get("spec") == old.get("spec")):
        return []
    found = obj
    for step in template:
        found = found.get(step) or {}
    return list(_warnings(found.get("spec") or {}, ".".join((*template, "spec"))))


def _warnings(spec: JsonObject, path: str) -> Iterator[str]:
    containers = [
        (f"{path}.{kind}[{number}]", each)
        for kind in ("initContainers", "containers")
        for number, each in enumerate(spec.get(kind) or ())
    ]
    for where, each in containers:
        yield from _half_bytes(each.get("resources") or {}, f"{where}.resources")
        yield from _hidden_variables(each.get("env") or [], f"{where}.env")
    yield from _same_ports([(f"{where}.ports", each.get("ports") or []) for where, each in containers])


def _half_bytes(resources: JsonObject, path: str) -> Iterator[str]:
    """A thousandth of a byte is what `100m` of memory means, and not what was meant."""
    for kind in ("limits", "requests"):
        for name in BYTES:
            value = (resources.get(kind) or {}).get(name)
            if value is not None and parse_quantity(value) % 1:
                yield f'{path}.{kind}[{name}]: fractional byte value "{value}" is invalid, must be an integer'


def _hidden_variables(variables: list[JsonObject], path: str) -> Iterator[str]:
    seen = set()
    for number, each in enumerate(variables):
        name, value = each.get("name", ""), each.get("value") or ""
        reference = f"$({name})"
        builds_on_it = "valueFrom" not in each and value != reference and reference in value
        if name in seen and not builds_on_it:
            yield f'{path}[{number}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _same_ports(lists: list[tuple[str, list[JsonObject]]]) -> Iterator[str]:
    """The containers of a Pod share its ports."""
    seen: dict[tuple[object, object], list[tuple[str, JsonObject]]] = {}
    for path, ports in lists:
        for number, port in enumerate(ports):
            where = f"{path}[{number}]"
            others = seen.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other_place, other in others:
                if what := _overlap(port, other):
                    yield f"{where}: {what} port definition with {other_place}"
            others.append((where, port))


def _overlap(port: JsonObject, other: JsonObject) -> str:
    numbers = port.get("hostPort") or 0, other.get("hostPort") or 0
    addresses = port.get("hostIP") or "", other.get("hostIP") or ""
    if addresses[0] == addresses[1] and numbers[0] == numbers[1]:
        return "duplicate"
    if not all(numbers):
        return "overlapping"
    return "dangerously ambiguous" if numbers[0] == numbers[1] and bool(addresses[0]) != bool(addresses[1]) else ""
