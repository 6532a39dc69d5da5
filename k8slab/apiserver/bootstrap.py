"""What a new cluster holds before anyone has asked for anything.

The default roles, and the account and the certificate that every Pod needs, the server writes by itself, before anybody can
ask: so a Pod can be made as soon as the cluster is there. Controllers keep them from then on.

Models: pkg/controlplane/controller/systemnamespaces, pkg/controlplane/controller/kubernetesservice.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.apiserver.authorization.install import install_default_roles, put_in_place
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = (
    "A namespace of the system that somebody deletes is made anew at the next start; upstream does it within a minute.",
)

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


def install_defaults(registry: Registry, root_ca: str = "") -> None:
    """The default roles; and in the first namespaces, the default account and, if there is one, the certificate for Pods."""
    install_default_roles(registry)
    for namespace in SYSTEM_NAMESPACES:
        for plural, name, content in (
            ("serviceaccounts", "default", {}),
            ("configmaps", "kube-root-ca.crt", {"data": {"ca.crt": root_ca}}),
        ):
            if plural == "configmaps" and not root_ca:
                continue
            resource = RESOURCES["", plural]
            meta = {"name": name, "namespace": namespace}
            obj: JsonObject = {"apiVersion": "v1", "kind": resource.kind, "metadata": meta, **content}
            put_in_place(registry, resource, namespace, obj)
