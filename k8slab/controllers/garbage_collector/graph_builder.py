"""How the graph follows the cluster, and whom each change concerns.

Three things happen to the graph: a watch tells of an object (`observe`), a watch tells that one is gone (`forget`), and the
server, asked about a node, says that there is no such object (`not_found`). Each time the builder changes the graph and says
who has to be looked at: `attempt_to_delete`, `attempt_to_orphan`. It never asks the server, and never decides: to be looked
at does no harm.

What comes first is not known: a watch may tell of a dependent before it tells of its owner. Then the owner gets a *virtual*
node, and is looked at. And a reference may have the UID of one object and the name, kind or namespace of another. Then the
dependents disagree about who their owner is, and each of their words is tried in turn.

Models: pkg/controller/garbagecollector/graph_builder.go (processGraphChanges), on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from k8slab.controllers.garbage_collector.absent_owners import AbsentOwners
from k8slab.controllers.garbage_collector.graph import Node, ObjectReference, OwnerReference, State

Attempt = Callable[[Node], None]
ReportNamespace = Callable[[Node, OwnerReference], None]
"""Called with a dependent and its reference to an owner that lives in another namespace."""


class GraphBuilder:
    """The graph of all objects, by UID."""

    def __init__(
        self,
        absent_owners: AbsentOwners,
        attempt_to_delete: Attempt,
        attempt_later: Attempt,
        attempt_to_orphan: Attempt,
        report_namespace: ReportNamespace,
    ) -> None:
        self.nodes: dict[str, Node] = {}
        self._absent_owners = absent_owners
        self._attempt_to_delete, self._attempt_to_orphan = attempt_to_delete, attempt_to_orphan
        self._attempt_later = attempt_later
        """Like `attempt_to_delete`, but not at once: for what may come back again and again."""
        self._report_namespace = report_namespace

    # What happens to the graph.

    def observe(self, identity: ObjectReference, owners: tuple[OwnerReference, ...], state: State) -> Node:
        """A watch tells of an object: new, or changed."""
        node = self.nodes.get(identity.uid)
        if node is None:
            node = self.nodes[identity.uid] = Node(identity)
        elif not node.observed:
            self._meet(node, identity)
        else:
            node.identity = identity  # the same, unless its kind is served in another version now
        if owners != node.owners:
            self._change_owners(node, owners)
        if state is not node.state:
            node.state = state
            self._state_changed(node)
        return node

    def forget(self, node: Node) -> None:
        """A watch tells that an object is gone: whoever depends on it is looked at, and whoever waits for it."""
        if self.nodes.get(node.uid) is node:
            self._remove(node, node.identity)

    def not_found(self, identity: ObjectReference) -> None:
        """The server says that there is no such object: no such name in that namespace, or it has another UID."""
        node = self.nodes.get(identity.uid)
        if node is None:
            return
        mean_it, mean_another = partition(node.dependents.values(), identity)
        if node.observed and node.identity == identity:
            self._remove(node, identity)
        elif node.observed:
            self._lose(identity, mean_it)  # it is there, under another name: the references are wrong
        elif mean_another:
            self._lose(identity, mean_it)
            if node.identity == identity and (other := next_identity(mean_another, identity)):
                node.identity = other
                self._attempt_later(node)
        else:
            self._remove(node, identity)

    # How.

    def _meet(self, node: Node, identity: ObjectReference) -> None:
        """What was virtual is observed. Who has described it otherwise may be wrong about having an owner."""
        if identity != node.identity:
            for dependent in partition(node.dependents.values(), identity)[1]:
                if identity.namespace and dependent.identity.namespace != identity.namespace:
                    self._report(dependent, identity.uid)
                self._attempt_to_delete(dependent)
        node.identity, node.observed = identity, True

    def _change_owners(self, node: Node, owners: tuple[OwnerReference, ...]) -> None:
        before = {each.uid: each for each in node.owners}
        after = {each.uid: each for each in owners}
        node.owners = owners
        for uid, reference in before.items():
            owner = self.nodes.get(uid)
            if owner is None:
                continue
            if reference.blocks and not (uid in after and after[uid].blocks):
                self._attempt_to_delete(owner)  # nobody has to wait for this dependent any more
            if uid not in after:
                owner.remove_dependent(node)
        self._add_to_owners(node, [each for each in owners if each.uid not in before])

    def _add_to_owners(self, node: Node, owners: Iterable[OwnerReference]) -> None:
        suspicious = False
        for reference in owners:
            owner = self.nodes.get(reference.uid)
            if owner is None:
                identity = reference.seen_from(node.identity.namespace)
                owner = self.nodes[reference.uid] = Node(identity, observed=False)
                owner.add_dependent(node)
                self._attempt_to_delete(owner)
                continue
            owner.add_dependent(node)
            suspicious = self._is_suspicious(node, reference, owner) or suspicious
        if suspicious:
            self._attempt_to_delete(node)

    def _is_suspicious(self, node: Node, reference: OwnerReference, owner: Node) -> bool:
        """Whether a reference does not fit what is known of the owner."""
        namespace = owner.identity.namespace
        if namespace and namespace != node.identity.namespace:
            if owner.observed:
                self._report(node, owner.uid)
            return True
        if not reference.describes(owner.identity):
            return True
        # A cluster-scoped object spoke of it first: an owner of which nobody knows whether it has a namespace.
        return not owner.observed and namespace != node.identity.namespace

    def _report(self, dependent: Node, owner: str) -> None:
        for reference in dependent.owners:
            if reference.uid == owner:
                self._report_namespace(dependent, reference)
                return

    def _state_changed(self, node: Node) -> None:
        if node.state is State.ORPHANING_DEPENDENTS:
            self._attempt_to_orphan(node)
        elif node.state is State.DELETING_DEPENDENTS:
            for dependent in node.dependents.values():
                self._attempt_to_delete(dependent)
            self._attempt_to_delete(node)

    def _remove(self, node: Node, identity: ObjectReference) -> None:
        del self.nodes[node.uid]
        self._lose(identity, list(node.dependents.values()))
        for reference in node.owners:
            owner = self.nodes.get(reference.uid)
            if owner is None:
                continue
            owner.remove_dependent(node)
            if owner.state is State.DELETING_DEPENDENTS:
                self._attempt_to_delete(owner)  # perhaps this was the last for which it waited

    def _lose(self, owner: ObjectReference, dependents: Sequence[Node]) -> None:
        if dependents:
            self._absent_owners.add(owner)
        for dependent in dependents:
            self._attempt_to_delete(dependent)


def partition(dependents: Iterable[Node], owner: ObjectReference) -> tuple[list[Node], list[Node]]:
    """(who means this owner, who has its UID and means another). One with two references may do both."""
    mean_it, mean_another = [], []
    for dependent in dependents:
        if owner.namespace and owner.namespace != dependent.identity.namespace:
            mean_another.append(dependent)
            continue
        described = [each.describes(owner) for each in dependent.owners if each.uid == owner.uid]
        if any(described):
            mean_it.append(dependent)
        if not all(described):
            mean_another.append(dependent)
    return mean_it, mean_another


def next_identity(dependents: Iterable[Node], absent: ObjectReference) -> ObjectReference | None:
    """What else the dependents call an owner that is not there by one name: the next after that one, in a ring."""
    others: dict[ObjectReference, None] = {}
    for dependent in dependents:
        for reference in dependent.owners:
            if reference.uid != absent.uid:
                continue
            namespace = dependent.identity.namespace
            if reference.describes(absent) and absent.namespace in ("", namespace):
                continue
            if not absent.namespace and (reference.api_version, reference.kind) == (absent.api_version, absent.kind):
                namespace = ""  # the kind has no namespaces
            others[reference.seen_from(namespace)] = None
    if not others:
        return None
    ring = sorted(others, key=_place)
    return next((each for each in ring if _place(each) > _place(absent)), ring[0])


def _place(identity: ObjectReference) -> tuple[str, ...]:
    return identity.kind, identity.api_version, identity.namespace, identity.name
