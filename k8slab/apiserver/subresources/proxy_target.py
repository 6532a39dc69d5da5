"""Where a proxied request goes: from `web:8080`, the name in the path, to the address and port of a Pod.

A name is `[scheme:]name[:port]`. A Pod's port is a number, by default the first that one of its containers declares, else
80. A Service's port is a number or a name of its own ports, which its Pods may call otherwise (`targetPort`); without one
it must have a port without a name. Of its ready Pods one is drawn.

A Service's Pods are those that its Endpoints name, whoever has written them: the endpoints controller, or an administrator
for a Service without a selector. Where nobody has written any, k8slab asks the selector, so that a server by itself can do it.

Models: pkg/registry/core/pod/strategy.go (ResourceLocation), pkg/registry/core/service/storage/storage.go (the same),
k8s.io/apimachinery/pkg/util/net/port_split.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import ApiError, BadRequest, ServiceUnavailable
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import PODS

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

SERVICES, ENDPOINTS = RESOURCES["", "services"], RESOURCES["", "endpoints"]
DEFAULT_PORT = 80
SCHEMES = ("", "http", "https")
UNREACHED = "error trying to reach service: "
"""How the message begins when a Pod cannot be asked."""


@dataclass(frozen=True, slots=True)
class Target:
    """Who is asked."""

    ip: str
    port: int


def find_target(server: ApiServer, info: RequestInfo) -> Target:
    """Who answers for the Pod or Service that a request names. Raises BadRequest, NotFound, ServiceUnavailable."""
    kind = info.plural.removesuffix("s")
    scheme, name, port = _split(info.name, kind)
    if scheme == "https":
        raise ApiError(
            f"k8slab's proxy speaks plain HTTP only: ask for {kind} {name} without https:", code=501, reason=""
        )
    if info.plural == "pods":
        return _of_pod(server.registry.get(PODS, info.namespace, name), port)
    return _of_service(server, info, server.registry.get(SERVICES, info.namespace, name), port)


def _split(text: str, kind: str) -> tuple[str, str, str]:
    """(scheme, name, port), empty where left out."""
    scheme = port = ""
    match text.split(":"):
        case [name]:
            pass
        case [name, port]:
            pass
        case [scheme, name, port]:
            pass
        case _:
            name = ""
    if not name or scheme not in SCHEMES:
        raise BadRequest(f'invalid {kind} request "{text}"')
    return scheme, name, port


# Pods.


def _of_pod(pod: JsonObject, port: str) -> Target:
    declared = [
        each["containerPort"] for container in pod["spec"]["containers"] for each in container.get("ports") or []
    ]
    ip = (pod.get("status") or {}).get("podIP") or ""
    if not _may_be_asked(ip):
        raise BadRequest("address not allowed")
    return Target(ip, _number(port) if port else next(iter(declared), DEFAULT_PORT))


def _may_be_asked(ip: str) -> bool:
    """Whether it is one machine's address, and not this one's: nobody gets at the host's own ports through the proxy."""
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return not (found.is_unspecified or found.is_loopback or found.is_multicast or found.is_link_local)


def _number(port: str) -> int:
    if not port.isascii() or not port.isdigit():
        raise ServiceUnavailable(f"{UNREACHED}dial tcp: lookup tcp/{port}: unknown port")
    if not 0 < int(port) < 65536:
        raise ServiceUnavailable(f"{UNREACHED}dial tcp: address {port}: invalid port")
    return int(port)


# Services.


def _of_service(server: ApiServer, info: RequestInfo, service: JsonObject, port: str) -> Target:
    name = _port_name(service, port)
    endpoints = server.registry.find(ENDPOINTS, info.namespace, service["metadata"]["name"])
    ways = _by_endpoints(endpoints, name) if endpoints is not None else _by_selector(server, service, name)
    targets = list(ways)
    if not targets:
        raise ServiceUnavailable(f'no endpoints available for service "{info.name}"')
    return server.service_draws.choice(targets)


def _by_endpoints(endpoints: JsonObject, name: str) -> Iterator[Target]:
    """The ready addresses, at the port of that name."""
    if not any(subset.get("addresses") for subset in endpoints.get("subsets") or []):
        raise _nobody(endpoints)
    for subset in endpoints.get("subsets") or []:
        for port in subset.get("ports") or []:
            if port.get("name", "") == name:
                addresses = [each["ip"] for each in subset.get("addresses") or []]
                yield from (Target(ip, port["port"]) for ip in addresses if _may_be_asked(ip))


def _by_selector(server: ApiServer, service: JsonObject, name: str) -> Iterator[Target]:
    """The same, as the endpoints controller would find it."""
    ready = list(_ready_pods(server, service))
    if not ready:
        raise _nobody(service)
    for port in service["spec"].get("ports") or []:
        if port.get("name", "") == name:
            for pod in ready:
                if (number := _target_port(pod, port)) and _may_be_asked(pod["status"]["podIP"]):
                    yield Target(pod["status"]["podIP"], number)


def _nobody(service: JsonObject) -> ServiceUnavailable:
    return ServiceUnavailable(f'no endpoints available for service "{service["metadata"]["name"]}"')


def _port_name(service: JsonObject, port: str) -> str:
    """What the Service calls the port: a number is looked up, a name is taken as it is."""
    if not port.isascii() or not port.isdigit():
        return port
    for each in service["spec"].get("ports") or []:
        if each["port"] == int(port):
            return str(each.get("name", ""))
    raise ServiceUnavailable(f'no service port {int(port)} found for service "{service["metadata"]["name"]}"')


def _ready_pods(server: ApiServer, service: JsonObject) -> Iterator[JsonObject]:
    """Those that the endpoints controller would list as ready, by name."""
    spec = service["spec"]
    selector = spec.get("selector") or {}
    if not selector or spec.get("type") == "ExternalName":
        return
    for pod in server.registry.list(PODS, service["metadata"]["namespace"]).items:
        labels, status = pod["metadata"].get("labels") or {}, pod.get("status") or {}
        chosen = all(labels.get(key) == value for key, value in selector.items())
        gone = pod["metadata"].get("deletionTimestamp") or status.get("phase") in ("Succeeded", "Failed")
        if chosen and status.get("podIP") and not gone and (spec.get("publishNotReadyAddresses") or _is_ready(status)):
            yield pod


def _is_ready(status: JsonObject) -> bool:
    conditions = status.get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _target_port(pod: JsonObject, port: JsonObject) -> int:
    """The number of a Service's port at one Pod; 0 where it names a port that the Pod does not have."""
    wished = port.get("targetPort") or port["port"]
    if isinstance(wished, int):
        return wished
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or []:
            if each.get("name") == wished and each.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(each["containerPort"])
    return 0
