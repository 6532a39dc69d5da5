"""The garbage collector's control loop.

Its watches of all kinds change the graph (`monitor.py`, `graph_builder.py`), and the graph says whom to look at. One queue
holds three kinds of keys:

- `attemptToDelete`: look at an object, as an owner that waits for its dependents, and as a dependent (`fate.py`);
- `attemptToOrphan`: an object goes, and what it owns stays: nobody is to name it as owner any more, then it may go;
- `discover`: watch every kind that the server serves now. Whoever defines a kind (a CustomResourceDefinition) queues it.

The cache may be late, so before anything is deleted, the server is asked: is the object there, and are its owners? To look at
an object too often costs a question; it never costs an object.

Models: pkg/controller/garbagecollector/garbagecollector.go (upstream asks for the kinds every 30 s).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.controller import Controller, NotYet
from k8slab.client.discovery import NoKindMatch, RestMapper, discover, preferred
from k8slab.clock import Clock
from k8slab.controllers.garbage_collector.absent_owners import AbsentOwners
from k8slab.controllers.garbage_collector.fate import Fate, Owners, fate_of
from k8slab.controllers.garbage_collector.graph import (
    FOREGROUND,
    ORPHAN,
    Node,
    OwnerReference,
    State,
    owners_of,
    state_of,
)
from k8slab.controllers.garbage_collector.graph_builder import GraphBuilder
from k8slab.controllers.garbage_collector.monitor import Monitor
from k8slab.controllers.garbage_collector.objects import NamespacedOwner, Objects
from k8slab.names import Chance

LEFT_OUT = ("One worker looks at one object at a time; upstream has twenty.",)

TO_DELETE, TO_ORPHAN, DISCOVER = "attemptToDelete", "attemptToOrphan", "discover"
IGNORED = frozenset({("", "events"), ("events.k8s.io", "events")})
"""Kinds of which there are many, and which own nothing and are owned by nobody."""
DEFINING = frozenset({("apiextensions.k8s.io", "customresourcedefinitions"), ("apiregistration.k8s.io", "apiservices")})
"""Kinds whose objects are kinds."""


class GarbageCollector(Controller):
    """Deletes what is owned by nobody who exists."""

    name = "garbage-collector-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.absent_owners = AbsentOwners()
        self.objects = Objects(client)
        self.graph = GraphBuilder(
            self.absent_owners,
            attempt_to_delete=lambda node: self.queue.add(_key(TO_DELETE, node)),
            attempt_later=lambda node: self.queue.add_rate_limited(_key(TO_DELETE, node)),
            attempt_to_orphan=lambda node: self.queue.add(_key(TO_ORPHAN, node)),
            report_namespace=self._report_namespace,
        )
        self._monitors: dict[Resource, Monitor] = {}
        self.queue.add(DISCOVER)

    def reconcile(self, key: str) -> float | None:
        """Look at one object; or at the kinds that there are."""
        if key == DISCOVER:
            self._sync_monitors()
            return None
        attempt, uid = key.partition(" ")[0], key.rpartition(" ")[2]
        node = self.graph.nodes.get(uid)
        if node is None:
            return None
        try:
            self._attempts[attempt](self, node)
        except NamespacedOwner:
            return None  # looking again will not help
        except NoKindMatch as unknown:
            raise NotYet(str(unknown), background=True) from unknown
        return None

    # Looking at an object.

    def _attempt_to_delete(self, node: Node) -> None:
        if node.state in (State.GOING, State.ORPHANING_DEPENDENTS):
            return  # its dependents' turn comes when it is gone
        latest = self.objects.live(node.identity)
        if latest is None:
            self.graph.not_found(node.identity)
            return
        if node.state is State.DELETING_DEPENDENTS:
            self._wait_for_dependents(node)
            return
        references = owners_of(latest)
        if references:
            finalizers = latest["metadata"].get("finalizers") or ()
            owners = self._classify(node, references)
            self._carry_out(self.decide(owners, finalizers, node.dependents.values()), node, latest)
        if not node.observed:
            self._wait_to_observe(node)

    def decide(self, owners: Owners, finalizers: Collection[str], dependents: Collection[Node]) -> Fate:
        """What becomes of an object: `fate_of`, unless somebody tries another rule."""
        return fate_of(owners, finalizers, dependents)

    def _wait_to_observe(self, node: Node) -> None:
        """The server knows the object, and no watch has told of it: it may have been deleted again without a word."""
        if node.dependents:
            raise NotYet("no watch has told of it yet")
        self.graph.forget(node)  # nobody speaks of it any more

    def _classify(self, node: Node, references: Sequence[OwnerReference]) -> Owners:
        """What the server says of each owner."""
        owners = Owners()
        for reference in references:
            found = self._owner(node, reference)
            if found is None:
                owners.dangling.append(reference)
            elif state_of(found) is State.DELETING_DEPENDENTS:
                owners.waiting.append(reference)
            else:
                owners.solid.append(reference)
        return owners

    def _owner(self, node: Node, reference: OwnerReference) -> JsonObject | None:
        """An owner as it is now; None if it is not there."""
        outside = reference.seen_from("")
        inside = reference.seen_from(node.identity.namespace)
        if outside in self.absent_owners or inside in self.absent_owners:
            return None
        found = self.objects.live(inside)
        if found is None:
            resource = self.objects.mapper.resource(reference.api_version, reference.kind)
            self.absent_owners.add(inside if resource.namespaced else outside)
        return found

    def _carry_out(self, fate: Fate, node: Node, latest: JsonObject) -> None:
        if fate.drop:
            self.objects.drop_owners(node.identity, fate.drop)
        if fate.unblock and any(each.blocks for each in owners_of(latest)):
            self.objects.unblock_owners(node.identity, [each.uid for each in owners_of(latest)])
            latest = self.objects.live(node.identity) or latest
        if fate.delete and not self.objects.delete(node.identity, latest, fate.delete):
            self.graph.not_found(node.identity)

    def _wait_for_dependents(self, node: Node) -> None:
        """An owner that is deleted in the foreground goes when no dependent is left for which it has to wait."""
        blocking = node.blocking_dependents()
        if not blocking:
            self.objects.remove_finalizer(node.identity, FOREGROUND)
        for dependent in blocking:
            if dependent.state is not State.DELETING_DEPENDENTS:
                self.queue.add(_key(TO_DELETE, dependent))

    def _attempt_to_orphan(self, node: Node) -> None:
        for dependent in list(node.dependents.values()):
            self.objects.drop_owners(dependent.identity, [node.uid])
        self.objects.remove_finalizer(node.identity, ORPHAN)

    _attempts = {TO_DELETE: _attempt_to_delete, TO_ORPHAN: _attempt_to_orphan}  # noqa: RUF012

    # Watching all kinds.

    def _sync_monitors(self) -> None:
        """Watch what is served now and can be deleted, and nothing else."""
        served = discover(self.client)
        self.objects.mapper = RestMapper(served)
        wanted = dict.fromkeys(
            each.resource
            for each in preferred(served)
            if each.supports("delete", "list", "watch") and (each.resource.group, each.resource.plural) not in IGNORED
        )
        for resource in [each for each in self._monitors if each not in wanted]:
            monitor = self._monitors.pop(resource)
            monitor.rest()
            self.informers.remove(monitor)
        for resource in wanted:
            if resource in self._monitors:
                self._monitors[resource].resume()
            else:
                self._monitors[resource] = self.follow(self._monitor(resource))

    def _monitor(self, resource: Resource) -> Monitor:
        defines = (resource.group, resource.plural) in DEFINING
        return Monitor(
            self.client, resource, self.graph,
            on_change=partial(self.queue.add, DISCOVER) if defines else None,
            no_longer_served=partial(self.queue.add_rate_limited, DISCOVER),
            wake=self._wake,
        )  # fmt: skip

    def _report_namespace(self, dependent: Node, reference: OwnerReference) -> None:
        namespace = dependent.identity.namespace
        message = f'ownerRef {reference.seen_from(namespace)} does not exist in namespace "{namespace}"'
        self.recorder.event(dependent.identity, "Warning", "OwnerRefInvalidNamespace", message)


def _key(attempt: str, node: Node) -> str:
    """What the queue holds: what to attempt, with whom, and the UID: `attemptToDelete Pod/default/web 1234`."""
    return f"{attempt} {node.identity.key} {node.uid}"
