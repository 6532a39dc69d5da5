"""The rules of Pods, workloads and Services that the schema does not know.

Each function looks at one shape and returns what is wrong with it, with upstream's paths and sentences.

Models: pkg/apis/core/validation/validation.go, pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from k8slab.apimachinery.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.metadata import LABEL, SUBDOMAIN, label_causes, name_faults

RESTART_POLICIES = ("Always", "OnFailure", "Never")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
FULL_RESOURCE = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
ENV_NAME = re.compile(r"[^=]+")
PERCENT = re.compile(r"[0-9]+%")


def pod(obj: JsonObject) -> list[Cause]:
    """A Pod."""
    return list(pod_spec(obj.get("spec") or {}, "spec"))


def pod_spec(spec: JsonObject, path: str) -> Iterator[Cause]:
    """A Pod's spec, or that of a template."""
    volumes: dict[str, Any] = {}
    for number, volume in enumerate(spec.get("volumes") or []):
        where = f"{path}.volumes[{number}].name"
        name = volume.get("name", "")
        if name in volumes:
            yield duplicate(where, name)
        yield from (invalid(where, name, fault) for fault in name_faults(name, LABEL)) if name else (required(where),)
        volumes[name] = volume
    names: set[str] = set()
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    for key in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(key) or []):
            where = f"{path}.{key}[{number}]"
            yield from _container(container, where, volumes)
            name = container.get("name", "")
            if name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
    yield from _host_ports(spec, path)
    if spec.get("restartPolicy") not in RESTART_POLICIES:
        yield not_supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), RESTART_POLICIES)
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        yield not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), DNS_POLICIES)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"], NOT_NEGATIVE)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
    if name := spec.get("nodeName"):
        yield from (invalid(f"{path}.nodeName", name, fault) for fault in name_faults(name, SUBDOMAIN))
    if hostname := spec.get("hostname"):
        yield from (invalid(f"{path}.hostname", hostname, fault) for fault in name_faults(hostname, LABEL))
    yield from label_causes(f"{path}.nodeSelector", spec.get("nodeSelector") or {})
    for number, toleration in enumerate(spec.get("tolerations") or []):
        yield from _toleration(toleration, f"{path}.tolerations[{number}]")


def _container(container: JsonObject, path: str, volumes: Mapping[str, Any]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from (invalid(f"{path}.name", name, fault) for fault in name_faults(name, LABEL))
    image = container.get("image", "")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    if container.get("imagePullPolicy") not in PULL_POLICIES:
        yield not_supported(f"{path}.imagePullPolicy", container.get("imagePullPolicy", ""), PULL_POLICIES)
    yield from _ports(container.get("ports") or [], f"{path}.ports")
    for number, env in enumerate(container.get("env") or []):
        where = f"{path}.env[{number}]"
        if not env.get("name"):
            yield required(f"{where}.name")
        elif not ENV_NAME.fullmatch(env["name"]):
            text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid(f"{where}.name", env["name"], text)
        if env.get("value") and env.get("valueFrom"):
            yield invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
    mounted: set[str] = set()
    for number, mount in enumerate(container.get("volumeMounts") or []):
        where = f"{path}.volumeMounts[{number}]"
        if mount.get("name") not in volumes:
            yield Cause(f"{where}.name", "FieldValueNotFound", f'Not found: "{mount.get("name", "")}"')
        if not mount.get("mountPath"):
            yield required(f"{where}.mountPath")
        elif mount["mountPath"] in mounted:
            yield invalid(f"{where}.mountPath", mount["mountPath"], "must be unique")
        mounted.add(mount.get("mountPath", ""))
    yield from _resources(container.get("resources") or {}, f"{path}.resources")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            yield from _probe(container[probe], f"{path}.{probe}", probe)


def _ports(ports: list[JsonObject], path: str) -> Iterator[Cause]:
    names: set[str] = set()
    for number, port in enumerate(ports):
        where = f"{path}[{number}]"
        name = port.get("name", "")
        if name:
            if len(name) > 15:
                yield invalid(f"{where}.name", name, "must be no more than 15 characters")
            elif not re.fullmatch(r"[-a-z0-9]+", name) or not re.search(r"[a-z]", name) or name[0] == "-" or name[-1] == "-":
                yield invalid(f"{where}.name", name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
            if name in names:
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


def _host_ports(spec: JsonObject, path: str) -> Iterator[Cause]:
    taken: set[tuple[Any, ...]] = set()
    for number, container in enumerate(spec.get("containers") or []):
        for index, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            what = (port.get("protocol"), port.get("hostIP", ""), port["hostPort"])
            if what in taken:
                shown = f"{what[0]}/{what[1]}/{what[2]}"
                yield duplicate(f"{path}.containers[{number}].ports[{index}].hostPort", shown)
            taken.add(what)


def _resources(resources: JsonObject, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for key, table in (("limits", limits), ("requests", requests)):
        for name, value in table.items():
            where = f"{path}.{key}[{name}]"
            if not FULL_RESOURCE.fullmatch(name) or (
                "/" not in name and name not in ("cpu", "memory", "ephemeral-storage") and not name.startswith("hugepages-")
            ):
                yield invalid(where, name, "must be a standard resource for containers")
            if parse_quantity(value) < 0:
                yield invalid(where, str(value), NOT_NEGATIVE)
    for name, value in requests.items():
        if name in limits and parse_quantity(value) > parse_quantity(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", str(value), text)


def _probe(probe: JsonObject, path: str, kind: str) -> Iterator[Cause]:
    handlers = [name for name in ("exec", "httpGet", "tcpSocket", "grpc") if probe.get(name)]
    if not handlers:
        yield required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if (probe.get(name) or 0) < 0:
            yield invalid(f"{path}.{name}", probe[name], NOT_NEGATIVE)
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _toleration(toleration: JsonObject, path: str) -> Iterator[Cause]:
    operator = toleration.get("operator") or "Equal"
    if operator not in ("Equal", "Exists"):
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if not toleration.get("key") and operator != "Exists":
        text = "operator must be Exists when `key` is empty, which means \"match all values and all keys\""
        yield invalid(f"{path}.operator", operator, text)
    if toleration.get("effect") not in (None, "", "NoSchedule", "PreferNoSchedule", "NoExecute"):
        yield not_supported(f"{path}.effect", toleration["effect"], ("NoSchedule", "PreferNoSchedule", "NoExecute"))


def workload(obj: JsonObject, always_restarts: bool = True) -> list[Cause]:
    """What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common: selector, template, replicas."""
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    if (spec.get("replicas") or 0) < 0:
        causes.append(invalid("spec.replicas", spec["replicas"], NOT_NEGATIVE))
    for name in ("minReadySeconds", "revisionHistoryLimit"):
        if (spec.get(name) or 0) < 0:
            causes.append(invalid(f"spec.{name}", spec[name], NOT_NEGATIVE))
    selector = spec.get("selector")
    if not selector:
        causes.append(required("spec.selector"))
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        kind = obj["kind"].lower()
        causes.append(invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    else:
        causes += _selector(spec, selector)
    template = spec.get("template") or {}
    inner = template.get("spec") or {}
    causes += label_causes("spec.template.labels", (template.get("metadata") or {}).get("labels") or {})
    causes += pod_spec(inner, "spec.template.spec")
    if always_restarts and inner.get("restartPolicy") not in ("Always", None):
        if inner.get("restartPolicy") in RESTART_POLICIES:
            causes.append(not_supported("spec.template.spec.restartPolicy", inner["restartPolicy"], ("Always",)))
    return causes


def _selector(spec: JsonObject, selector: JsonObject) -> Iterator[Cause]:
    yield from label_causes("spec.selector.matchLabels", selector.get("matchLabels") or {})
    try:
        matches = from_label_selector(selector)
    except ValueError as fault:
        yield invalid("spec.selector", selector, str(fault))
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not matches.matches(labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def deployment(obj: JsonObject) -> list[Cause]:
    """A Deployment."""
    causes = workload(obj)
    spec = obj.get("spec") or {}
    strategy = spec.get("strategy") or {}
    if strategy.get("type") not in ("Recreate", "RollingUpdate"):
        causes.append(not_supported("spec.strategy.type", strategy.get("type", ""), ("Recreate", "RollingUpdate")))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        text = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden("spec.strategy.rollingUpdate", text))
    elif rolling is not None:
        for name in ("maxUnavailable", "maxSurge"):
            causes += _int_or_percent(rolling.get(name), f"spec.strategy.rollingUpdate.{name}")
        if all(_is_zero(rolling.get(name)) for name in ("maxUnavailable", "maxSurge")):
            value = rolling.get("maxUnavailable")
            text = "may not be 0 when `maxSurge` is 0"
            causes.append(invalid("spec.strategy.rollingUpdate.maxUnavailable", value, text))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        causes.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _is_zero(value: Any) -> bool:
    return value in (0, "0%")


def _int_or_percent(value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, str):
        if not PERCENT.fullmatch(value):
            text = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
            yield invalid(path, value, text)
        elif path.endswith("maxUnavailable") and int(value[:-1]) > 100:
            yield invalid(path, value, "must not be greater than 100%")
    elif isinstance(value, int) and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def immutable(obj: JsonObject, old: JsonObject, *fields: str) -> list[Cause]:
    """Fields of the spec that stay as they were."""
    new_spec, old_spec = obj.get("spec") or {}, old.get("spec") or {}
    return [
        invalid(f"spec.{field}", new_spec.get(field), "field is immutable")
        for field in fields
        if new_spec.get(field) != old_spec.get(field)
    ]


def service(obj: JsonObject) -> list[Cause]:
    """A Service."""
    spec = obj.get("spec") or {}
    types = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    causes: list[Cause] = []
    if spec.get("type") not in types:
        causes.append(not_supported("spec.type", spec.get("type", ""), types))
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec.get("type") != "ExternalName":
        causes.append(required("spec.ports"))
    names: set[str] = set()
    numbers: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        name = port.get("name", "")
        if not name and len(ports) > 1:
            causes.append(required(f"{path}.name"))
        elif name:
            causes += [invalid(f"{path}.name", name, fault) for fault in name_faults(name, LABEL)]
            if name in names:
                causes.append(duplicate(f"{path}.name", name))
        names.add(name)
        if not 1 <= (port.get("port") or 0) <= 65535:
            causes.append(invalid(f"{path}.port", port.get("port", 0), PORT_RANGE))
        if port.get("protocol") not in PROTOCOLS:
            causes.append(not_supported(f"{path}.protocol", port.get("protocol", ""), PROTOCOLS))
        what = (port.get("protocol"), port.get("port"))
        if what in numbers:
            causes.append(duplicate(path, {"port": port.get("port"), "protocol": port.get("protocol")}))
        numbers.add(what)
    causes += label_causes("spec.selector", spec.get("selector") or {})
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        causes.append(required("spec.externalName"))
    return causes


KEY = re.compile(r"[-._a-zA-Z0-9]+")


def data_keys(obj: JsonObject) -> list[Cause]:
    """The keys of a ConfigMap or a Secret."""
    causes = []
    for field in ("data", "binaryData"):
        for key in obj.get(field) or {}:
            if not KEY.fullmatch(key) or len(key) > 253 or key in (".", ".."):
                text = (
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                )
                causes.append(invalid(f"{field}[{key}]", key, text))
    return causes
