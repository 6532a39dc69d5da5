"""A server with the two controllers that write down where Services lead."""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Node, Pod
from k8slab.api.discovery import Endpoints, EndpointSlice, Service
from k8slab.controllers.endpoints import EndpointsController
from k8slab.controllers.endpointslice import EndpointSliceController
from tests.client.fake_server import World, pod, ready_status


class Services(World):
    """Services, and Pods that a test makes ready."""

    def __init__(self, wrap: Any = None, most: int = 100) -> None:
        super().__init__()

        def connect(name: str) -> Any:
            return self.connect(wrap and (lambda transport: wrap(self, transport, name)))

        self.components = [
            EndpointSliceController(connect("slices"), self.clock, self.chance, most=most),
            EndpointsController(connect("endpoints"), self.clock, self.chance, most=most * 10),
        ]
        for name in ("node-1", "node-2"):
            self.client.create(Node, {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": "a"}}})
        self._addresses = 0

    def expose(self, name: str = "web", ports: Any = 80, **spec: Any) -> None:
        wished = [{"port": ports}] if isinstance(ports, int) else ports
        body = {"selector": {"app": "web"}, "ports": wished, **spec}
        self.client.create(Service, {"metadata": {"name": name, "labels": {"team": "shop"}}, "spec": body}, "default")

    def run_pod(self, name: str, ready: bool = True, labels: Any = None, node: str = "node-1", **spec: Any) -> None:
        """A Pod with an address."""
        self._addresses += 1
        self.client.create(Pod, pod(name, labels, nodeName=node, **spec), "default")
        ip = f"10.244.0.{self._addresses}"
        status = ready_status(self.clock.now()) if ready else {"phase": "Running"}
        self.client.patch_status(Pod, name, "default", status | {"podIP": ip, "podIPs": [{"ip": ip}]})

    def slices(self) -> list[EndpointSlice]:
        return self.client.list(EndpointSlice, "default")

    def conditions(self) -> dict[str, str]:
        """By Pod: the first letters of the conditions that are true."""
        return {
            each["targetRef"]["name"]: "".join(key[0] for key, true in each["conditions"].items() if true)
            for found in self.slices()
            for each in found.endpoints or ()
        }

    def addresses(self, which: str = "addresses") -> list[str]:
        """The Pods that the Endpoints object names."""
        subsets = self.client.get(Endpoints, "web", "default").subsets or ()
        return [each["targetRef"]["name"] for subset in subsets for each in subset.get(which) or ()]
