"""From a graph to coordinates, by Graphviz; without it, by a plain grid.

Graphviz is asked only *where*: it gets boxes whose sizes are settled (`cards.py`) and labels that are blank rectangles, so
no font of the machine has a say. The graphviz-pure wheel comes first, an installed `dot` second: the same graph is the
same picture on every machine. One pixel is one of Graphviz' points.

`lay_out` always returns: where Graphviz is missing, fails or takes too long, `grid.py` takes its place, and the layout
says so in `problem`. Models nothing of Kubernetes.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

from k8slab.lab.drawing.grid import grid
from k8slab.lab.drawing.model import Graph
from k8slab.lab.drawing.pen import MARGIN, Point
from k8slab.lab.drawing.places import Box, Layout, Route, edge_label, label_width

LAYOUT_SECONDS = 10.0
INCH = 72.0
HALO = 4.0
"""Left free around each box, lit or not: so a box can be lit, and its border not be crossed, and nothing moves."""


def lay_out(graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> Layout:
    """Coordinates for a graph whose edges all end at nodes. `sizes`: id -> (width, height) in pixels."""
    sizes = {node: (width + 2 * HALO, height + 2 * HALO) for node, (width, height) in sizes.items()}
    ends = {end for edge in graph.edges for end in (edge.source, edge.target)}
    joined = replace(graph, nodes=tuple(node for node in graph.nodes if node.id in ends))
    alone = replace(graph, nodes=tuple(node for node in graph.nodes if node.id not in ends), edges=())
    # Graphviz would pile up in one column what has no arrows; here it stands in rows below.
    if not graph.edges:
        return _inside(grid(alone, sizes))
    try:
        layout = _parsed(_plain(_program(), _question(joined, sizes), LAYOUT_SECONDS), joined, sizes)
    except RuntimeError as error:
        layout = grid(joined, sizes, problem=str(error))
    return _inside(_below(layout, grid(alone, sizes)) if alone.nodes else layout)


def _below(upper: Layout, lower: Layout) -> Layout:
    down = upper.height - MARGIN
    boxes = upper.boxes | {node: replace(box, y=box.y + down) for node, box in lower.boxes.items()}
    return replace(upper, width=max(upper.width, lower.width), height=down + lower.height, boxes=boxes)


def _inside(layout: Layout) -> Layout:
    """The layout with the boxes themselves, without what was left free around them."""
    boxes = {
        node: Box(box.x + HALO, box.y + HALO, box.w - 2 * HALO, box.h - 2 * HALO) for node, box in layout.boxes.items()
    }
    return replace(layout, boxes=boxes)


def _program() -> str:
    """The Graphviz to ask. Raises RuntimeError where there is none."""
    beside = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    program = str(beside) if beside.exists() else shutil.which("graphviz-pure") or shutil.which("dot")
    if program is None:
        raise RuntimeError("there is no Graphviz on this machine: install graphviz, or pip install graphviz-pure")
    return program


@lru_cache(maxsize=128)  # instruments draw the same graph again and again; a failure is not kept
def _plain(program: str, dot: str, seconds: float) -> str:
    """Graphviz' answer in its `plain` format. Raises RuntimeError."""
    command = [program, "-Kdot", "-Tplain"]
    try:
        done = subprocess.run(
            command, input=dot, capture_output=True, text=True, encoding="utf-8", timeout=seconds, check=False
        )
    except OSError as error:
        raise RuntimeError(f"Graphviz cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"Graphviz took more than {seconds:g}s") from None
    if done.returncode:
        raise RuntimeError(f"Graphviz failed: {done.stderr.strip()}")
    return done.stdout


def _question(graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> str:
    """The graph in Graphviz' language, with numbers for names: what a name may contain is then no question."""
    number = {node.id: index for index, node in enumerate(graph.nodes)}
    lines = [
        "digraph {",
        f"graph [rankdir={'TB' if graph.downward else 'LR'}, nodesep=0.18, ranksep=0.6]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowhead=none]",
    ]
    # From left to right, Graphviz puts what hangs together first to the bottom.
    parts = components(graph)
    for node in chain.from_iterable(parts if graph.downward else reversed(parts)):
        width, height = sizes[node]
        lines.append(f"n{number[node]} [width={width / INCH:.4f}, height={height / INCH:.4f}]")
    for index, edge in enumerate(graph.edges):
        # `plain` gives colours back as they came: so an edge's colour is its number.
        options = f'color="#{index:06x}"'
        if text := edge_label(edge):
            options += f", label={_blank(label_width(text) + 8)}"
        first, then = (edge.target, edge.source) if edge.against else (edge.source, edge.target)
        lines.append(f"n{number[first]} -> n{number[then]} [{options}]")
    return "\n".join([*lines, "}"])


def components(graph: Graph) -> list[list[str]]:
    """The ids of the nodes that hang together, part by part, in the graph's order."""
    part = {node.id: [node.id] for node in graph.nodes}
    for edge in graph.edges:
        less, more = sorted((part[edge.source], part[edge.target]), key=len)
        if less is not more:
            more += less
            part.update(dict.fromkeys(less, more))
    order = {node.id: index for index, node in enumerate(graph.nodes)}
    unique = {id(each): each for each in part.values()}.values()
    return [sorted(each, key=order.__getitem__) for each in unique]


def _blank(width: float) -> str:
    """An HTML-like label of a fixed size: Graphviz need not know how wide text is."""
    table = (
        f'fixedsize="true" width="{width:.0f}" height="18" border="0" cellborder="0" cellpadding="0" cellspacing="0"'
    )
    return f"<<table {table}><tr><td></td></tr></table>>"


def _parsed(plain: str, graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> Layout:
    """Reads `graph`, `node` and `edge` lines; Graphviz' y grows upward, in inches. Raises RuntimeError."""
    width = height = 0.0
    boxes: dict[str, Box] = {}
    routes: dict[int, Route] = {}

    def point(x: str, y: str) -> Point:
        return round(float(x) * INCH + MARGIN, 1), round((height - float(y)) * INCH + MARGIN, 1)

    for line in plain.splitlines():
        what, *words = line.split()
        if what == "graph":
            width, height = float(words[1]), float(words[2])
        elif what == "node":
            node = graph.nodes[int(words[0][1:])].id
            (x, y), (w, h) = point(words[1], words[2]), sizes[node]
            boxes[node] = Box(float(round(x - w / 2)), float(round(y - h / 2)), w, h)
        elif what == "edge":
            count = int(words[2])
            ends = 3 + 2 * count
            points = tuple(point(*words[at : at + 2]) for at in range(3, ends, 2))
            # After the points: a label and its place, if there is one; then style and colour.
            place = point(*words[-4:-2]) if len(words) > ends + 2 else None
            index = int(words[-1].strip('"#'), 16)
            routes[index] = Route(points[::-1] if graph.edges[index].against else points, place)
    if len(boxes) < len(graph.nodes) or len(routes) < len(graph.edges):
        raise RuntimeError("Graphviz left something out")
    ordered = tuple(routes[index] for index in range(len(graph.edges)))
    return Layout(round(width * INCH) + 2 * MARGIN, round(height * INCH) + 2 * MARGIN, boxes, ordered, "graphviz")
