"""A graph whose text and table are not a list of its boxes: they say the same in rows of their own.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Collection

from k8slab.lab.drawing import Graph, GraphPicture, Table
from k8slab.lab.drawing.collapse import LIMIT


class TabledGraph(GraphPicture):
    """A graph with its rows. As text it is its rows, and below them, what else there is to say."""

    def __init__(
        self,
        model: Graph,
        rows: Table,
        said: str = "",
        limit: int = LIMIT,
        expand: Collection[str] = (),
        note: str = "",
    ) -> None:
        super().__init__(model, limit, expand)
        self._rows, self.said, self.note = rows, said, note

    def _text(self) -> str:
        return "\n".join(filter(None, [str(self._rows), self.said, self.note]))

    def _table(self) -> Table:
        return self._rows

    def expand(self, *groups: str) -> TabledGraph:
        """The same graph with these groups open, too."""
        return TabledGraph(self.model, self._rows, self.said, self.limit, self.opened | set(groups), self.note)
