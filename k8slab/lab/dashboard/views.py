"""What is on the dashboard's page: one row a view. k8slab's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8slab.lab.dashboard.on_page import OnPage, PageControls, PageGraph, PageObjects, PageTimeline, PageTimer, PageWhy
from k8slab.lab.desk.hands import ClusterHands
from k8slab.lab.desk.objects import ClusterObjects
from k8slab.lab.desk.views import ClusterPicture
from k8slab.lab.pictures.architecture import architecture
from k8slab.lab.pictures.ownership import ownership_graph
from k8slab.lab.pictures.scope import beginning
from k8slab.lab.pictures.timeline import timeline
from k8slab.lab.reference import reference
from k8slab.lab.widgets.sources import PictureLike
from k8slab.loop.stepped import SteppedLoop

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster

NEWEST_SECONDS = 600.0
"""The timeline shows this much: a page is for what happens now, and a long life takes long to draw."""
LIVE = "This cluster runs in real time: it cannot be stepped or taken back. Cluster(mode='stepped') can."
CANNOT_LIVE = dict.fromkeys(("step", "back", "forward", "run", "durations", "slider"), LIVE)


@dataclass(frozen=True)
class ViewKind:
    """A view: how its widget is made. `dashboard.js` says which module draws it, and `index.html` where."""

    make: Callable[[Cluster], OnPage]
    ticks: bool = False
    """Whether it changes with time alone."""


def view(cluster: Cluster) -> OnPage:
    """The cluster at work."""
    return PageGraph(ClusterPicture(cluster, lambda: architecture(cluster.engine, cluster.trace)), timer=PageTimer())


def newest(cluster: Cluster) -> OnPage:
    """What happened in the last minutes."""

    def draw() -> PictureLike:
        age = cluster.now - beginning(cluster.engine, cluster.trace)
        return timeline(cluster.engine, cluster.trace, start=max(0.0, age - NEWEST_SECONDS))

    return PageTimeline(ClusterPicture(cluster, draw), timer=PageTimer())


def ownership(cluster: Cluster) -> OnPage:
    """Who owns whom, in the namespace of the chosen object."""

    def draw() -> PictureLike:
        chosen = cluster.selection.selected
        namespace = reference(chosen).namespace if "/" in chosen else ""
        return ownership_graph(cluster.client, namespace=namespace or "default")

    return PageGraph(ClusterPicture(cluster, draw), timer=PageTimer())


def why(cluster: Cluster) -> OnPage:
    """Why the chosen object is as it is."""
    return PageWhy(ask=ClusterObjects(cluster).why, timer=PageTimer())


def objects(cluster: Cluster) -> OnPage:
    """All objects."""
    return PageObjects(ClusterObjects(cluster), timer=PageTimer())


def controls(cluster: Cluster) -> OnPage:
    """Time, steps, faults."""
    cannot = {} if isinstance(cluster.engine.loop, SteppedLoop) else CANNOT_LIVE
    return PageControls(ClusterHands(cluster), cannot, PageTimer())


VIEWS: Mapping[str, ViewKind] = {
    "controls": ViewKind(controls, ticks=True),
    "view": ViewKind(view),
    "timeline": ViewKind(newest),
    "ownership": ViewKind(ownership),
    "why": ViewKind(why),
    "objects": ViewKind(objects, ticks=True),
}
"""Every view of the page, by the name that page and server use."""
