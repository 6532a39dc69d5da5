"""The desk: where the pages of a dashboard are served, on a thread of their own.

The cluster's threads say that something has changed, and go on at once; the server's thread hands over what the browsers say.
Whatever takes long, a drawing or an hour of virtual time, is done here. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from k8slab.lab.dashboard.loop_thread import LoopThread

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster
    from k8slab.lab.dashboard.page import Page

TICK_SECONDS = 1.0


class PagesDesk:
    """All open pages of one cluster, on a thread of their own: what the server hands over to."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pages: list[Page] = []
        self._thread = LoopThread("dashboard-desk")
        self._ticking = False

    def about(self) -> Mapping[str, Any]:
        """What does not change about the cluster."""
        cluster = self._cluster
        return {
            "name": cluster.name,
            "mode": cluster.mode,
            "runtime": cluster.runtime,
            "nodes": len(cluster.nodes),
            "seed": cluster.seed,
        }

    def open(self, post: Callable[[str], None]) -> Callable[[str | None], None]:
        """A page is there; see `server.Desk`."""
        came: list[Page] = []
        self._thread.soon(partial(self._begin, post, came))
        return lambda text: self._thread.soon(partial(self._hear, came, text))

    def close(self) -> None:
        """End all pages, and the thread."""
        self._thread.soon(self._end)
        self._thread.stop()

    def _begin(self, post: Callable[[str], None], came: list[Page]) -> None:
        # Imported here: whom nobody asks for a page does not wait for ipywidgets.
        from k8slab.lab.dashboard.page import Page

        came.append(Page(self._cluster, post))
        self._pages.append(came[0])
        if not self._ticking and self._cluster.mode == "live":
            self._ticking = True
            self._tick()

    def _hear(self, came: list[Page], text: str | None) -> None:
        for page in came:
            if text is not None:
                page.receive(text)
            elif page in self._pages:
                self._pages.remove(page)
                page.close()

    def _tick(self) -> None:
        """Where time passes without anything else happening, ages grow all the same."""
        for page in self._pages:
            page.tick()
        if self._pages:
            self._thread.later(TICK_SECONDS, self._tick)
        self._ticking = bool(self._pages)

    def _end(self) -> None:
        for page in self._pages:
            page.close()
        self._pages.clear()
