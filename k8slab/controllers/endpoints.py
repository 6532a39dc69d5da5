"""The Endpoints controller: where a Service leads, the older way: in one object of its name.

All addresses of a Service are in its Endpoints object, in groups that have the same ports (*subsets*); those that are not
ready are listed apart. With 5,000 Pods that is one object of a megabyte, sent to every node whenever one of them blinks: so
there are EndpointSlices now, and this is kept for those who still read it. Above 1,000 addresses it is cut.

Models: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go (RepackSubsets).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.api.core import Pod
from k8slab.api.discovery import Endpoints, Service
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock
from k8slab.controllers.endpoints_of import Ports, counts, hostname_of, is_ready, ports_of, target_of
from k8slab.controllers.service_pods import ServicePodsController
from k8slab.controllers.trigger_time import ANNOTATION
from k8slab.names import Chance

LEFT_OUT = ()

HEADLESS, MANAGED_BY = "service.kubernetes.io/headless", "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
OVER_CAPACITY, TRUNCATED = "endpoints.kubernetes.io/over-capacity", "truncated"
MAX_CAPACITY = 1000
READY, NOT_READY = "addresses", "notReadyAddresses"


class EndpointsController(ServicePodsController):
    """Keeps the Endpoints of each Service."""

    name = "endpoints-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        most: int = MAX_CAPACITY,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.recorder = EventRecorder(client, clock, "endpoint-controller")
        self._most = most
        self.endpoints = self.informer(Endpoints, on_change=self._endpoints_changed)

    def reconcile(self, key: str) -> float | None:
        """Bring a Service's Endpoints up to date; without the Service, they go."""
        service, there = self.services.get(key), self.endpoints.get(key)
        if service is None:
            if there is not None and MANAGED_BY in there.metadata.labels:
                self._delete(there)
            return None
        if not service.spec.selector or service.spec.type == "ExternalName":
            return None
        pods = self.pods_of(service)
        triggered = self.trigger_times.look(service, pods)
        subsets = subsets_of(service, [pod for pod in pods if counts(pod, service.spec.publish_not_ready_addresses)])
        cut = truncate(subsets, self._most)
        labels = {**service.metadata.labels, MANAGED_BY: MANAGER} | ({HEADLESS: ""} if service.headless else {})
        if there is not None and list(there.subsets or ()) == subsets and there.metadata.labels == labels:
            return None
        annotations = {ANNOTATION: triggered or None, OVER_CAPACITY: TRUNCATED if cut else None}
        try:
            self._write(service, there, {"labels": labels, "annotations": annotations}, subsets)
        except ApiError as error:
            reason = "FailedToUpdateEndpoint" if there is not None else "FailedToCreateEndpoint"
            verb = "update" if there is not None else "create"
            text = f"Failed to {verb} endpoint for service {key}: {error.message}"
            self.recorder.event(service, "Warning", reason, text)
            raise
        return None

    def _write(
        self, service: Service, there: Endpoints | None, metadata: JsonObject, subsets: list[JsonObject]
    ) -> None:
        if there is not None:
            gone = {label: None for label in there.metadata.labels if label not in metadata["labels"]}
            patch = {"metadata": metadata | {"labels": metadata["labels"] | gone}, "subsets": subsets}
            self.client.patch(Endpoints, service.name, service.namespace, patch)
            return
        annotations = {name: text for name, text in metadata["annotations"].items() if text}
        body = {"metadata": {"name": service.name, **metadata, "annotations": annotations}, "subsets": subsets}
        try:
            self.client.create(Endpoints, body, service.namespace)
        except AlreadyExists:
            return  # ours, which the watch has yet to tell of

    def _delete(self, there: Endpoints) -> None:
        try:
            self.client.delete(Endpoints, there.name, there.namespace, uid=there.uid)
        except NotFound:
            return

    def _endpoints_changed(self, old: Endpoints | None, new: Endpoints | None) -> None:
        each = new or old
        assert each is not None
        self.queue.add(each.key)


def subsets_of(service: Service, pods: list[Pod]) -> list[JsonObject]:
    """The Pods' addresses, those with the same ports together; by ports, then by address."""
    groups: dict[Ports, dict[str, list[JsonObject]]] = {}
    for pod in pods:
        address: JsonObject = {"ip": pod.status.pod_ip, "nodeName": pod.spec.node_name, "targetRef": target_of(pod)}
        which = READY if is_ready(pod, service) or service.spec.publish_not_ready_addresses else NOT_READY
        group = groups.setdefault(ports_of(pod, service), {})
        group.setdefault(which, []).append(address | hostname_of(pod, service))
    subsets = []
    for ports in sorted(groups, key=repr):
        subset: dict[str, Any] = {
            which: sorted(groups[ports][which], key=lambda each: (each["ip"], each["targetRef"]["uid"]))
            for which in (READY, NOT_READY)
            if which in groups[ports]
        }
        if ports:
            subset["ports"] = [_port(*each) for each in ports]
        subsets.append(subset)
    return subsets


def truncate(subsets: list[JsonObject], most: int) -> bool:
    """Leave no more than `most` addresses, the ready ones first; whether some had to go."""
    cut = False
    for which in (READY, NOT_READY):
        for subset in subsets:
            found = subset.get(which, [])
            cut = cut or len(found) > most
            if which in subset:
                subset[which] = found[:most]
            most -= len(found[:most])
    return cut


def _port(name: str, number: int, protocol: str, application: str | None) -> JsonObject:
    port: JsonObject = {"name": name} if name else {}
    port |= {"port": number, "protocol": protocol}
    return port | ({"appProtocol": application} if application is not None else {})
