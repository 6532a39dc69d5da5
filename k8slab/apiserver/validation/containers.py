"""The rules of containers: names, images, ports, environment, resources, mounts, probes.

Models: pkg/apis/core/validation/validation.go (validateContainers, validateProbe, ValidateContainerResourceRequirements).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from k8slab.apimachinery.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.metadata import LABEL
from k8slab.apiserver.validation.common import (
    NOT_NEGATIVE,
    PORT_RANGE,
    PROTOCOLS,
    named,
    not_negative,
    port_name_faults,
    target_port,
)

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
NATIVE_RESOURCES = ("cpu", "memory", "ephemeral-storage")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_ENV_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_RESOURCE_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def container_causes(container: JsonObject, path: str, volumes: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with one container."""
    yield from named(container.get("name", ""), f"{path}.name", LABEL)
    image = container.get("image") or ""
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    if container.get("imagePullPolicy") not in PULL_POLICIES:
        yield not_supported(f"{path}.imagePullPolicy", container.get("imagePullPolicy", ""), PULL_POLICIES)
    if container.get("terminationMessagePolicy") not in MESSAGE_POLICIES:
        found = container.get("terminationMessagePolicy", "")
        yield not_supported(f"{path}.terminationMessagePolicy", found, MESSAGE_POLICIES)
    if container.get("ports"):
        yield from _ports(container["ports"], f"{path}.ports")
    if container.get("env"):
        yield from _environment(container["env"], f"{path}.env")
    if container.get("volumeMounts"):
        yield from _mounts(container["volumeMounts"], f"{path}.volumeMounts", volumes)
    if container.get("resources"):
        yield from resource_causes(container["resources"], f"{path}.resources")
    for name in PROBES:
        if container.get(name) is not None:
            yield from _probe(container[name], f"{path}.{name}", name)
    for name, hook in (container.get("lifecycle") or {}).items():
        if isinstance(hook, dict):
            yield from _handler(hook, f"{path}.lifecycle.{name}")


def _ports(ports: list[JsonObject], path: str) -> Iterator[Cause]:
    names: set[str] = set()
    for number, port in enumerate(ports):
        where, name = f"{path}[{number}]", port.get("name") or ""
        if name:
            faults = list(port_name_faults(name))
            yield from (invalid(f"{where}.name", name, fault) for fault in faults)
            if not faults and name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
        if not port.get("containerPort"):
            yield required(f"{where}.containerPort")
        elif not 1 <= port["containerPort"] <= 65535:
            yield invalid(f"{where}.containerPort", port["containerPort"], PORT_RANGE)
        if port.get("hostPort") and not 1 <= port["hostPort"] <= 65535:
            yield invalid(f"{where}.hostPort", port["hostPort"], PORT_RANGE)
        if port.get("protocol") not in PROTOCOLS:
            yield not_supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS)


_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def _environment(variables: list[JsonObject], path: str) -> Iterator[Cause]:
    for number, variable in enumerate(variables):
        where = f"{path}[{number}]"
        if not variable.get("name"):
            yield required(f"{where}.name")
        elif not _ENV_NAME.fullmatch(variable["name"]):
            yield invalid(f"{where}.name", variable["name"], _ENV_TEXT)
        source = variable.get("valueFrom")
        if source is None:
            continue
        given = [name for name in _ENV_SOURCES if source.get(name) is not None]
        if not given:
            text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            yield invalid(f"{where}.valueFrom", "", text)
        elif variable.get("value"):
            yield invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
        elif len(given) > 1:
            yield invalid(f"{where}.valueFrom", "", "may not have more than one field specified at a time")


def _mounts(mounts: list[JsonObject], path: str, volumes: Mapping[str, Any]) -> Iterator[Cause]:
    places: set[str] = set()
    for number, mount in enumerate(mounts):
        where, name, place = f"{path}[{number}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{where}.name")
        if name not in volumes:
            yield Cause(f"{where}.name", "FieldValueNotFound", f'Not found: "{name}"')
        if not place:
            yield required(f"{where}.mountPath")
        elif place in places:
            yield invalid(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        if ".." in (mount.get("subPath") or "").split("/"):
            yield invalid(f"{where}.subPath", mount["subPath"], "must not contain '..'")
        elif (mount.get("subPath") or "").startswith("/"):
            yield invalid(f"{where}.subPath", mount["subPath"], "must be a relative path")


def resource_causes(resources: JsonObject, path: str) -> Iterator[Cause]:
    """What is wrong with requests and limits."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for key, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            where = f"{path}.{key}[{name}]"
            if not _RESOURCE_NAME.fullmatch(name):
                yield invalid(where, name, "a valid resource name must be a qualified name")
            elif "/" not in name and name not in NATIVE_RESOURCES and not name.startswith("hugepages-"):
                yield invalid(where, name, "must be a standard resource for containers")
            if (amount := _amount(value)) is not None and amount < 0:
                yield invalid(where, str(value), NOT_NEGATIVE)
    for name, value in requests.items():
        request, limit = _amount(value), _amount(limits.get(name))
        if request is not None and limit is not None and request > limit:
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", str(value), text)


def _amount(value: Any) -> Any:
    """A quantity; None for what is none, which the schema tells."""
    try:
        return None if value is None else parse_quantity(value)
    except ValueError:
        return None


def _probe(probe: JsonObject, path: str, kind: str) -> Iterator[Cause]:
    yield from _handler(probe, path)
    numbers = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    yield from not_negative(probe, path, *numbers)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and kind == "readinessProbe":
        text = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, text)
    elif grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if kind != "readinessProbe" and (probe.get("successThreshold") or 1) != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _handler(handler: JsonObject, path: str) -> Iterator[Cause]:
    """Exactly one way to act."""
    given = [name for name in HANDLERS if handler.get(name) is not None]
    if not given:
        yield required(path, "must specify a handler type")
    for extra in given[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if "exec" in given and not handler["exec"].get("command"):
        yield required(f"{path}.exec.command")
    if "httpGet" in given:
        yield from target_port(handler["httpGet"].get("port"), f"{path}.httpGet.port")
        if handler["httpGet"].get("scheme") not in ("HTTP", "HTTPS"):
            yield not_supported(f"{path}.httpGet.scheme", handler["httpGet"].get("scheme", ""), ("HTTP", "HTTPS"))
    if "tcpSocket" in given:
        yield from target_port(handler["tcpSocket"].get("port"), f"{path}.tcpSocket.port")
