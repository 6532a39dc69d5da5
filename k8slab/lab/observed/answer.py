"""What a connected lab gives back: a picture, the same in words and in rows, and what could not be seen.

The last is part of the answer. On a cluster that is not ours some kinds are closed to us, some events are forgotten, and some
things are recorded nowhere: whoever reads a picture must know what it would not show.

The shape is that of the stepped cluster's answers (`k8slab/lab/why.py`): `text`, `table`, `picture`, `svg`, `json()`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Generic, TypeVar

from k8slab.lab.drawing import Graph, Picture, Table, Timeline, draw

M = TypeVar("M", bound=Graph | Timeline)


class Answer(Generic[M]):
    """Something that was found out. In a notebook it shows as a drawing; as text with the notes below."""

    def __init__(self, model: M, notes: tuple[str, ...] = ()) -> None:
        self.model: M = model
        self.notes = notes
        """What could not be seen, one sentence each."""

    def __str__(self) -> str:
        return "\n".join([str(self.picture), *(f"({note})" for note in self.notes)])

    def __repr__(self) -> str:
        return str(self)

    @property
    def text(self) -> str:
        """The answer as it is printed, notes included."""
        return str(self)

    @property
    def table(self) -> Table:
        """The answer as rows."""
        return self.picture.table

    @cached_property
    def picture(self) -> Picture:
        """The answer, drawn."""
        return draw(self.model)

    @property
    def svg(self) -> str:
        """The drawing. Raises RuntimeError where it cannot be drawn."""
        return self.picture.svg

    def json(self) -> dict[str, Any]:
        """What a widget draws."""
        table = {"columns": list(self.table.columns), "rows": [list(row) for row in self.table.rows]}
        return self.picture.json() | {"text": self.text, "table": table, "notes": list(self.notes)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.picture._repr_mimebundle_() | {"text/plain": self.text}


class GraphAnswer(Answer[Graph]):
    """An answer that is boxes and arrows."""

    @property
    def graph(self) -> Graph:
        """The boxes and arrows, as data."""
        return self.model


class TimelineAnswer(Answer[Timeline]):
    """An answer that is things over time."""

    @property
    def timeline(self) -> Timeline:
        """The lanes with what is in them, as data."""
        return self.model
