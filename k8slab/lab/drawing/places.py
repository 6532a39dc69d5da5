"""Where things are: boxes, the ways of arrows, and the whole of a layout.

Two modules make layouts, `layout.py` with Graphviz and `grid.py` without, and `svg.py` draws them. Coordinates are pixels,
from the upper left corner, y downward; a box has whole ones, an arrow one decimal.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.lab.drawing.model import Edge
from k8slab.lab.drawing.pen import Point
from k8slab.lab.drawing.words import clean, fit, measure

LONGEST_LABEL = 200.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `x`, `y` is its upper left corner, y grows downward."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge: the points of a chain of Bézier curves, and the middle of its label, if it has one."""

    points: tuple[Point, ...]
    label_at: Point | None = None


@dataclass(frozen=True)
class Layout:
    """Where everything is. `routes` are in the order of the graph's edges."""

    width: float
    height: float
    boxes: dict[str, Box]
    routes: tuple[Route, ...]
    by: str
    """`graphviz` or `grid`."""
    problem: str = ""
    """Why it is not Graphviz' layout, where that was wanted."""


def edge_label(edge: Edge) -> str:
    """The label of an edge as it is drawn."""
    return fit(clean(edge.label), LONGEST_LABEL)


def label_width(text: str) -> float:
    """The width of the patch on which an edge's label stands."""
    return round(measure(text) + 8)
