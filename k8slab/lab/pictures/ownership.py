"""Who owns whom: a Deployment, its ReplicaSets, their Pods.

A dependent names its owners in `metadata.ownerReferences`, by UID; an owner knows nothing of its dependents. So the graph is
found by looking at everything in the namespace. An owner that is named and not there is drawn, too: its dependents are what
the garbage collector will take.

The text is a tree; where objects own each other in a circle, or have two owners, what was said is named again.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.resources import RESOURCES
from k8slab.client.client import Client
from k8slab.cluster import Cluster
from k8slab.lab.drawing import Edge, Graph, GraphPicture, Node
from k8slab.lab.drawing.tree import graph_text
from k8slab.lab.furniture import is_furniture
from k8slab.lab.pictures.deeds import state_of
from k8slab.lab.reference import resource_named
from k8slab.mistake import Mistake

IGNORED = ("events",)
ABSENT = "absent"


class OwnershipGraph(GraphPicture):
    """Owners and what they own. As text it is a tree of `Kind/name` alone, without a title."""

    def _text(self) -> str:
        graph = self._collapsed.graph
        return graph_text(replace(graph, nodes=tuple(map(self._in_a_line, graph.nodes))))

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def expand(self, *groups: str) -> OwnershipGraph:
        """The same graph with these groups open, too."""
        return OwnershipGraph(self.model, self.limit, self.opened | set(groups))

    def _in_a_line(self, node: Node) -> Node:
        if node.id in self._collapsed.members:
            return node
        return replace(node, lines=(f"{node.kind}/{node.lines[0]}",), kind="")


def ownership_graph(
    where: Cluster | Client, kind: str = "", name: str = "", namespace: str = "default"
) -> OwnershipGraph:
    """What an object owns, and what that owns; without a kind, everything in a namespace.

    `kind` is as kubectl takes it: `deployment`, `deploy`, `Deployment`. `where` is a cluster, or a client of one.
    Raises ValueError for a kind that is not served, and for an object that is not there.
    """
    client = where if isinstance(where, Client) else where.client
    if not kind:
        title = f"Ownership graph of the namespace {namespace}"
        return OwnershipGraph(ownership_model(title, list(_listed(client, namespace))))
    resource = resource_named(kind)
    try:
        root = client.raw("GET", resource.path(namespace, name))
    except NotFound:
        where_it_is = f" in the namespace {namespace!r}" if resource.namespaced else ""
        raise Mistake(f"there is no {resource.kind} {name!r}{where_it_is}") from None
    root = {**root, "kind": resource.kind}
    title = f"Ownership graph of {resource.kind} {name}"
    return OwnershipGraph(ownership_model(title, [root, *_listed(client, namespace)], root["metadata"]["uid"]))


def ownership_model(title: str, objects: Sequence[JsonObject], root: str = "") -> Graph:
    """The graph of these objects: of all, or of one (`root` is its UID) and what it owns. Owners stand before what they own."""
    known = {obj["metadata"]["uid"]: obj for obj in objects}
    by_name = sorted(known, key=lambda uid: (known[uid]["kind"], known[uid]["metadata"]["name"]))
    owned: dict[str, list[str]] = {}
    for uid in by_name:
        for owner in _owners(known[uid]):
            owned.setdefault(owner["uid"], []).append(uid)
    absent = [] if root else list(_absent_owners(known, by_name))
    tops = [uid for uid in by_name if not any(owner["uid"] in known for owner in _owners(known[uid]))]
    shown = _downward([root] if root else [*(node.id for node in absent), *tops, *by_name], owned)
    ids = {uid: _id(obj) for uid, obj in known.items()}
    nodes = (*absent, *(_node(known[uid]) for uid in shown if uid in known))
    edges = tuple(
        Edge(ids.get(owner, owner), ids[uid], kind="" if owner in known else "dashed")
        for owner in shown
        for uid in owned.get(owner, ())
    )
    return Graph(title, nodes, edges)


def _downward(starts: Sequence[str], owned: dict[str, list[str]]) -> list[str]:
    """The UIDs and all that they own, each once, what is owned right after its owner."""
    found: dict[str, None] = {}
    todo = list(reversed(starts))
    while todo:
        uid = todo.pop()
        if uid not in found:
            found[uid] = None
            todo += reversed(owned.get(uid, []))
    return list(found)


def _listed(client: Client, namespace: str) -> Iterator[JsonObject]:
    for resource in RESOURCES.values():
        if not resource.namespaced or "list" not in resource.verbs or resource.is_view or resource.plural in IGNORED:
            continue
        try:
            found = client.raw("GET", resource.path(namespace))
        except NotFound:
            continue  # another server may serve less
        for item in found["items"]:
            if not is_furniture(resource.kind, item):
                yield {**item, "kind": resource.kind}


def _owners(obj: JsonObject) -> list[JsonObject]:
    return obj["metadata"].get("ownerReferences") or []


def _node(obj: JsonObject) -> Node:
    return Node(_id(obj), (obj["metadata"]["name"],), obj["kind"], state_of(obj))


def _id(obj: JsonObject) -> str:
    """`Pod/default/web`: as all pictures and widgets name it."""
    meta = obj["metadata"]
    return "/".join(part for part in (obj["kind"], meta.get("namespace"), meta["name"]) if part)


def _absent_owners(known: dict[str, JsonObject], order: Sequence[str]) -> Iterator[Node]:
    """Owners that something names, and that are not here: gone, or of another namespace or of none."""
    seen: set[str] = set()
    for owner in (owner for uid in order for owner in _owners(known[uid])):
        if owner["uid"] not in known and owner["uid"] not in seen:
            seen.add(owner["uid"])
            resource = next((each for each in RESOURCES.values() if each.kind == owner["kind"]), None)
            state = ABSENT if resource is None or resource.namespaced else "in no namespace"
            yield Node(owner["uid"], (owner["name"],), owner["kind"], state)
