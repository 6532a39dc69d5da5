"""The defaults of everything else: namespaces, nodes, configuration, storage, access, policy.

Models: pkg/apis/core/v1/defaults.go, pkg/apis/rbac/v1/defaults.go, pkg/apis/storage/v1/defaults.go,
pkg/apis/scheduling/v1/defaults.go, apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go.
"""

from __future__ import annotations

import base64

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.defaults.fill import child, each, fill

RBAC_GROUP = "rbac.authorization.k8s.io"


def default_namespace(obj: JsonObject) -> None:
    """Complete a Namespace: its name is also a label, so that selectors can find it."""
    meta = child(obj, "metadata")
    if meta.get("name"):
        child(meta, "labels")["kubernetes.io/metadata.name"] = meta["name"]


def default_node(obj: JsonObject) -> None:
    """Complete a Node: what can be allocated is all there is, until the kubelet says otherwise."""
    status = obj.get("status")
    if status and status.get("capacity"):
        for name, amount in status["capacity"].items():
            child(status, "allocatable").setdefault(name, amount)


def default_secret(obj: JsonObject) -> None:
    """Complete a Secret: `stringData` is `data` for people, and never stored."""
    fill(obj, "type", "Opaque")
    texts = obj.pop("stringData", None)
    for key, text in (texts or {}).items():
        child(obj, "data")[key] = base64.b64encode(text.encode()).decode()


def default_limit_range(obj: JsonObject) -> None:
    """Complete a LimitRange: the default limit is the greatest allowed, the default request the limit, or the least."""
    for item in each(child(obj, "spec"), "limits"):
        if item.get("type") != "Container":
            continue
        for target, source in (("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")):
            for name, amount in (item.get(source) or {}).items():
                child(item, target).setdefault(name, amount)


def default_volume(obj: JsonObject) -> None:
    """Complete a PersistentVolume."""
    spec = child(obj, "spec")
    fill(spec, "persistentVolumeReclaimPolicy", "Retain")
    fill(spec, "volumeMode", "Filesystem")
    if "hostPath" in spec and spec["hostPath"].get("type") is None:
        spec["hostPath"]["type"] = ""


def default_volume_claim(obj: JsonObject) -> None:
    """Complete a PersistentVolumeClaim."""
    fill(child(obj, "spec"), "volumeMode", "Filesystem")


def default_role_binding(obj: JsonObject) -> None:
    """Complete a RoleBinding or ClusterRoleBinding."""
    fill(child(obj, "roleRef"), "apiGroup", RBAC_GROUP)
    for subject in each(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            fill(subject, "apiGroup", RBAC_GROUP)


def default_priority_class(obj: JsonObject) -> None:
    """Complete a PriorityClass."""
    fill(obj, "preemptionPolicy", "PreemptLowerPriority")


def default_storage_class(obj: JsonObject) -> None:
    """Complete a StorageClass."""
    fill(obj, "reclaimPolicy", "Delete")
    fill(obj, "volumeBindingMode", "Immediate")


def default_custom_resource_definition(obj: JsonObject) -> None:
    """Complete a CustomResourceDefinition."""
    spec = child(obj, "spec")
    names = child(spec, "names")
    kind = names.get("kind") or ""
    fill(names, "singular", kind.lower())
    fill(names, "listKind", kind + "List")
    fill(child(spec, "conversion"), "strategy", "None")
