"""The rules of Pods and Pod templates.

Models: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec, ValidateTolerations).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8slab.apimachinery.errors import Cause, duplicate, invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.metadata import LABEL, SUBDOMAIN, label_causes
from k8slab.apiserver.validation.common import MAX_INT32, label_selector, named, not_negative
from k8slab.apiserver.validation.containers import container_causes

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists", "Lt", "Gt")


def validate_pod(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Pod."""
    return list(pod_spec_causes(obj.get("spec") or {}, "spec"))


def template_causes(template: JsonObject, path: str) -> Iterator[Cause]:
    """What is wrong with a Pod template."""
    meta = template.get("metadata") or {}
    yield from label_causes(f"{path}.labels", meta.get("labels") or {})
    yield from pod_spec_causes(template.get("spec") or {}, f"{path}.spec")


def pod_spec_causes(spec: JsonObject, path: str) -> Iterator[Cause]:
    """What is wrong with a Pod's spec."""
    volumes: dict[str, JsonObject] = {}
    if spec.get("volumes"):
        yield from _volumes(spec["volumes"], f"{path}.volumes", volumes)
    yield from _all_containers(spec, path, volumes)
    if not spec.get("restartPolicy"):
        yield required(f"{path}.restartPolicy")
    elif spec["restartPolicy"] not in RESTART_POLICIES:
        yield not_supported(f"{path}.restartPolicy", spec["restartPolicy"], RESTART_POLICIES)
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        yield not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), DNS_POLICIES)
    elif spec["dnsPolicy"] == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        yield required(
            f"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    yield from not_negative(spec, path, "terminationGracePeriodSeconds")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {MAX_INT32}, inclusive")
    for field, rule in (
        ("nodeName", SUBDOMAIN),
        ("serviceAccountName", SUBDOMAIN),
        ("hostname", LABEL),
        ("subdomain", LABEL),
    ):
        if spec.get(field):
            yield from named(spec[field], f"{path}.{field}", rule)
    if spec.get("nodeSelector"):
        yield from label_causes(f"{path}.nodeSelector", spec["nodeSelector"])
    for number, toleration in enumerate(spec.get("tolerations") or []):
        yield from _toleration(toleration, f"{path}.tolerations[{number}]")
    for number, spread in enumerate(spec.get("topologySpreadConstraints") or []):
        yield from _spread(spread, f"{path}.topologySpreadConstraints[{number}]")


def _all_containers(spec: JsonObject, path: str, volumes: dict[str, JsonObject]) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    host_ports: set[tuple[Any, ...]] = set()
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(spec.get(kind) or []):
            where, name = f"{path}.{kind}[{number}]", container.get("name") or ""
            yield from container_causes(container, where, volumes)
            if name and name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
            if kind == "initContainers":
                yield from _init_rules(container, where)
            elif container.get("ports"):
                yield from _host_ports(container["ports"], f"{where}.ports", host_ports, bool(spec.get("hostNetwork")))


def _init_rules(container: JsonObject, path: str) -> Iterator[Cause]:
    """Only a sidecar, which runs on, has a life to look after."""
    if container.get("restartPolicy") == "Always":
        return
    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            text = "Forbidden: may not be set for init containers without restartPolicy=Always"
            yield Cause(f"{path}.{name}", "FieldValueForbidden", text)


def _host_ports(ports: list[JsonObject], path: str, taken: set[tuple[Any, ...]], on_host: bool) -> Iterator[Cause]:
    for number, port in enumerate(ports):
        if on_host and port.get("hostPort") != port.get("containerPort"):
            text = "must match `hostPort` when `hostNetwork` is true"
            yield invalid(f"{path}[{number}].containerPort", port.get("containerPort", 0), text)
        if not port.get("hostPort"):
            continue
        what = (port.get("protocol", ""), port.get("hostIP", ""), port["hostPort"])
        if what in taken:
            yield duplicate(f"{path}[{number}].hostPort", "/".join(map(str, what)))
        taken.add(what)


def _volumes(given: list[JsonObject], path: str, found: dict[str, JsonObject]) -> Iterator[Cause]:
    """Checks volumes, and adds them to `found` by name."""
    for number, volume in enumerate(given):
        where, name = f"{path}[{number}]", volume.get("name") or ""
        yield from named(name, f"{where}.name", LABEL)
        if name in found:
            yield duplicate(f"{where}.name", name)
        found[name] = volume
        sources = [key for key in volume if key != "name" and volume[key] is not None]
        if not sources:
            yield required(where, "must specify a volume type")
        for extra in sources[1:]:
            text = "Forbidden: may not specify more than 1 volume type"
            yield Cause(f"{where}.{extra}", "FieldValueForbidden", text)
        for kind, field in (
            ("hostPath", "path"), ("secret", "secretName"), ("configMap", "name"), ("persistentVolumeClaim", "claimName"),
        ):  # fmt: skip
            if volume.get(kind) is not None and not volume[kind].get(field):
                yield required(f"{where}.{kind}.{field}")
        for kind in ("secret", "configMap", "downwardAPI", "projected"):
            mode = (volume.get(kind) or {}).get("defaultMode")
            if mode is not None and not 0 <= mode <= 0o777:
                text = "must be a number between 0 and 0777 (octal), both inclusive"
                yield invalid(f"{where}.{kind}.defaultMode", mode, text)


def _toleration(toleration: JsonObject, path: str) -> Iterator[Cause]:
    key, effect = toleration.get("key") or "", toleration.get("effect") or ""
    operator = toleration.get("operator") or "Equal"
    if key:
        yield from label_causes(f"{path}.key", {key: ""})
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{path}.operator", operator, text)
    if operator not in _OPERATORS:
        yield not_supported(f"{path}.operator", operator, _OPERATORS[:2])
    elif operator == "Exists" and toleration.get("value"):
        yield invalid(f"{path}.operator", toleration["value"], "value must be empty when `operator` is 'Exists'")
    if effect and effect not in EFFECTS:
        yield not_supported(f"{path}.effect", effect, EFFECTS)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")


def _spread(spread: JsonObject, path: str) -> Iterator[Cause]:
    if (spread.get("maxSkew") or 0) <= 0:
        yield invalid(f"{path}.maxSkew", spread.get("maxSkew") or 0, "must be greater than zero")
    if not spread.get("topologyKey"):
        yield required(f"{path}.topologyKey", "can not be empty")
    choices = ("DoNotSchedule", "ScheduleAnyway")
    if spread.get("whenUnsatisfiable") not in choices:
        yield not_supported(f"{path}.whenUnsatisfiable", spread.get("whenUnsatisfiable", ""), choices)
    yield from label_selector(spread.get("labelSelector") or {}, f"{path}.labelSelector")
