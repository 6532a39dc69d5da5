"""The node authorizer: a kubelet may do what its node needs, and nothing about others.

What a node needs follows from the Pods that are bound to it: their Secrets, ConfigMaps, claims and service accounts, and no
others. So there is a graph, Pod -> what it refers to, kept for Pods that have a node. A Pod's references never change, and a
Pod's node, once there is one, neither: a Pod comes into the graph once and leaves it once, however often its status is written.

What a node may *write*, such as only its own Node, Lease and Pods, is left to admission (NodeRestriction): only there is the
object known.

Models: plugin/pkg/auth/authorizer/node (node_authorizer.go, graph.go), pkg/auth/nodeidentifier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from k8slab.apimachinery.rest import JsonObject, UserInfo
from k8slab.apiserver.authorization.decision import NO_OPINION, YES, Decision
from k8slab.apiserver.authorization.policy import rules_of_table
from k8slab.apiserver.authorization.roles import NODE_RULES
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.etcd.store import Entry

LEFT_OUT = ("The graph has no volume attachments and no resource claims.",)

USER_PREFIX, NODES_GROUP = "system:node:", "system:nodes"
LEASE_NAMESPACE = "kube-node-lease"
PODS, CLAIMS = RESOURCES["", "pods"], RESOURCES["", "persistentvolumeclaims"]

Reference = tuple[str, str, str]
"""(plural, namespace, name) of what a Pod refers to."""


def node_of(user: UserInfo) -> str:
    """The node that a user is the kubelet of; empty for anybody else."""
    if NODES_GROUP in user.groups and user.name.startswith(USER_PREFIX):
        return user.name.removeprefix(USER_PREFIX)
    return ""


class NodeAuthorizer:
    """Decides about kubelets, and has no opinion about others."""

    def __init__(self, registry: Registry) -> None:
        self._graph = Graph(registry)
        self._rules = rules_of_table(NODE_RULES)

    @staticmethod
    def knows(user: UserInfo) -> bool:
        """Whether this authorizer has anything to say about a user."""
        return NODES_GROUP in user.groups

    def decide(self, user: UserInfo, info: RequestInfo, fields: str = "") -> Decision:
        """Whether a kubelet may do this."""
        node = node_of(user)
        if not node:
            return Decision(False, f'unknown node for user "{user.name}"')
        special = _SPECIAL.get((info.group, info.plural)) if info.is_resource else None
        if special is not None:
            return special(self._graph, node, info, fields)
        return YES if any(rule.allows(info) for rule in self._rules) else NO_OPINION


class Graph:
    """Which Pods are on which node, and what they refer to."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._new: dict[str, None] = {}
        """Keys of Pods that were written, and are not known to have a node."""
        self._bound: dict[str, tuple[str, tuple[Reference, ...]]] = {}
        """By a Pod's key: its node, and what it refers to."""
        self._uses: dict[str, Counter[Reference]] = {}
        """By node: how many of its Pods refer to something."""
        self._shared: dict[tuple[Reference, ...], tuple[Reference, ...]] = {}
        """Pods of one template refer to the same: kept once."""
        self._new.update((entry.key, None) for entry in registry.store.range(PODS.key_prefix).entries)
        registry.store.subscribe(self._committed)

    def leads_to(self, node: str, plural: str, namespace: str, name: str) -> bool:
        """Whether something on the node refers to an object."""
        self._catch_up()
        if plural == "pods":
            found = self._bound.get(f"{PODS.key_prefix}{namespace}/{name}")
            return found is not None and found[0] == node
        uses = self._uses.get(node, Counter())
        if plural == "persistentvolumes":
            return any(
                (claim := self._registry.find(CLAIMS, where, which)) is not None
                and (claim.get("spec") or {}).get("volumeName") == name
                for kind, where, which in uses
                if kind == "persistentvolumeclaims"
            )
        return uses[plural, namespace, name] > 0

    def _committed(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if not entry.key.startswith(PODS.key_prefix):
                continue
            if entry.deleted:
                self._new.pop(entry.key, None)
                self._remove(entry.key)
            elif entry.key not in self._bound:
                self._new[entry.key] = None

    def _catch_up(self) -> None:
        if not self._new:
            return
        waiting: dict[str, None] = {}
        for key in list(self._new):  # another process may write meanwhile
            entry = self._registry.store.get(key)
            if entry is None or entry.deleted:
                continue
            pod = self._registry.decode(entry)
            if node := pod["spec"].get("nodeName"):
                self._add(key, node, tuple(dict.fromkeys(references(pod))))
            else:
                waiting[key] = None
        self._new = waiting

    def _add(self, key: str, node: str, refers: tuple[Reference, ...]) -> None:
        refers = self._shared.setdefault(refers, refers)
        self._bound[key] = node, refers
        self._uses.setdefault(node, Counter()).update(refers)

    def _remove(self, key: str) -> None:
        node, refers = self._bound.pop(key, ("", ()))
        if uses := self._uses.get(node):
            uses.subtract(refers)
            for each in refers:
                if not uses[each]:
                    del uses[each]


def references(pod: JsonObject) -> Iterator[Reference]:
    """What a Pod refers to: (plural, namespace, name), repeats included."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    if account := spec.get("serviceAccountName"):
        yield "serviceaccounts", namespace, account
    for secret in spec.get("imagePullSecrets") or []:
        yield "secrets", namespace, secret.get("name", "")
    for volume in spec.get("volumes") or []:
        sources = (volume.get("projected") or {}).get("sources") or []
        for source in (volume, *sources):
            if secret := source.get("secret"):
                yield "secrets", namespace, secret.get("secretName") or secret.get("name", "")
            if config := source.get("configMap"):
                yield "configmaps", namespace, config.get("name", "")
        if claim := volume.get("persistentVolumeClaim"):
            yield "persistentvolumeclaims", namespace, claim.get("claimName", "")
        if volume.get("ephemeral"):
            yield "persistentvolumeclaims", namespace, f"{pod['metadata']['name']}-{volume['name']}"
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(kind) or []:
            yield from _environment(container, namespace)


def _environment(container: JsonObject, namespace: str) -> Iterator[Reference]:
    values = [variable.get("valueFrom") or {} for variable in container.get("env") or []]
    for source in (*values, *(container.get("envFrom") or [])):
        for plural, field in (("secrets", "secret"), ("configmaps", "configMap")):
            found = source.get(f"{field}KeyRef") or source.get(f"{field}Ref")
            if found:
                yield plural, namespace, found.get("name", "")


# What is asked about, and which question decides.

Special = Callable[[Graph, str, RequestInfo, str], Decision]


def _no(reason: str) -> Decision:
    return Decision(False, reason)


def _related(graph: Graph, node: str, info: RequestInfo) -> Decision:
    if not info.name:
        return _no("No Object name found")
    namespace = info.namespace if info.plural != "persistentvolumes" else ""
    if graph.leads_to(node, info.plural, namespace, info.name):
        return YES
    return _no(f"no relationship found between node '{node}' and this object")


def _get(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb != "get":
        return _no("can only get individual resources of this type")
    if info.subresource:
        return _no("cannot get subresource")
    return _related(graph, node, info)


def _read(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb not in ("get", "list", "watch"):
        return _no("can only read resources of this type")
    if info.subresource:
        return _no("cannot read subresource")
    if not info.namespace:
        return _no("can only read namespaced object of this type")
    return _related(graph, node, info)


def _claim(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.subresource != "status":
        return _get(graph, node, info, fields)
    if info.verb not in ("update", "patch"):
        return _no("can only get/update/patch this type")
    return _related(graph, node, info)


def _token(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb != "create" or not info.name:
        return _no("can only create tokens for individual service accounts")
    if info.subresource != "token":
        return _no("can only create token subresource of serviceaccount")
    return _related(graph, node, info)


def _lease(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb not in ("get", "create", "update", "patch", "delete"):
        return _no("can only get, create, update, patch, or delete a node lease")
    if info.namespace != LEASE_NAMESPACE:
        return _no(f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
    if info.verb != "create" and info.name != node:
        return _no("can only access node lease with the same name as the requesting node")
    return YES


def _csi_node(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb not in ("get", "create", "update", "patch", "delete"):
        return _no("can only get, create, update, patch, or delete a CSINode")
    if info.subresource:
        return _no("cannot authorize CSINode subresources")
    if info.verb != "create" and info.name != node:
        return _no("can only access CSINode with the same name as the requesting node")
    return YES


def _node(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb in ("update", "patch") and info.subresource in ("", "status"):
        return YES
    if info.subresource:
        return NO_OPINION
    if info.verb == "create":
        return YES
    if info.verb not in ("get", "list", "watch"):
        return NO_OPINION
    if info.name == node:
        return YES
    if not info.name:
        return _no(f"node '{node}' cannot read all nodes, only its own Node object")
    return _no(f"node '{node}' cannot read '{info.name}', only its own Node object")


_POD_WRITES = {
    "": ("create", "delete"),  # mirror Pods
    "status": ("update", "patch"),
    "eviction": ("create",),
}


def _pod(graph: Graph, node: str, info: RequestInfo, fields: str) -> Decision:
    if info.verb in _POD_WRITES.get(info.subresource, ()):
        return YES
    if info.subresource or info.verb not in ("get", "list", "watch"):
        return NO_OPINION
    if info.verb == "get":
        return _related(graph, node, info)
    if any(field in (f"spec.nodeName={node}", f"spec.nodeName=={node}") for field in fields.split(",")):
        return YES
    if info.name:
        return _related(graph, node, info)
    return _no("can only list/watch pods with spec.nodeName field selector")


_SPECIAL: Mapping[tuple[str, str], Special] = {
    ("", "secrets"): _read,
    ("", "configmaps"): _read,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _get,
    ("resource.k8s.io", "resourceclaims"): _get,
    ("storage.k8s.io", "volumeattachments"): _get,
    ("", "serviceaccounts"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("", "nodes"): _node,
    ("", "pods"): _pod,
}
"""Kinds that are not the same for all nodes."""
