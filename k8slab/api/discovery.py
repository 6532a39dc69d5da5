"""Services, and where they lead: EndpointSlices, and the older Endpoints.

Models: k8s.io/api/core/v1/types.go (Service, Endpoints), k8s.io/api/discovery/v1/types.go (EndpointSlice).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from k8slab.apimachinery.meta import no_entries
from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.scheme import Resource


class ServicePort(View):
    """A port of a Service, and the port of the Pods behind it: a number, or the name that the Pods give it."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    app_protocol: str | None = None
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(View):
    """Which Pods a Service leads to, and how."""

    selector: Mapping[str, str] = no_entries()
    ports: tuple[ServicePort, ...] = ()
    type: str = "ClusterIP"
    cluster_ip: str = ""
    ip_families: tuple[str, ...] = ()
    publish_not_ready_addresses: bool = False


class Service(KubeObject):
    """One name and address for a changing set of Pods."""

    resource: ClassVar = Resource("", "v1", "services", "Service")

    spec: ServiceSpec = ServiceSpec()

    @property
    def headless(self) -> bool:
        """Whether it has no address of its own: its name leads to the Pods' addresses."""
        return self.spec.cluster_ip == "None"


class EndpointSlice(KubeObject):
    """Up to a hundred of the addresses that a Service leads to."""

    resource: ClassVar = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")

    address_type: str = ""
    endpoints: tuple[Mapping[str, Any], ...] | None = None
    ports: tuple[Mapping[str, Any], ...] | None = None


class Endpoints(KubeObject):
    """All of a Service's addresses in one object, which has its name."""

    resource: ClassVar = Resource("", "v1", "endpoints", "Endpoints")

    subsets: tuple[Mapping[str, Any], ...] | None = None
