"""What is on the dashboard's page: one row a view. k8slab's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8slab.lab.dashboard.linked import Linked, machine, object_called, owned_in
from k8slab.lab.dashboard.on_page import OnPage, PageControls, PageGraph, PageObjects, PageTimeline, PageTimer, PageWhy
from k8slab.lab.desk.hands import ClusterHands
from k8slab.lab.desk.objects import ClusterObjects
from k8slab.lab.desk.views import ClusterPicture
from k8slab.lab.drawing import Table
from k8slab.lab.pictures.architecture import architecture
from k8slab.lab.pictures.ownership import ownership_graph
from k8slab.lab.pictures.scope import beginning
from k8slab.lab.pictures.timeline import timeline
from k8slab.lab.reference import reference
from k8slab.loop.stepped import SteppedLoop

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster
    from k8slab.lab.why import Why

NEWEST_SECONDS = 600.0
"""The timeline shows this much: a page is for what happens now, and a long life takes long to draw."""
LIVE = "This cluster runs in real time: it cannot be stepped or taken back. Cluster(mode='stepped') can."
CANNOT_LIVE = dict.fromkeys(("step", "back", "forward", "run", "durations", "slider"), LIVE)


@dataclass(frozen=True)
class ViewKind:
    """A view: what it is called, the module that draws it, and how it is made."""

    title: str
    module: str
    make: Callable[[Cluster], OnPage]
    ticks: bool = False
    """Whether it changes with time alone."""


class PageSources(ClusterObjects):
    """The objects of a cluster. Not everything that can be chosen on the page is one: components are not."""

    def yaml(self, id: str) -> str:
        """An object as YAML."""
        return super().yaml(self._object(id))

    def events(self, id: str) -> Table | str:
        """What was reported about an object."""
        return super().events(self._object(id))

    def why(self, id: str) -> Why:
        """Why an object is as it is."""
        return super().why(self._object(id))

    def _object(self, id: str) -> str:
        if "/" not in id:
            raise ValueError(
                f"{id} is a part of the cluster, and no object in it: choose a Pod, a Node or another object"
            )
        return id


def view(cluster: Cluster) -> OnPage:
    """The cluster at work."""
    draw = lambda: Linked(architecture(cluster.engine, cluster.trace), machine)  # noqa: E731
    return PageGraph(ClusterPicture(cluster, draw), timer=PageTimer())


def newest(cluster: Cluster) -> OnPage:
    """What happened in the last minutes."""

    def draw() -> Linked:
        age = cluster.now - beginning(cluster.engine, cluster.trace)
        start = age - NEWEST_SECONDS if age > NEWEST_SECONDS else None
        return Linked(timeline(cluster.engine, cluster.trace, start=start))

    return PageTimeline(ClusterPicture(cluster, draw), timer=PageTimer())


def ownership(cluster: Cluster) -> OnPage:
    """Who owns whom, in the namespace of the chosen object."""

    def draw() -> Linked:
        chosen = cluster.selection.selected
        namespace = (reference(chosen).namespace if "/" in chosen else "") or "default"
        return Linked(ownership_graph(cluster.client, namespace=namespace), owned_in(namespace))

    return PageGraph(ClusterPicture(cluster, draw), timer=PageTimer())


def why(cluster: Cluster) -> OnPage:
    """Why the chosen object is as it is."""

    def object_of(box: str) -> str:
        record = cluster.trace.get(int(box)) if box.isdecimal() else None
        return object_called(record.what) if record is not None else ""

    return PageWhy(PageSources(cluster).why, object_of, PageTimer())


def objects(cluster: Cluster) -> OnPage:
    """All objects."""
    return PageObjects(PageSources(cluster), timer=PageTimer())


def controls(cluster: Cluster) -> OnPage:
    """Time, steps, faults."""

    cannot = {} if isinstance(cluster.engine.loop, SteppedLoop) else CANNOT_LIVE
    return PageControls(ClusterHands(cluster), cannot, PageTimer())


VIEWS: Mapping[str, ViewKind] = {
    "controls": ViewKind("Controls", "controls", controls, ticks=True),
    "view": ViewKind("Cluster", "graph", view),
    "timeline": ViewKind("Timeline", "timeline", newest),
    "ownership": ViewKind("Ownership", "graph", ownership),
    "why": ViewKind("Why", "why", why),
    "objects": ViewKind("Objects", "objects", objects, ticks=True),
}
"""Every view of the page, by the name that page and server use."""
