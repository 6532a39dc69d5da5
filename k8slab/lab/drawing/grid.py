"""The layout for when there is no Graphviz: plain, quick, and always the same.

With arrows, a node stands one column after the last of those that point to it (Kahn's order; where only circles are left,
the first of them is let through). Without arrows, boxes stand in rows like words on a page. No lines are untangled: this
is what is drawn when the better layout is not to be had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from k8slab.lab.drawing.model import Graph
from k8slab.lab.drawing.pen import MARGIN, Point
from k8slab.lab.drawing.places import Box, Layout, Route, edge_label, label_width

BETWEEN = 12.0
BETWEEN_COLUMNS = 64.0
PAGE_WIDTH = 900.0
LOOP = 36.0

Sizes = Mapping[str, tuple[float, float]]


def grid(graph: Graph, sizes: Sizes, problem: str = "") -> Layout:
    """Coordinates for a graph whose edges all end at nodes."""
    if not graph.edges:
        boxes = _rows(graph, sizes)
    elif graph.downward:
        # The same with the axes exchanged, and back.
        turned = _columns(graph, {node: (height, width) for node, (width, height) in sizes.items()})
        boxes = {node: Box(box.y, box.x, box.h, box.w) for node, box in turned.items()}
    else:
        boxes = _columns(graph, sizes)
    routes = tuple(
        _route(boxes[edge.source], boxes[edge.target], graph.downward, bool(edge_label(edge))) for edge in graph.edges
    )
    corners = [(box.x + box.w, box.y + box.h) for box in boxes.values()]
    corners += [point for route in routes for point in route.points]
    corners += [
        _label_corner(route, label_width(edge_label(edge))) for route, edge in zip(routes, graph.edges, strict=True)
    ]
    width = max((x for x, _ in corners), default=0.0) + MARGIN
    height = max((y for _, y in corners), default=0.0) + MARGIN
    return Layout(round(width, 1), round(height, 1), boxes, routes, "grid", problem)


def _rows(graph: Graph, sizes: Sizes) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    x, y, tallest = MARGIN, MARGIN, 0.0
    for node in graph.nodes:
        width, height = sizes[node.id]
        if x > MARGIN and x + width > PAGE_WIDTH:
            x, y, tallest = MARGIN, y + tallest + BETWEEN, 0.0
        boxes[node.id] = Box(x, y, width, height)
        x, tallest = x + width + BETWEEN, max(tallest, height)
    return boxes


def _columns(graph: Graph, sizes: Sizes) -> dict[str, Box]:
    columns: dict[int, list[str]] = {}
    for node, rank in _ranks(graph).items():
        columns.setdefault(rank, []).append(node)
    heights = {rank: sum(sizes[node][1] + BETWEEN for node in column) for rank, column in columns.items()}
    gap = BETWEEN_COLUMNS + max((label_width(edge_label(edge)) for edge in graph.edges if edge.label), default=0.0)
    boxes: dict[str, Box] = {}
    x = MARGIN
    for rank in sorted(columns):
        y = MARGIN + (max(heights.values()) - heights[rank]) / 2
        for node in columns[rank]:
            width, height = sizes[node]
            boxes[node] = Box(round(x, 1), round(y, 1), width, height)
            y += height + BETWEEN
        x += max(sizes[node][0] for node in columns[rank]) + gap
    return boxes


def _ranks(graph: Graph) -> dict[str, int]:
    """id -> column, in the order in which nodes were let through."""
    targets: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    missing = dict.fromkeys(targets, 0)
    for edge in graph.edges:
        targets[edge.source].append(edge.target)
        missing[edge.target] += 1
    ready = deque(node for node, count in missing.items() if not count)
    waiting, ranks, done = dict.fromkeys(targets), dict.fromkeys(targets, 0), dict[str, int]()
    while waiting:
        node = ready.popleft() if ready else next(iter(waiting))
        if node in done:
            continue
        done[node] = ranks[node]
        del waiting[node]
        for target in targets[node]:
            missing[target] -= 1
            if target in waiting:
                ranks[target] = max(ranks[target], ranks[node] + 1)
                if not missing[target]:
                    ready.append(target)
    return done


def _route(source: Box, target: Box, downward: bool, labelled: bool) -> Route:
    if source == target:
        return _loop(source, labelled)
    if downward:
        start = (source.x + source.w / 2, source.y + source.h)
        end = (target.x + target.w / 2, target.y)
        bend = max(LOOP, abs(end[1] - start[1]) / 2)
        points = (start, (start[0], start[1] + bend), (end[0], end[1] - bend), end)
    else:
        start = (source.x + source.w, source.y + source.h / 2)
        end = (target.x, target.y + target.h / 2)
        bend = max(LOOP, abs(end[0] - start[0]) / 2)
        points = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    middle = _middle(points)
    return Route(tuple((round(x, 1), round(y, 1)) for x, y in points), middle if labelled else None)


def _loop(box: Box, labelled: bool) -> Route:
    right, top, bottom = box.x + box.w, box.y + box.h * 0.3, box.y + box.h * 0.7
    points = ((right, top), (right + LOOP, top - 8), (right + LOOP, bottom + 8), (right, bottom))
    return Route(tuple((round(x, 1), round(y, 1)) for x, y in points), _middle(points) if labelled else None)


def _middle(points: tuple[Point, ...]) -> Point:
    """Where one Bézier curve is halfway."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    return round((ax + 3 * bx + 3 * cx + dx) / 8, 1), round((ay + 3 * by + 3 * cy + dy) / 8, 1)


def _label_corner(route: Route, width: float) -> Point:
    if route.label_at is None:
        return 0.0, 0.0
    return route.label_at[0] + width / 2, route.label_at[1] + 8
