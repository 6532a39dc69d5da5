"""From a Pod to an endpoint of a Service: which Pods count, on which port they are reached, and in which condition they are.

| the Pod                          | ready | serving | terminating |
|----------------------------------|-------|---------|-------------|
| is ready                         | yes   | yes     | no          |
| is not ready                     | no    | no      | no          |
| is ready, and being deleted      | no    | yes     | yes         |
| is not ready, and being deleted  | no    | no      | yes         |

A Service that publishes addresses that are not ready takes all of them for ready. A Pod that has ended, or that has no address
yet, is no endpoint.

Models: k8s.io/endpointslice/utils.go (podToEndpoint, getEndpointPorts), util/controller_utils.go (ShouldPodBeInEndpoints,
FindPort).
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.api.discovery import Service, ServicePort
from k8slab.apimachinery.rest import JsonObject

Ports = tuple[tuple[str, int, str, str | None], ...]
"""(name, number, protocol, application protocol), as the Pod has them."""


def counts(pod: Pod, terminating: bool) -> bool:
    """Whether a Pod is an endpoint at all. `terminating`: whether those that are being deleted are."""
    if pod.finished or not pod.status.pod_ip:
        return False
    return terminating or not pod.metadata.deleting


def ports_of(pod: Pod, service: Service) -> Ports:
    """The Service's ports at this Pod; one whose name the Pod does not know is left out."""
    found = ((each, port_number(pod, each)) for each in service.spec.ports)
    return tuple((each.name, number, each.protocol, each.app_protocol) for each, number in found if number)


def port_number(pod: Pod, port: ServicePort) -> int:
    """The number of a Service's port at one Pod; 0 if it names a port that the Pod does not have."""
    target = port.target_port or port.port
    if isinstance(target, int):
        return target
    sidecars = [each for each in pod.spec.init_containers if each.restart_policy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for each in container.ports:
            if (each.name, each.protocol) == (target, port.protocol):
                return each.container_port
    return 0


def is_ready(pod: Pod, service: Service) -> bool:
    """Whether new requests may go there."""
    return service.spec.publish_not_ready_addresses or (pod.ready and not pod.metadata.deleting)


def endpoint_of(pod: Pod, service: Service, zone: str) -> JsonObject:
    """The entry of an EndpointSlice. `zone` is the node's; empty if it has none."""
    endpoint: JsonObject = {
        "addresses": [pod.status.pod_ip],
        "conditions": {
            "ready": is_ready(pod, service),
            "serving": pod.ready,
            "terminating": pod.metadata.deleting,
        },
        "nodeName": pod.spec.node_name,
        "targetRef": target_of(pod),
    }
    if zone:
        endpoint["zone"] = zone
    return endpoint | hostname_of(pod, service)


def hostname_of(pod: Pod, service: Service) -> JsonObject:
    """The name that DNS gives the Pod under the Service's: where the Pod asks for one."""
    wished = pod.spec.hostname and pod.spec.subdomain == service.name
    return {"hostname": pod.spec.hostname} if wished else {}


def target_of(pod: Pod) -> JsonObject:
    """The Pod, as an endpoint names it."""
    return {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
