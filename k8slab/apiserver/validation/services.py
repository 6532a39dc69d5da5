"""The rules of Services. Whether an address or a node port is free is asked later, of service_ip.py.

Models: pkg/apis/core/validation/validation.go (ValidateService, validateServicePort).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8slab.apimachinery.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.metadata import LABEL, SUBDOMAIN, label_causes
from k8slab.apiserver.validation.common import PORT_RANGE, PROTOCOLS, named, target_port

SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def validate_service(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Service."""
    spec, causes = obj["spec"], []
    kind, ports = spec.get("type"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if kind not in SERVICE_TYPES:
        causes.append(not_supported("spec.type", kind or "", SERVICE_TYPES))
    if not ports and not headless and kind != "ExternalName":
        causes.append(required("spec.ports"))
    if kind in ("NodePort", "LoadBalancer") and headless:
        text = f"may not be set to 'None' for {kind} services"
        causes.append(invalid("spec.clusterIPs[0]", "None", text))
    if kind == "ExternalName":
        if spec.get("clusterIP"):
            causes.append(forbidden("spec.clusterIPs", "may not be set for ExternalName services"))
        causes += named(spec.get("externalName", "").rstrip("."), "spec.externalName", SUBDOMAIN)
    causes += _service_ports(ports, kind)
    causes += label_causes("spec.selector", spec.get("selector") or {})
    if spec.get("sessionAffinity") not in ("ClientIP", "None"):
        causes.append(not_supported("spec.sessionAffinity", spec.get("sessionAffinity", ""), ("ClientIP", "None")))
    for field in ("internalTrafficPolicy", "externalTrafficPolicy"):
        if spec.get(field) not in (None, "Cluster", "Local"):
            causes.append(not_supported(f"spec.{field}", spec[field], ("Cluster", "Local")))
    if spec.get("externalTrafficPolicy") and kind not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
        text = "may only be set for externally-accessible services"
        causes.append(invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], text))
    return causes


def _service_ports(ports: list[JsonObject], kind: Any) -> Iterator[Cause]:
    names: set[str] = set()
    numbers: set[tuple[Any, Any]] = set()
    node_ports: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        path, name, protocol = f"spec.ports[{index}]", port.get("name") or "", port.get("protocol")
        if len(ports) > 1 or name:
            yield from named(name, f"{path}.name", LABEL)
        if name and name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        if not 1 <= (port.get("port") or 0) <= 65535:
            yield invalid(f"{path}.port", port.get("port") or 0, PORT_RANGE)
        if protocol not in PROTOCOLS:
            yield not_supported(f"{path}.protocol", protocol or "", PROTOCOLS)
        if port.get("targetPort") is not None:
            yield from target_port(port["targetPort"], f"{path}.targetPort")
        if port.get("nodePort") and kind in ("ClusterIP", "ExternalName"):
            yield forbidden(f"{path}.nodePort", f"may not be used when `type` is '{kind}'")
        if (protocol, port.get("port")) in numbers:
            yield duplicate(path, {"port": port.get("port"), "protocol": protocol})
        numbers.add((protocol, port.get("port")))
        if port.get("nodePort"):
            if (protocol, port["nodePort"]) in node_ports:
                yield duplicate(f"{path}.nodePort", port["nodePort"])
            node_ports.add((protocol, port["nodePort"]))
