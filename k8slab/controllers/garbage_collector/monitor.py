"""The watch of one kind that the graph is built from.

It keeps no objects: of each it reads who its owners are and whether it is going, gives that to the graph, and remembers which
node goes by which name, so that it can tell what is gone. Upstream asks the server for metadata only
(`PartialObjectMetadata`), to spare the wire; in the same process the object is there anyway, and shared by all who watch.

Models: pkg/controller/garbagecollector/graph_builder.go (monitor, controllerFor).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import WatchEvent
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.reflector import Reflector, key_of
from k8slab.controllers.garbage_collector.graph import Node, identity_of, owners_of, state_of
from k8slab.controllers.garbage_collector.graph_builder import GraphBuilder


class Monitor(Reflector):
    """Tells the graph of all objects of one resource."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        graph: GraphBuilder,
        *,
        on_change: Callable[[], None] | None = None,
        no_longer_served: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(client, resource, wake=wake)
        self._graph = graph
        self._on_change, self._no_longer_served = on_change, no_longer_served
        self._nodes: dict[str, Node] = {}

    def drain(self) -> bool:
        """Take in what happened. A kind that is not served any more has no news, until discovery finds it again."""
        try:
            return super().drain()
        except NotFound:
            self.rest()
            self._no_longer_served()
            return False

    def rest(self) -> None:
        """Stop watching, and ask for no turn."""
        self.close()
        self.stale = False

    def resume(self) -> None:
        """Watch again, if it rests."""
        self.stale = self.stale or self._watch is None

    def _apply(self, event: WatchEvent) -> bool:
        raw = event.object
        key = key_of(raw)
        node = self._nodes.get(key)
        if node is None:
            if event.type == "DELETED":
                return False
        elif event.revision and node.revision >= event.revision:
            return False
        self.observer.told(self.resource.plural, key, event)
        if event.type == "DELETED":
            self._forget(key)
        else:
            if node is not None and node.uid != raw["metadata"]["uid"]:
                self._forget(key)  # it went and came back between two looks: two objects of one name
                node = None
            owners, state = owners_of(raw), state_of(raw)
            if node is None or owners != node.owners or state is not node.state:
                identity = node.identity if node is not None else identity_of(self.resource, raw)
                node = self._nodes[key] = self._graph.observe(identity, owners, state)
            # Else it is the usual case: a status, a lease.
            node.revision = event.revision
        if self._on_change is not None:
            self._on_change()
        self.observer.taken_in()
        return True

    def _known(self) -> Collection[str]:
        return self._nodes

    def _forget(self, key: str) -> None:
        self._graph.forget(self._nodes.pop(key))
