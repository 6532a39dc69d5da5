"""Addresses of Services: cluster IPs and node ports, each given to one Service only.

The allocations are kept in memory and rebuilt from the Services themselves when the server starts: the objects are the
truth. Which address a Service gets depends on the seed and its name.

Models: pkg/registry/core/service/ipallocator, portallocator (the static band is left to those who ask for an address).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from k8slab.apimachinery.errors import Invalid, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.names import Chance

SERVICES = RESOURCES["", "services"]
FIRST_PORT, LAST_PORT = 30000, 32767
STATIC_PORTS = 86
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
TRIES = 1000


class ServiceIPs:
    """Who has which address."""

    def __init__(self, registry: Registry, chance: Chance, service_cidr: str) -> None:
        self._registry, self._chance = registry, chance
        self._network = ipaddress.ip_network(service_cidr)
        # min(max(16, size/16), 256): the addresses below are for those who name one.
        self._static = min(max(16, self._network.num_addresses // 16), 256)
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, str] = {}
        for service in registry.list(SERVICES).items:
            self._take(service)

    def allocate(self, service: JsonObject, old: JsonObject | None, *, dry_run: bool) -> None:
        """Give a Service what it needs, in place. Raises Invalid if what it asks for is taken, or out of range."""
        spec = service["spec"]
        owner = _owner(service)
        if old is not None:
            self.release(old)
        try:
            if spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
                spec["clusterIP"] = spec.get("clusterIP") or self._free_address(owner)
                self._check_address(service, spec["clusterIP"])
                spec["clusterIPs"] = [spec["clusterIP"]]
            if spec.get("type") in WITH_NODE_PORTS:
                self._give_ports(service, owner)
        finally:
            if old is not None:
                self._take(old)
        if not dry_run:
            if old is not None:
                self.release(old)
            self._take(service)

    def release(self, service: JsonObject) -> None:
        """Take back what a Service had."""
        owner = _owner(service)
        for table in (self._addresses, self._ports):
            for key in [key for key, holder in table.items() if holder == owner]:
                del table[key]  # type: ignore[arg-type]

    def _take(self, service: JsonObject) -> None:
        owner, spec = _owner(service), service.get("spec") or {}
        if spec.get("clusterIP") not in (None, "", "None"):
            self._addresses[spec["clusterIP"]] = owner
        for port in spec.get("ports") or []:
            if port.get("nodePort"):
                self._ports[port["nodePort"]] = owner

    def _check_address(self, service: JsonObject, address: str) -> None:
        path = "spec.clusterIPs"
        try:
            inside = ipaddress.ip_address(address) in self._network
        except ValueError:
            raise _refusal(service, "spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") from None
        if not inside:
            why = f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. The range of valid IPs is {self._network}"
            raise _refusal(service, path, [address], why)
        if self._addresses.get(address, _owner(service)) != _owner(service):
            raise _refusal(service, path, [address], f"failed to allocate IP {address}: provided IP is already allocated")

    def _give_ports(self, service: JsonObject, owner: str) -> None:
        taken = dict(self._ports)
        for number, port in enumerate(service["spec"].get("ports") or []):
            asked = port.get("nodePort")
            path = f"spec.ports[{number}].nodePort"
            if not asked:
                port["nodePort"] = asked = next(each for each in self._ports_for(owner, number) if each not in taken)
            elif not FIRST_PORT <= asked <= LAST_PORT:
                why = f"provided port is not in the valid range. The range of valid ports is {FIRST_PORT}-{LAST_PORT}"
                raise _refusal(service, path, asked, why)
            elif asked in taken:
                raise _refusal(service, path, asked, "provided port is already allocated")
            taken[asked] = owner

    def _free_address(self, owner: str) -> str:
        first = int(self._network.network_address)
        span = self._network.num_addresses - self._static - 2
        for attempt in range(TRIES):
            offset = self._static + 1 + self._chance.integer("clusterIP", (owner, attempt)) % span
            address = str(ipaddress.ip_address(first + offset))
            if address not in self._addresses:
                return address
        raise RuntimeError("range is full")

    def _ports_for(self, owner: str, number: int) -> Iterator[int]:
        span = LAST_PORT - FIRST_PORT - STATIC_PORTS + 1
        for attempt in range(TRIES):
            yield FIRST_PORT + STATIC_PORTS + self._chance.integer("nodePort", (owner, number, attempt)) % span
        yield from range(FIRST_PORT, LAST_PORT + 1)


def _owner(service: JsonObject) -> str:
    return f"{service['metadata'].get('namespace', '')}/{service['metadata']['name']}"


def _refusal(service: JsonObject, path: str, value: object, why: str) -> Invalid:
    return Invalid.object("Service", "", service["metadata"]["name"], [invalid(path, value, why)])
