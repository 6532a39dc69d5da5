"""The objects of a cluster, to look through: a table, and what there is to say about the chosen one.

Filtering is done in the browser, among the rows that the source gave: it is instant, and works in a notebook that was
reopened without a kernel. `text`, `kind` and `namespace` say what the filter is at the beginning. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from k8slab.lab.widgets.base import Answer, LabWidget, Message, sentence, text_in
from k8slab.lab.widgets.modules import javascript
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.selection import Selection
from k8slab.lab.widgets.sources import Filter, ObjectRow, ObjectsSource
from k8slab.lab.widgets.still import rows_svg
from k8slab.lab.widgets.throttle import Timer


@dataclass(frozen=True, slots=True)
class Tab:
    """One thing to know about an object: its title, and who knows."""

    title: str
    look: Callable[[ObjectsSource, str], object]


TABS = {
    "yaml": Tab("YAML", lambda source, id: source.yaml(id)),
    "events": Tab("Events", lambda source, id: source.events(id)),
    "why": Tab("Why", lambda source, id: source.why(id)),
}


class ObjectsView(LabWidget):
    """Objects as a widget."""

    _esm = javascript("objects")

    def __init__(
        self,
        source: ObjectsSource,
        *,
        text: str = "",
        kind: str = "",
        namespace: str = "",
        selection: Selection | None = None,
        timer: Timer | None = None,
    ) -> None:
        self._objects = source
        self._first_filter = {"text": text, "kind": kind, "namespace": namespace}
        self._tab = "yaml"
        super().__init__(source, selection, timer)

    @property
    def text(self) -> str:
        """The table in words."""
        rows = self._lines()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("   ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    @property
    def svg(self) -> str:
        """The table as SVG."""
        return rows_svg("Objects", self._lines())

    def _lines(self) -> list[tuple[str, ...]]:
        table = self._objects.rows(Filter(**self._first_filter))
        return [tuple(name.upper() for name in table.columns), *(tuple(row.cells) for row in table.rows)]

    def _parts(self) -> State:
        table = self._objects.rows(Filter())
        return {
            "title": "Objects",
            "columns": list(table.columns),
            "rows": [_row(row) for row in table.rows],
            "filter": self._first_filter,
            "tabs": [{"id": name, "title": tab.title} for name, tab in TABS.items()],
            "details": self._details(),
        }

    def _details(self) -> dict[str, Any]:
        chosen = self.selection.selected
        said = {"id": chosen, "tab": self._tab, "text": "", "problem": ""}
        if chosen:
            try:
                said["text"] = str(TABS[self._tab].look(self._objects, chosen))
            except Exception as error:  # an object that is gone is no reason to show no table
                said["problem"] = sentence(error)
        return said

    def _answers(self) -> dict[str, Answer]:
        return super()._answers() | {"tab": self._turn_to}

    def _turn_to(self, message: Message) -> None:
        tab = text_in(message, "tab")
        if tab not in TABS:
            raise ValueError(f"There is no tab {tab!r}; there are: {', '.join(TABS)}")
        self._tab = tab
        self.show_now()


def _row(row: ObjectRow) -> dict[str, Any]:
    kind, *where = row.id.split("/")
    return {"id": row.id, "kind": kind, "namespace": where[0] if len(where) > 1 else "", "cells": list(row.cells)}
