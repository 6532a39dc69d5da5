"""The EndpointSlice controller: it writes down which addresses a Service leads to.

A Service has a selector; which Pods that means, and which of them may be asked, changes all the time. The answer is in its
EndpointSlices, a hundred endpoints each. Who sends requests (kube-proxy, DNS, the API server's proxy) watches these, and need
not know of Pods.

For each set of ports that the Pods have, the slices are packed by `slice_packing.py`. It acts only when it has seen its own
last writes: else it would make a slice for the same Pods twice. A Service without a selector is left alone: somebody else
writes its slices.

Models: pkg/controller/endpointslice/endpointslice_controller.go, k8s.io/endpointslice/reconciler.go.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Node
from k8slab.api.discovery import EndpointSlice, Service
from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.apimachinery.meta import controller_reference
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.expectations import TIMEOUT
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock
from k8slab.controllers.endpoints_of import Ports, counts, endpoint_of, ports_of
from k8slab.controllers.node_zones import ZONE
from k8slab.controllers.service_pods import ServicePodsController
from k8slab.controllers.slice_packing import MAX_ENDPOINTS, Slice, plan
from k8slab.controllers.trigger_time import ANNOTATION
from k8slab.names import Chance

LEFT_OUT = (
    "Slices for the first family of a Service's addresses only; topology hints are not given.",
    "Nothing mirrors Endpoints that somebody wrote by hand; the Service `kubernetes` has no slice.",
)

SERVICE_NAME, HEADLESS = "kubernetes.io/service-name", "service.kubernetes.io/headless"
MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
OWN_LABELS = (SERVICE_NAME, HEADLESS, MANAGED_BY)
BY_SERVICE = "service"


class EndpointSliceController(ServicePodsController):
    """Keeps the EndpointSlices of each Service."""

    name = "endpointslice-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        most: int = MAX_ENDPOINTS,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.recorder = EventRecorder(client, clock, "endpoint-slice-controller")
        self._most = most
        self.slices = self.informer(
            EndpointSlice, labels=f"{MANAGED_BY}={MANAGER}", indexers={BY_SERVICE: _service_of}, on_change=self._slice_changed
        )  # fmt: skip
        self.nodes = self.informer(Node)
        self._unseen: dict[str, tuple[float, dict[str, int]]] = {}
        """Our writes that the watch has not told of, by Service: since when, and the revision of each slice by name."""

    def reconcile(self, key: str) -> float | None:
        """Bring a Service's slices up to date."""
        service = self.services.get(key)
        if service is None or not service.spec.selector or service.spec.type == "ExternalName":
            if service is None:
                self._unseen.pop(key, None)  # its slices are the garbage collector's
            return None
        if self._waits_for_its_writes(key):
            self.queue.add_after(key, TIMEOUT + 1, background=True)
            return None
        pods = [pod for pod in self.pods_of(service) if counts(pod, terminating=True)]
        triggered = self.trigger_times.look(service, pods)
        wanted: dict[Ports, Slice] = {}
        for pod in pods:
            node = self.nodes.get(pod.spec.node_name)
            if node is None and not service.spec.publish_not_ready_addresses:
                continue  # its node is gone, and so is it
            zone = node.metadata.labels.get(ZONE, "") if node is not None else ""
            wanted.setdefault(ports_of(pod, service), []).append(endpoint_of(pod, service, zone))
        try:
            self._write(service, wanted, triggered)
        except ApiError as error:
            text = f"Error updating Endpoint Slices for Service {key}: {error.message}"
            self.recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", text)
            raise
        return None

    # What is written.

    def _write(self, service: Service, wanted: dict[Ports, Slice], triggered: str) -> None:
        there = self.slices.by_index(BY_SERVICE, service.key)
        made = plan({each.name: (_ports_in(each), list(each.endpoints or ())) for each in there}, wanted, self._most)
        labels = _labels(service)
        for ports, endpoints in made.create:
            self._create(service, ports, endpoints, labels, triggered)
        for each in there:
            if each.name in made.delete:
                self._delete(service, each.name)
            elif each.name in made.change or each.metadata.labels != labels:
                ports, endpoints = made.change.get(each.name, (_ports_in(each), list(each.endpoints or ())))
                self._update(service, each, ports, endpoints, labels, triggered)

    def _create(self, service: Service, ports: Ports, endpoints: Slice, labels: JsonObject, triggered: str) -> None:
        metadata = {
            "generateName": f"{service.name}-",
            "labels": labels,
            "annotations": {ANNOTATION: triggered} if triggered else {},
            "ownerReferences": [controller_reference("v1", "Service", service.name, service.uid)],
        }
        family = next(iter(service.spec.ip_families), "IPv4")
        body = {"metadata": metadata, "addressType": family, "endpoints": endpoints, "ports": _ports_json(ports)}
        self._wrote(service, self.client.create(EndpointSlice, body, service.namespace))

    def _update(
        self, service: Service, each: EndpointSlice, ports: Ports, endpoints: Slice, labels: JsonObject, triggered: str
    ) -> None:
        gone = {label: None for label in each.metadata.labels if label not in labels}
        metadata = {"labels": labels | gone, "annotations": {ANNOTATION: triggered or None}}
        patch = {"metadata": metadata, "endpoints": endpoints, "ports": _ports_json(ports)}
        self._wrote(service, self.client.patch(EndpointSlice, each.name, service.namespace, patch))

    def _delete(self, service: Service, name: str) -> None:
        try:
            self.client.delete(EndpointSlice, name, service.namespace)
        except NotFound:
            return

    # What was written, and not seen yet.

    def _wrote(self, service: Service, found: JsonObject) -> None:
        meta = found["metadata"]
        _, unseen = self._unseen.setdefault(service.key, (self.clock.now(), {}))
        unseen[meta["name"]] = int(meta["resourceVersion"])

    def _waits_for_its_writes(self, key: str) -> bool:
        since, unseen = self._unseen.get(key, (0.0, {}))
        if unseen and self.clock.now() - since <= TIMEOUT:
            return True
        self._unseen.pop(key, None)
        return False

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        each = new or old
        assert each is not None
        for key in _service_of(each):
            _, unseen = self._unseen.get(key, (0.0, {}))
            if new is None or int(new.metadata.resource_version) >= unseen.get(each.name, 0):
                unseen.pop(each.name, None)
            self.queue.add(key)


def _labels(service: Service) -> JsonObject:
    kept = {key: value for key, value in service.metadata.labels.items() if key not in OWN_LABELS}
    headless = {HEADLESS: ""} if service.headless else {}
    return kept | headless | {SERVICE_NAME: service.name, MANAGED_BY: MANAGER}


def _ports_json(ports: Ports) -> list[JsonObject] | None:
    found = [{"name": name, "port": number, "protocol": protocol} for name, number, protocol, _ in ports]
    for entry, (*_, application) in zip(found, ports, strict=True):
        if application is not None:
            entry["appProtocol"] = application
    return found or None


def _ports_in(each: EndpointSlice) -> Ports:
    return tuple(
        (port.get("name", ""), port.get("port", 0), port.get("protocol", "TCP"), port.get("appProtocol"))
        for port in each.ports or ()
    )


def _service_of(each: EndpointSlice) -> list[str]:
    name = each.metadata.labels.get(SERVICE_NAME)
    return [f"{each.namespace}/{name}"] if name else []
