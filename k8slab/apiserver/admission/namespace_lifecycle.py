"""NamespaceLifecycle: nothing is created where there is no namespace, or none for long.

Models: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import NotFound
from k8slab.apiserver.admission.attributes import CREATE, DELETE, Attributes
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = ()

_NAMESPACES = RESOURCES["", "namespaces"]
IMMORTAL = ("default", "kube-system", "kube-public")


def namespace_exists(attributes: Attributes, registry: Registry) -> None:
    """Nothing is created in a namespace that is not there, or that is on its way out."""
    namespace = attributes.namespace
    if attributes.operation != CREATE or not namespace or not attributes.resource.namespaced:
        return
    found = registry.find(_NAMESPACES, "", namespace)
    if found is None:
        raise NotFound.named("", "namespaces", namespace)
    if found["metadata"].get("deletionTimestamp") or (found.get("status") or {}).get("phase") == "Terminating":
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        raise attributes.forbidden(why, [cause])


def namespace_is_mortal(attributes: Attributes, registry: Registry) -> None:
    """The namespaces that a cluster cannot do without stay."""
    if attributes.is_about("namespaces", DELETE) and attributes.name in IMMORTAL:
        raise attributes.forbidden("this namespace may not be deleted")
