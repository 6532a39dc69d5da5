"""The defaults of networking: Services, Endpoints, EndpointSlices, NetworkPolicies.

Models: pkg/apis/core/v1/defaults.go (SetDefaults_Service, SetDefaults_Endpoints), pkg/apis/discovery/v1/defaults.go,
pkg/apis/networking/v1/defaults.go.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.defaults.fill import child, each, fill, fill_zero

AFFINITY_SECONDS = 10_800


def default_service(obj: JsonObject) -> None:
    """Complete a Service. Its addresses and node ports are allocated when it is stored."""
    spec = child(obj, "spec")
    fill(spec, "sessionAffinity", "None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        fill(child(child(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", AFFINITY_SECONDS)
    fill(spec, "type", "ClusterIP")
    kind = spec["type"]
    for port in each(spec, "ports"):
        fill(port, "protocol", "TCP")
        fill_zero(port, "targetPort", port.get("port", 0))
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        fill(spec, "externalTrafficPolicy", "Cluster")
    if kind != "ExternalName":
        fill(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        fill(spec, "allocateLoadBalancerNodePorts", True)


def default_endpoints(obj: JsonObject) -> None:
    """Complete an Endpoints object."""
    for subset in each(obj, "subsets"):
        for port in each(subset, "ports"):
            fill(port, "protocol", "TCP")


def default_endpoint_slice(obj: JsonObject) -> None:
    """Complete an EndpointSlice."""
    for port in each(obj, "ports"):
        if port.get("name") is None:
            port["name"] = ""
        fill(port, "protocol", "TCP")


def default_network_policy(obj: JsonObject) -> None:
    """Complete a NetworkPolicy: it is about what comes in, and about what goes out if it says so."""
    spec = child(obj, "spec")
    for rule in each(spec, "ingress") + each(spec, "egress"):
        for port in each(rule, "ports"):
            fill(port, "protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
