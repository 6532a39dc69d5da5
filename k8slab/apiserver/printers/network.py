"""How Services and what belongs to them are shown.

Models: pkg/printers/internalversion/printers.go (printService, printEndpoints, printEndpointSlice, printIngress, ...).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.printers.cells import (
    NONE,
    UNSET,
    Printer,
    age,
    columns,
    labels_text,
    name,
    selector_text,
    spec,
    status,
)

SHOWN = 3
"""How many of a list are shown; the rest is counted."""


def _some(items: list[str], total: int | None = None) -> str:
    """A list, cut."""
    total = len(items) if total is None else total
    if not items:
        return NONE
    return ",".join(items[:SHOWN]) + (f" + {total - SHOWN} more..." if total > SHOWN else "")


def _addresses(obj: JsonObject) -> list[str]:
    """What a load balancer gave."""
    found = (status(obj).get("loadBalancer") or {}).get("ingress") or []
    return [
        str(each.get("ip") or each.get("hostname") or "") for each in found if each.get("ip") or each.get("hostname")
    ]


def _external(obj: JsonObject) -> str:
    own, external = spec(obj), list(spec(obj).get("externalIPs") or [])
    kind = own.get("type")
    if kind == "ExternalName":
        return str(own.get("externalName", ""))
    if kind == "LoadBalancer":
        found = _addresses(obj) + external
        return ",".join(found) if found else "<pending>"
    return ",".join(external) if external else NONE


def _port(port: JsonObject) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node}/{port.get('protocol', '')}"


def _service(obj: JsonObject, now: float) -> list[Any]:
    ports = ",".join(_port(each) for each in spec(obj).get("ports") or [])
    return [
        name(obj), spec(obj).get("type") or "", spec(obj).get("clusterIP") or NONE, _external(obj), ports or NONE,
        age(obj, now), labels_text(spec(obj).get("selector")),
    ]  # fmt: skip


def _endpoints(obj: JsonObject, now: float) -> list[Any]:
    found = []
    for subset in obj.get("subsets") or []:
        addresses = subset.get("addresses") or []
        ports = subset.get("ports") or []
        found += [f"{each.get('ip')}:{port.get('port')}" for port in ports for each in addresses]
        found += [str(each.get("ip")) for each in addresses] if not ports else []
    return [name(obj), _some(found), age(obj, now)]


def _endpoint_slice(obj: JsonObject, now: float) -> list[Any]:
    given = obj.get("ports")
    ports = UNSET if not given else _some([str(each.get("port") or "*") for each in given])
    addresses = [address for each in obj.get("endpoints") or [] for address in each.get("addresses") or []]
    return [name(obj), obj.get("addressType", ""), ports, _some(addresses) if addresses else UNSET, age(obj, now)]


def _ingress(obj: JsonObject, now: float) -> list[Any]:
    hosts = [each["host"] for each in spec(obj).get("rules") or [] if each.get("host")]
    total = len(hosts)
    ports = "80, 443" if spec(obj).get("tls") else "80"
    return [
        name(obj), spec(obj).get("ingressClassName") or NONE, _some(hosts, total) if hosts else "*",
        ",".join(_addresses(obj)), ports, age(obj, now),
    ]  # fmt: skip


def _ingress_class(obj: JsonObject, now: float) -> list[Any]:
    given = spec(obj).get("parameters") or {}
    text = NONE
    if given:
        text = f"{given.get('kind', '')}.{given['apiGroup']}/" if given.get("apiGroup") else f"{given.get('kind', '')}/"
        text += given.get("name", "")
    return [name(obj), spec(obj).get("controller", ""), text, age(obj, now)]


def _network_policy(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), selector_text(spec(obj).get("podSelector") or {}), age(obj, now)]


def _ip_address(obj: JsonObject, now: float) -> list[Any]:
    parent = spec(obj).get("parentRef") or {}
    parts = [parent.get("resource", ""), parent.get("namespace", ""), parent.get("name", "")]
    return [name(obj), "/".join(part for part in parts if part) or NONE, age(obj, now)]


def _service_cidr(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), ",".join(spec(obj).get("cidrs") or []), age(obj, now)]


PRINTERS = {
    ("", "endpoints"): Printer(columns("Name, Endpoints, Age"), _endpoints),
    ("", "services"): Printer(columns("Name, Type, Cluster-IP, External-IP, Port(s), Age | Selector"), _service),
    ("discovery.k8s.io", "endpointslices"): Printer(
        columns("Name, AddressType, Ports, Endpoints, Age"), _endpoint_slice
    ),
    ("networking.k8s.io", "ingressclasses"): Printer(columns("Name, Controller, Parameters, Age"), _ingress_class),
    ("networking.k8s.io", "ingresses"): Printer(columns("Name, Class, Hosts, Address, Ports, Age"), _ingress),
    ("networking.k8s.io", "ipaddresses"): Printer(columns("Name, ParentRef, Age"), _ip_address),
    ("networking.k8s.io", "networkpolicies"): Printer(columns("Name, Pod-Selector, Age"), _network_policy),
    ("networking.k8s.io", "servicecidrs"): Printer(columns("Name, CIDRs, Age"), _service_cidr),
}
