"""Pictures that change with their cluster, for widgets: the picture is drawn anew whenever one asks.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8slab.lab.widgets.sources import PictureLike

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster


class ClusterPicture:
    """One kind of picture of one cluster."""

    def __init__(self, cluster: Cluster, draw: Callable[[], PictureLike]) -> None:
        self._cluster, self._draw = cluster, draw
        self.selection = cluster.selection

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after every change; what comes back ends that."""
        return self._cluster.changes.subscribe(callback)

    def picture(self) -> PictureLike:
        """A picture of how it is now."""
        with self._cluster.looking():
            return self._draw()
