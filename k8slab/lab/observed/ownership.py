"""Who owns whom: an object, its owners up to the first, and all that depends on it.

Owner references stand in the dependents, and name their owner by uid. So owners are found by asking for them one by one,
dependents by looking through everything that may depend: the object's namespace, or the whole cluster for an object that is in
none. An owner that is gone, or that has another uid now, is drawn too: such objects wait for the garbage collector.

Models: k8s.io/kubernetes/pkg/controller/garbagecollector (graph_builder.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.drawing import Edge, Graph, Node
from k8slab.lab.observed.answer import GraphAnswer
from k8slab.lab.observed.read_only import ConnectError, ObservedError
from k8slab.lab.observed.reading import Everything, Reader, Seen
from k8slab.lab.observed.state import state_of


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner reference of an object, looked up."""

    of: Seen
    reference: JsonObject
    found: Seen | None
    state: str
    """Why it was not found; empty if it was."""

    @property
    def controls(self) -> bool:
        """Whether it is the one that manages the object."""
        return bool(self.reference.get("controller"))

    @property
    def title(self) -> str:
        """As people say it: `ReplicaSet web-abc`."""
        return self.found.title if self.found else f"{self.reference.get('kind')} {self.reference.get('name')}"

    @property
    def id(self) -> str:
        """As pictures have it."""
        if self.found is not None:
            return self.found.id
        where = [self.of.namespace, str(self.reference.get("name")), str(self.reference.get("uid"))]
        return "/".join(part for part in (str(self.reference.get("kind")), *where) if part)


@dataclass(slots=True)
class Family:
    """An object with those above and below it."""

    root: Seen
    owners: list[Owner] = field(default_factory=list)
    """All references on the ways up, the nearest first."""
    members: list[Seen] = field(default_factory=list)
    """The object and all that is below it, parents before children."""
    notes: tuple[str, ...] = ()


def owners_of(reader: Reader, seen: Seen) -> list[Owner]:
    """Everybody above an object, the nearest first. Circles are cut where they close."""
    found: list[Owner] = []
    waiting, known = [seen], {seen.uid}
    while waiting:
        below = waiting.pop(0)
        for reference in below.owners:
            owner = _look_up(reader, below, reference)
            found.append(owner)
            if owner.found is not None and owner.found.uid not in known:
                known.add(owner.found.uid)
                waiting.append(owner.found)
    return found


def family(reader: Reader, root: Seen) -> Family:
    """An object, its owners and its dependents."""
    everything = reader.everything(root.namespace)
    return Family(root, owners_of(reader, root), [root, *_below(everything, root)], everything.notes)


def ownership(reader: Reader, root: Seen) -> GraphAnswer:
    """The picture of a family."""
    found = family(reader, root)
    nodes: dict[str, Node] = {}
    for owner in reversed(found.owners):
        nodes.setdefault(owner.id, owner_node(owner))
    for member in found.members:
        nodes[member.id] = object_node(member, lit=member is root)
    graph = Graph(f"Ownership of {root.title}", tuple(nodes.values()), tuple(_edges(found)))
    return GraphAnswer(graph, found.notes)


def object_node(seen: Seen, lit: bool = False) -> Node:
    """The box of an object."""
    return Node(seen.id, (seen.name,), seen.kind.label, state_of(seen), lit=lit)


def owner_node(owner: Owner) -> Node:
    """The box of an owner, found or not."""
    if owner.found is not None:
        return object_node(owner.found)
    reference = owner.reference
    return Node(owner.id, (str(reference.get("name")),), str(reference.get("kind")), owner.state)


def _look_up(reader: Reader, below: Seen, reference: JsonObject) -> Owner:
    kind = reader.kinds.of(str(reference.get("apiVersion") or ""), str(reference.get("kind") or ""))
    if kind is None:
        return Owner(below, reference, None, "a kind that is not served")
    namespace = below.namespace if kind.resource.namespaced else ""
    try:
        found = reader.get(kind, namespace, str(reference.get("name")))
    except ConnectError:
        raise
    except ObservedError:
        return Owner(below, reference, None, "not allowed to look")
    if found is None:
        return Owner(below, reference, None, "gone")
    if found.uid != reference.get("uid"):
        return Owner(below, reference, None, "gone: another one has its name")
    return Owner(below, reference, found, "")


def _below(everything: Everything, root: Seen) -> Iterator[Seen]:
    """All dependents, parents before children, each once."""
    known, stack = {root.uid}, [root]
    while stack:
        parent = stack.pop()
        if parent is not root:
            yield parent
        children = [each for each in everything.dependents.get(parent.uid, []) if each.uid not in known]
        known.update(each.uid for each in children)
        stack += reversed(children)


def _edges(found: Family) -> Iterable[Edge]:
    edges = {(owner.id, owner.of.id): _edge(owner.id, owner.of, owner.reference) for owner in found.owners}
    ids = {member.uid: member.id for member in found.members}
    for member in found.members[1:]:
        for reference in member.owners:
            if above := ids.get(str(reference.get("uid"))):
                edges[above, member.id] = _edge(above, member, reference)
    return edges.values()


def _edge(above: str, below: Seen, reference: JsonObject) -> Edge:
    # Nearly all owners are controllers, so only the others are told apart.
    return Edge(above, below.id, "" if reference.get("controller") else "owns, does not control")
