"""Addresses of Services: cluster IPs and node ports, each held by one Service only.

The Services in the store are the only record of who holds what: nothing can leak, and nothing needs to be given back.
Which address a Service gets depends on the seed, its name and what is taken. The lower part of each range is left to
those who ask for an address by its number.

Models: pkg/registry/core/service/ipallocator, portallocator, storage/alloc.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from k8slab.apimachinery.errors import Cause, InternalError, Invalid, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.names import Chance

SERVICES = RESOURCES["", "services"]
FIRST_PORT, LAST_PORT = 30000, 32767
STATIC_PORTS = 86
"""min(max(16, size/32), 128) ports at the lower end."""
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
TRIES = 64
"""Draws before the range is searched from its beginning."""


class ServiceIPs:
    """Who gets which address."""

    def __init__(self, registry: Registry, chance: Chance, service_cidr: str) -> None:
        self._registry, self._chance = registry, chance
        self._network = ipaddress.ip_network(service_cidr)
        # min(max(16, size/16), 256): the addresses below are for those who name one.
        self._static = min(max(16, self._network.num_addresses // 16), 256)

    def allocate(self, service: JsonObject, old: JsonObject | None, *, dry_run: bool = False) -> None:
        """Give a Service what it needs, in place. Raises Invalid if what it asks for is taken, or out of range.

        The addresses are its own once the Service is stored; until then, and in a dry run, they are a proposal.
        """
        spec, owner = service["spec"], _owner(service)
        addresses, ports = self._taken(owner)
        if spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
            address = spec.get("clusterIP") or ""
            if not address:
                address = self._free_address(owner, addresses)
            elif (old or {}).get("spec", {}).get("clusterIP") != address:
                self._check_address(service, address, addresses)
            spec["clusterIP"], spec["clusterIPs"] = address, [address]
        elif spec.get("clusterIP") == "None":
            spec["clusterIPs"] = ["None"]
        if spec.get("type") == "NodePort" or (
            spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
        ):
            self._give_ports(service, owner, ports)

    def _taken(self, owner: str) -> tuple[set[str], set[tuple[str, int]]]:
        """(addresses, node ports by protocol) that other Services hold."""
        addresses: set[str] = set()
        ports: set[tuple[str, int]] = set()
        for service in self._registry.list(SERVICES).items:
            if _owner(service) == owner:
                continue
            spec = service.get("spec") or {}
            addresses.add(spec.get("clusterIP") or "None")
            ports.update(
                (each["protocol"], each["nodePort"]) for each in spec.get("ports") or [] if each.get("nodePort")
            )
        return addresses, ports

    def _check_address(self, service: JsonObject, address: str, taken: set[str]) -> None:
        path = "spec.clusterIPs"
        try:
            inside = ipaddress.ip_address(address) in self._network
        except ValueError:
            text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            raise _refusal(service, invalid(f"{path}[0]", address, text)) from None
        failed = f"failed to allocate IP {address}: "
        if not inside:
            text = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {self._network}"
            raise _refusal(service, invalid(path, [address], failed + text))
        if address in taken:
            raise _refusal(service, invalid(path, [address], failed + "provided IP is already allocated"))

    def _give_ports(self, service: JsonObject, owner: str, taken: set[tuple[str, int]]) -> None:
        given = service["spec"].get("ports") or []
        for number, port in enumerate(given):
            asked, path = port.get("nodePort"), f"spec.ports[{number}].nodePort"
            if not asked:
                continue
            if not FIRST_PORT <= asked <= LAST_PORT:
                text = f"provided port is not in the valid range. The range of valid ports is {FIRST_PORT}-{LAST_PORT}"
                raise _refusal(service, invalid(path, asked, text))
            if (port["protocol"], asked) in taken:
                raise _refusal(service, invalid(path, asked, "provided port is already allocated"))
        # A number that one asks for is not given to another, of whatever protocol.
        numbers = {number for _, number in taken} | {port["nodePort"] for port in given if port.get("nodePort")}
        for number, port in enumerate(given):
            if not port.get("nodePort"):
                port["nodePort"] = next(each for each in self._ports_for(owner, number) if each not in numbers)
                numbers.add(port["nodePort"])

    def _free_address(self, owner: str, taken: set[str]) -> str:
        first, size = int(self._network.network_address), self._network.num_addresses - 2
        upper = max(1, size - self._static)
        for attempt in range(TRIES):
            offset = self._static + 1 + self._chance.integer("clusterIP", (owner, attempt)) % upper
            address = str(ipaddress.ip_address(first + min(offset, size)))
            if address not in taken:
                return address
        for offset in range(size, 0, -1):
            address = str(ipaddress.ip_address(first + offset))
            if address not in taken:
                return address
        raise InternalError("failed to allocate a serviceIP: range is full")

    def _ports_for(self, owner: str, number: int) -> Iterator[int]:
        span = LAST_PORT - FIRST_PORT - STATIC_PORTS + 1
        for attempt in range(TRIES):
            yield FIRST_PORT + STATIC_PORTS + self._chance.integer("nodePort", (owner, number, attempt)) % span
        yield from range(LAST_PORT, FIRST_PORT - 1, -1)
        raise InternalError("failed to allocate a nodePort: range is full")


def _owner(service: JsonObject) -> str:
    return f"{service['metadata'].get('namespace', '')}/{service['metadata'].get('name', '')}"


def _refusal(service: JsonObject, cause: Cause) -> Invalid:
    return Invalid.object("Service", "", service["metadata"].get("name", ""), [cause])
