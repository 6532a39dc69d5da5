"""What a notebook shows: a model, wrapped so that it can be looked at in five ways.

`str(picture)` is text, `picture.table` a table, `picture.svg` a drawing, `picture.json()` a dict for widgets, and a graph
has `picture.dot`. All five come from the one model, and the drawing and the dict from one scene, made when first asked for.

A picture is never the reason why a learner sees a traceback: whatever goes wrong while drawing, text and table are left,
and `picture.problem` says what it was. The text is what notebooks compare: it knows no coordinates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from typing import Any

from k8slab.lab.drawing.collapse import LIMIT, collapse, complete
from k8slab.lab.drawing.dot import graph_dot
from k8slab.lab.drawing.model import Graph, Sequence, StateDiagram, Table, Timeline
from k8slab.lab.drawing.palette import Theme, palette_json, theme
from k8slab.lab.drawing.sequence import SequenceScene, sequence_scene, sequence_svg, sequence_table, sequence_text
from k8slab.lab.drawing.states import state_graph, states_table, states_text
from k8slab.lab.drawing.svg import GraphScene, graph_scene, graph_svg
from k8slab.lab.drawing.timeline import kinds_of, timeline_table, timeline_text
from k8slab.lab.drawing.timeline_scene import TimelineScene, timeline_scene
from k8slab.lab.drawing.timeline_svg import timeline_svg
from k8slab.lab.drawing.tree import graph_table, graph_text

Scene = GraphScene | TimelineScene | SequenceScene


class Picture(ABC):
    """Something drawn. In a notebook it shows as a drawing, or as its text where it cannot be drawn."""

    sort: str
    """`graph`, `timeline`, `sequence` or `states`: which module of a widget draws it."""

    def __init__(self, title: str) -> None:
        self.title = title

    @property
    def text(self) -> str:
        """The same in words, without the title."""
        return self._text()

    @cached_property
    def table(self) -> Table:
        """The same as rows. Nothing is shortened or collapsed in it."""
        return self._table()

    @property
    def svg(self) -> str:
        """The drawing on a light background. Raises RuntimeError where it cannot be drawn."""
        return self.svg_for("light")

    def svg_for(self, name: str) -> str:
        """The drawing in a theme, `light` or `dark`. Raises ValueError for others, RuntimeError if it cannot be drawn."""
        chosen = theme(name)
        try:
            return self._drawn(chosen)
        except Exception as error:
            raise RuntimeError(_said(error)) from error

    @property
    def problem(self) -> str:
        """What is wrong with the drawing: why there is none, or why it is plainer than it should be; else empty."""
        try:
            return getattr(self._scene, "problem", "")
        except Exception as error:
            return _said(error)

    def json(self) -> dict[str, Any]:
        """Everything that a widget needs, as plain data; without coordinates if it cannot be drawn (see `problem`)."""
        said = {
            "sort": self.sort,
            "title": self.title,
            "text": self.text,
            "table": {"columns": list(self.table.columns), "rows": [list(row) for row in self.table.rows]},
            "problem": self.problem,
            "palette": palette_json(self._kinds()),
        }
        try:
            return asdict(self._scene) | said
        except Exception:  # `problem` tells
            return {"width": 0.0, "height": 0.0} | said

    def __str__(self) -> str:
        return f"{self.title}\n{self.text}" if self.title else self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": str(self)}
        with suppress(RuntimeError):  # the text says the same
            bundle["image/svg+xml"] = self.svg
        return bundle

    @abstractmethod
    def _text(self) -> str: ...

    @abstractmethod
    def _table(self) -> Table: ...

    @property
    @abstractmethod
    def _scene(self) -> Scene: ...

    @abstractmethod
    def _drawn(self, theme: Theme) -> str: ...

    @abstractmethod
    def _kinds(self) -> Collection[str]: ...


class GraphPicture(Picture):
    """A graph. With more than `limit` nodes, many are drawn as one; `expand` names the groups to leave open."""

    sort = "graph"

    def __init__(self, model: Graph, limit: int = LIMIT, expand: Collection[str] = ()) -> None:
        super().__init__(model.title)
        self.model = complete(model)
        self.limit, self.opened = limit, frozenset(expand)
        self._collapsed = collapse(self.model, limit, self.opened)

    def _text(self) -> str:
        return graph_text(self._collapsed.graph)

    def _table(self) -> Table:
        return graph_table(self.model)

    @property
    def dot(self) -> str:
        """What is drawn, in Graphviz' language."""
        return graph_dot(self._collapsed.graph)

    def expand(self, *groups: str) -> GraphPicture:
        """The same graph with these groups open, too: `expand("web")` or `expand("group:web")`."""
        return GraphPicture(self.model, self.limit, self.opened | set(groups))

    @cached_property
    def _scene(self) -> GraphScene:
        return graph_scene(self._collapsed.graph, self._collapsed.members)

    def _drawn(self, theme: Theme) -> str:
        return graph_svg(self.title, self.text, self._scene, theme)

    def _kinds(self) -> Collection[str]:
        nodes = self._collapsed.graph.nodes
        # What is broken is marked by the colour and the glyph of a fault.
        return {node.kind for node in nodes} | ({"fault"} if any(node.style for node in nodes) else set())


class StatesPicture(Picture):
    """A state diagram."""

    sort = "states"

    def __init__(self, model: StateDiagram) -> None:
        super().__init__(model.title)
        self.model = model

    def _text(self) -> str:
        return states_text(self.model)

    def _table(self) -> Table:
        return states_table(self.model)

    @cached_property
    def _scene(self) -> GraphScene:
        return graph_scene(complete(state_graph(self.model)))

    def _drawn(self, theme: Theme) -> str:
        return graph_svg(self.title, self.text, self._scene, theme)

    def _kinds(self) -> Collection[str]:
        return {"state"}


class TimelinePicture(Picture):
    """A timeline."""

    sort = "timeline"

    def __init__(self, model: Timeline) -> None:
        super().__init__(model.title)
        self.model = model

    def _text(self) -> str:
        return timeline_text(self.model)

    def _table(self) -> Table:
        return timeline_table(self.model)

    @cached_property
    def _scene(self) -> TimelineScene:
        return timeline_scene(self.model)

    def _drawn(self, theme: Theme) -> str:
        return timeline_svg(self.title, self.text, self._scene, theme)

    def _kinds(self) -> Collection[str]:
        return kinds_of(self.model)


class SequencePicture(Picture):
    """A sequence diagram."""

    sort = "sequence"

    def __init__(self, model: Sequence) -> None:
        super().__init__(model.title)
        self.model = model

    def _text(self) -> str:
        return sequence_text(self.model)

    def _table(self) -> Table:
        return sequence_table(self.model)

    @cached_property
    def _scene(self) -> SequenceScene:
        return sequence_scene(self.model)

    def _drawn(self, theme: Theme) -> str:
        return sequence_svg(self.title, self.text, self._scene, theme)

    def _kinds(self) -> Collection[str]:
        return {"component"}


def draw(model: Graph | Timeline | Sequence | StateDiagram) -> Picture:
    """The picture of a model."""
    match model:
        case Graph():
            return GraphPicture(model)
        case Timeline():
            return TimelinePicture(model)
        case Sequence():
            return SequencePicture(model)
        case StateDiagram():
            return StatesPicture(model)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
