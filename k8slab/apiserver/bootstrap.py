"""What a new cluster holds before anyone has asked for anything.

Models: pkg/controlplane/controller/systemnamespaces, pkg/controlplane/controller/kubernetesservice.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SERVICES = Resource("", "v1", "services", "Service")

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def bootstrap_objects(api_port: int = 6443) -> Iterator[tuple[Resource, str, JsonObject]]:
    """(resource, namespace, object), in the order in which they can be created."""
    for name in SYSTEM_NAMESPACES:
        yield NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    yield (
        SERVICES,
        "default",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "10.96.0.1",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": api_port}],
            },
        },
    )
