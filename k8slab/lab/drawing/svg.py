"""A graph, drawn: boxes and arrows at the places that a layout gave them.

First the scene, plain data with every coordinate; then SVG from the scene. Widgets get the same scene as JSON, so the
picture that is stored in a notebook and the one that moves are drawn from one set of coordinates.

The lit box has a second border around it, a box of many has a second sheet behind it, a dashed arrow is dashed; what is
broken has a dashed border and a cross in its corner, what is absent a dashed border. So nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from k8slab.lab.drawing.cards import Card, Row, card, row_font
from k8slab.lab.drawing.layout import lay_out
from k8slab.lab.drawing.model import ABSENT, BROKEN, Graph, Node
from k8slab.lab.drawing.palette import Paint, Theme, look
from k8slab.lab.drawing.pen import Point, arrowhead, curve, element, glyph, label, number, sheet, words
from k8slab.lab.drawing.places import edge_label, label_width

CORNER = 6.0
DASHES = "5 3"


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A box with its place. The rows' places are relative to the box."""

    id: str
    x: float
    y: float
    w: float
    h: float
    band: float
    """The height of the header with the kind, 0 for none."""
    rows: tuple[Row, ...]
    lines: tuple[str, ...]
    kind: str
    state: str
    group: str
    lit: bool
    members: int
    """How many nodes are in it, where it is a box of many; else 0."""
    style: str


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An arrow with its place: `path` for the line, `arrow` for the corners of its head."""

    id: str
    source: str
    target: str
    path: str
    arrow: str
    label: str
    label_at: Point | None
    label_width: float
    kind: str


@dataclass(frozen=True)
class GraphScene:
    """A graph with all its coordinates."""

    width: float
    height: float
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    problem: str


def graph_scene(graph: Graph, members: Mapping[str, Collection[str]] | None = None) -> GraphScene:
    """The scene of a complete graph; `members` says who is in which box of many."""
    cards = {node.id: card(node) for node in graph.nodes}
    layout = lay_out(graph, {node: (each.width, each.height) for node, each in cards.items()})
    nodes = tuple(
        _drawn(
            node,
            cards[node.id],
            layout.boxes[node.id].x,
            layout.boxes[node.id].y,
            len((members or {}).get(node.id, ())),
        )
        for node in graph.nodes
    )
    edges, repeats = [], dict[str, int]()
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        name = f"{edge.source}->{edge.target}"
        repeats[name] = repeats.get(name, 0) + 1
        line, arrow = arrowhead(route.points)
        text = edge_label(edge)
        edges.append(
            DrawnEdge(
                id=name if repeats[name] == 1 else f"{name} ({repeats[name]})",
                source=edge.source,
                target=edge.target,
                path=curve(line),
                arrow=arrow,
                label=text,
                label_at=route.label_at,
                label_width=label_width(text) if text else 0.0,
                kind=edge.kind,
            )
        )
    return GraphScene(layout.width, layout.height, nodes, tuple(edges), layout.problem)


def _drawn(node: Node, card: Card, x: float, y: float, members: int) -> DrawnNode:
    return DrawnNode(
        id=node.id,
        x=x,
        y=y,
        w=card.width,
        h=card.height,
        band=card.band,
        rows=card.rows,
        lines=node.lines,
        kind=node.kind,
        state=node.state,
        group=node.group,
        lit=node.lit,
        members=members,
        style=node.style,
    )


def graph_svg(title: str, spoken: str, scene: GraphScene, theme: Theme) -> str:
    """The scene as SVG; `spoken` is the text that says the same."""
    lines = [_arrow(edge, theme) for edge in scene.edges]
    boxes = [_box(node, theme) for node in scene.nodes]
    # Labels last: no arrow runs through one.
    labels = [label(edge.label_at, edge.label, edge.label_width, theme) for edge in scene.edges if edge.label_at]
    return sheet(title, spoken, scene.width, scene.height, theme, [*lines, *boxes, *labels])


def _arrow(edge: DrawnEdge, theme: Theme) -> str:
    dashes = "5 4" if edge.kind == "dashed" else None
    line = element("path", d=edge.path, fill="none", stroke=theme.line, stroke_width=1.4, stroke_dasharray=dashes)
    return line + (element("polygon", points=edge.arrow, fill=theme.line) if edge.arrow else "")


def _box(node: DrawnNode, theme: Theme) -> str:
    kind = look(node.kind)
    paint = theme.paint(kind.hue)
    parts = []
    if node.lit:
        parts.append(_rect(-4, -4, node.w + 8, node.h + 8, CORNER + 4, fill="none", stroke=theme.ink, stroke_width=2.0))
    if node.members:
        parts.append(_rect(4, 4, node.w, node.h, CORNER, fill=paint.fill, stroke=paint.stroke, stroke_width=1.4))
    fault = theme.paint(look("fault").hue)
    parts.append(_rect(0, 0, node.w, node.h, CORNER, fill=paint.fill, **_border(node, paint, fault)))
    if node.band:
        parts.append(_band(node, paint, fault))
        parts.append(glyph((15, node.band / 2), kind, theme, on_band=True))
    if node.style == BROKEN:
        middle = (node.w - 2, 2)
        parts.append(element("circle", cx=middle[0], cy=middle[1], r=8, fill=theme.background, stroke=fault.stroke))
        parts.append(glyph(middle, look("fault"), theme))
    parts += [_row(row, paint, theme) for row in node.rows]
    return element("g", *parts, transform=f"translate({number(node.x)} {number(node.y)})")


def _rect(x: float, y: float, w: float, h: float, rx: float, **paint: str | float) -> str:
    return element("rect", x=x, y=y, width=w, height=h, rx=rx, **paint)


def _border(node: DrawnNode, paint: Paint, fault: Paint) -> dict[str, str | float]:
    if node.style == BROKEN:
        return {"stroke": fault.stroke, "stroke_width": 2.0, "stroke_dasharray": DASHES}
    border: dict[str, str | float] = {"stroke": paint.stroke, "stroke_width": 1.4}
    return {**border, "stroke_dasharray": DASHES} if node.style == ABSENT else border


def _band(node: DrawnNode, paint: Paint, fault: Paint) -> str:
    border = _border(node, paint, fault)
    w, r = number(node.w), number(CORNER)
    if node.h <= node.band:
        return _rect(0, 0, node.w, node.h, CORNER, fill=paint.band, **border)
    right = number(node.w - CORNER)
    path = f"M0 {number(node.band)}V{r}A{r} {r} 0 0 1 {r} 0H{right}A{r} {r} 0 0 1 {w} {r}V{number(node.band)}Z"
    return element("path", d=path, fill=paint.band, **border)


def _row(row: Row, paint: Paint, theme: Theme) -> str:
    size, bold = row_font(row.role)
    fill = {"tag": paint.on_band, "state": theme.muted}.get(row.role, paint.text)
    return words((row.x, row.y), row.text, fill, size, bold)
