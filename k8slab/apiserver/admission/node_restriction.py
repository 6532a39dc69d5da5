"""NodeRestriction: a kubelet writes about itself, and about the Pods that are bound to it.

The node authorizer says which kinds of requests a kubelet may make; here, where the object is known, it is held to its own.
So a node that was taken over cannot draw Pods with secrets to itself, end the Pods of others, or lift its own taints.

Models: plugin/pkg/admission/noderestriction/admission.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, DELETE, UPDATE, Attributes
from k8slab.apiserver.authorization.node import LEASE_NAMESPACE, NODES_GROUP, node_of, references
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES

LEFT_OUT = ("ResourceSlices are not looked at.",)

PODS, NODES = RESOURCES["", "pods"], RESOURCES["", "nodes"]
MIRROR = "kubernetes.io/config.mirror"
RESTRICTED = "node-restriction.kubernetes.io"
KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
        "failure-domain.kubernetes.io/zone", "failure-domain.kubernetes.io/region",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
    }
)  # fmt: skip
"""Labels in Kubernetes' own namespaces that a kubelet may give its node."""
KUBELET_LABEL_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")

Check = Callable[[str, Attributes, Registry], None]


def restrict_nodes(attributes: Attributes, registry: Registry) -> None:
    """Raises Forbidden where a kubelet would write what is not its own."""
    if NODES_GROUP not in attributes.user.groups:
        return
    node = node_of(attributes.user)
    if not node:
        raise attributes.forbidden(f'could not determine node from user "{attributes.user.name}"')
    check = CHECKS.get((attributes.resource.group, attributes.resource.plural))
    if check is not None:
        check(node, attributes, registry)


# Pods.


def _pod(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.subresource == "status":
        _pod_status(node, attributes)
    elif attributes.subresource == "eviction":
        if _stored_pod(attributes, registry)["spec"].get("nodeName") != node:
            raise attributes.forbidden(f"node {node} can only evict pods with spec.nodeName set to itself")
    elif attributes.subresource:
        raise attributes.forbidden(
            f"unexpected pod subresource \"{attributes.subresource}\", only 'status' and 'eviction' are allowed"
        )
    elif attributes.operation == CREATE:
        _new_pod(node, attributes, attributes.object or {}, registry)
    elif attributes.operation == DELETE:
        if (attributes.old or {})["spec"].get("nodeName") != node:
            raise attributes.forbidden(f'node "{node}" can only delete pods with spec.nodeName set to itself')
    else:
        raise attributes.forbidden(
            f'unexpected operation "{attributes.operation}", node "{node}" can only create and delete mirror pods'
        )


def _pod_status(node: str, attributes: Attributes) -> None:
    old, new = attributes.old or {}, attributes.object or {}
    if old["spec"].get("nodeName") != node:
        raise attributes.forbidden(
            f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
        )
    if (old["metadata"].get("labels") or {}) != (new["metadata"].get("labels") or {}):
        raise attributes.forbidden(f'node "{node}" cannot update labels through pod status')


def _new_pod(node: str, attributes: Attributes, pod: JsonObject, registry: Registry) -> None:
    """Only a mirror of a static Pod, owned by the node itself, that refers to nothing else."""
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        raise attributes.forbidden(
            f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
        )
    if pod["spec"].get("nodeName") != node:
        raise attributes.forbidden(f'node "{node}" can only create pods with spec.nodeName set to itself')
    _check_owner(node, attributes, pod["metadata"].get("ownerReferences") or [], registry)
    refers = {plural for plural, _, _ in references(pod)}
    for plural, shown in (
        ("serviceaccounts", "a service account"),
        ("secrets", "secrets"),
        ("configmaps", "configmaps"),
        ("persistentvolumeclaims", "persistentvolumeclaims"),
    ):
        if plural in refers:
            raise attributes.forbidden(f'node "{node}" can not create pods that reference {shown}')


def _check_owner(node: str, attributes: Attributes, owners: list[JsonObject], registry: Registry) -> None:
    if len(owners) > 1:
        raise attributes.forbidden(f'node "{node}" can only create pods with a single owner reference set to itself')
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        raise attributes.forbidden(f'node "{node}" can only create pods with an owner reference set to itself')
    if not owner.get("controller"):
        raise attributes.forbidden(
            f'node "{node}" can only create pods with a controller owner reference set to itself'
        )
    if owner.get("blockOwnerDeletion"):
        raise attributes.forbidden(f'node "{node}" must not set blockOwnerDeletion on an owner reference')
    uid = registry.get(NODES, "", node)["metadata"]["uid"]
    if owner.get("uid") != uid:
        raise attributes.forbidden(f"node {node} UID mismatch: expected {owner.get('uid')} got {uid}")


def _stored_pod(attributes: Attributes, registry: Registry, name: str = "") -> JsonObject:
    found = registry.find(PODS, attributes.namespace, name or attributes.name)
    if found is None:
        raise NotFound.named("", "pods", name or attributes.name)
    return found


# Nodes.


def _node(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.name != node:
        raise attributes.forbidden(f'node "{node}" is not allowed to modify node "{attributes.name}"')
    new, old = attributes.object or {}, attributes.old or {}
    if attributes.operation == CREATE:
        if wrong := _forbidden_labels(new, {}):
            raise attributes.forbidden(f'node "{node}" is not allowed to set the following labels: {", ".join(wrong)}')
    elif attributes.operation == UPDATE:
        if ((new.get("spec") or {}).get("taints") or []) != ((old.get("spec") or {}).get("taints") or []):
            raise attributes.forbidden(f'node "{node}" is not allowed to modify taints')
        if wrong := _forbidden_labels(new, old):
            raise attributes.forbidden(f"is not allowed to modify labels: {', '.join(wrong)}")


def _forbidden_labels(new: JsonObject, old: JsonObject) -> list[str]:
    """The labels that differ, and are not a kubelet's to change."""
    after, before = ((each.get("metadata") or {}).get("labels") or {} for each in (new, old))
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return sorted(key for key in changed if not _is_kubelets(key))


def _is_kubelets(label: str) -> bool:
    domain = label.partition("/")[0] if "/" in label else ""
    if _within(domain, RESTRICTED):
        return False
    if not (_within(domain, "kubernetes.io") or _within(domain, "k8s.io")):
        return True
    return label in KUBELET_LABELS or any(_within(domain, each) for each in KUBELET_LABEL_DOMAINS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)


# What else a kubelet writes.


def _claim(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.subresource != "status":
        raise attributes.forbidden("may only update PVC status")


def _token(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.subresource != "token" or attributes.operation != CREATE:
        return
    reference = ((attributes.object or {}).get("spec") or {}).get("boundObjectRef") or {}
    if (reference.get("apiVersion"), reference.get("kind")) != ("v1", "Pod") or not reference.get("name"):
        raise attributes.forbidden("node requested token not bound to a pod")
    if not reference.get("uid"):
        raise attributes.forbidden("node requested token with a pod binding without a uid")
    pod = _stored_pod(attributes, registry, reference["name"])
    if pod["metadata"]["uid"] != reference["uid"]:
        raise attributes.forbidden(
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
    if pod["spec"].get("nodeName") != node:
        raise attributes.forbidden("node requested token bound to a pod scheduled on a different node")


def _lease(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.namespace != LEASE_NAMESPACE:
        raise attributes.forbidden(f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
    if attributes.name != node:
        raise attributes.forbidden("can only access node lease with the same name as the requesting node")


def _csi_node(node: str, attributes: Attributes, registry: Registry) -> None:
    if attributes.name != node:
        raise attributes.forbidden("can only access CSINode with the same name as the requesting node")


CHECKS: Mapping[tuple[str, str], Check] = {
    ("", "pods"): _pod,
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "serviceaccounts"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
}
