"""A timeline's coordinates: who was doing what, when, in swim lanes.

Placing comes first, drawing after (`timeline_svg.py`). Things in one lane that would lie on each other, words included,
are put into rows; where a lane has too many rows, the later things lose their words, and the table has them. A bar that
has not ended reaches to the right edge, and is torn off there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from k8slab.lab.drawing.axis import moment, span, ticks
from k8slab.lab.drawing.model import Mark, Timeline
from k8slab.lab.drawing.pen import MARGIN, Point, number
from k8slab.lab.drawing.timeline import lanes_of, things, times
from k8slab.lab.drawing.words import clean, fit, measure

WIDTH = 960.0
WIDEST_NAME = 180.0
LONGEST_LABEL = 200.0
ROW = 26.0
BAR = 20.0
MOST_ROWS = 8
TICK_ROOM = 84.0
AXIS_HEIGHT = 26.0
GLYPH_ROOM = 16.0
TOOTH = 5.0


@dataclass(frozen=True, slots=True)
class Lane:
    """A swim lane with its place. `label` is the name, shortened where it must be."""

    name: str
    label: str
    y: float
    h: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """A bar or a mark with its place; a mark has no width, and `y` is the middle of both."""

    id: str
    lane: str
    kind: str
    object: str
    label: str
    """In full."""
    start: float
    """Seconds after the origin."""
    end: float | None
    is_mark: bool
    x: float
    y: float
    w: float
    shown: str = ""
    """The label as it is drawn; empty where there is no room."""
    label_at: Point = (0.0, 0.0)
    path: str = ""
    """The outline of a bar."""


@dataclass(frozen=True)
class TimelineScene:
    """A timeline with all its coordinates. `left` and `right` bound the plot, `legend` holds (x, y, kind)."""

    width: float
    height: float
    left: float
    right: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    items: tuple[Item, ...]
    legend: tuple[tuple[float, float, str], ...]


def timeline_scene(timeline: Timeline) -> TimelineScene:
    """Places everything."""
    names = lanes_of(timeline)
    left = MARGIN + max((min(measure(clean(name), bold=True), WIDEST_NAME) for name in names), default=0.0) + 16
    left, right = float(round(left)), WIDTH - MARGIN
    low, high = _range(timeline)
    scale = (right - left - 8) / (high - low)
    found = _items(timeline, low, scale, left, right)
    lanes, items, y = [], list[Item](), AXIS_HEIGHT
    for name in names:
        placed, rows = _packed([item for item in found if item.lane == name], left, right)
        items += [_lowered(each, y) for each in placed]
        lanes.append(Lane(name, fit(clean(name), WIDEST_NAME, bold=True), y, rows * ROW + 8))
        y += lanes[-1].h
    legend = _legend(timeline, y + 20)
    marks = tuple(
        Tick(round(left + (at - low) * scale, 1), span(at)) for at in ticks(low, high, int((right - left) / TICK_ROOM))
    )
    height = (legend[-1][1] if legend else y) + MARGIN
    return TimelineScene(WIDTH, height, left, right, tuple(lanes), marks, tuple(items), legend)


def _lowered(item: Item, y: float) -> Item:
    item = replace(item, y=y + item.y, label_at=(item.label_at[0], y + item.label_at[1]))
    return item if item.is_mark else replace(item, path=_outline(item))


def _range(timeline: Timeline) -> tuple[float, float]:
    """From when to when it is drawn, after the origin."""
    ends = [times(each, timeline.origin) for each in things(timeline)]
    known = [moment for pair in ends for moment in pair if moment is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if 0 < low <= high - low:  # the origin is near enough to be shown
        low = 0.0
    # Where nothing lasts, a second is shown.
    length = high - low if high - low > 1e-6 else 1.0
    return low, low + length * (1.06 if any(bar.end is None for bar in timeline.bars) else 1.0)


def _items(timeline: Timeline, low: float, scale: float, left: float, right: float) -> list[Item]:
    items, repeats = [], Counter[str]()
    for each in things(timeline):
        start, end = times(each, timeline.origin)
        x = left + (start - low) * scale
        until = right if end is None else left + (end - low) * scale
        is_mark = isinstance(each, Mark)
        width = 0.0 if is_mark else max(until - x, 3.0)
        name = f"{each.lane}/{each.label or each.kind}/{moment(start)}"
        repeats[name] += 1
        items.append(
            Item(
                id=name if repeats[name] == 1 else f"{name} ({repeats[name]})",
                lane=each.lane,
                kind=each.kind,
                object=each.object,
                label=clean(each.label),
                start=round(start, 6),
                end=None if end is None else round(end, 6),
                is_mark=is_mark,
                x=round(x, 1),
                y=0.0,
                w=round(width, 1),
            )
        )
    return sorted(items, key=lambda item: (item.x, not item.is_mark, -item.w))


def _packed(items: list[Item], left: float, right: float) -> tuple[list[Item], int]:
    """The items of one lane with `y` from its top, and how many rows they take."""
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for item in items:
        labelled, start, end = _labelled(item, left, right)
        row = _free(rows, start, end)
        if row == MOST_ROWS:
            labelled, (start, end) = item, _reach(item)
            row = min(_free(rows, start, end), MOST_ROWS - 1)
        if row == len(rows):
            rows.append([])
        rows[row].append((start, end))
        y = 4 + row * ROW + ROW / 2
        placed.append(replace(labelled, y=y, label_at=(labelled.label_at[0], y + 4)))
    return placed, max(len(rows), 1)


def _free(rows: list[list[tuple[float, float]]], start: float, end: float) -> int:
    """The first row in which nothing is between two places; the number of rows where there is none."""
    for index, row in enumerate(rows):
        if all(end <= before or start >= after for before, after in row):
            return index
    return len(rows)


def _reach(item: Item) -> tuple[float, float]:
    return (item.x - 7, item.x + 7) if item.is_mark else (item.x - 1, item.x + item.w + 1)


def _labelled(item: Item, left: float, right: float) -> tuple[Item, float, float]:
    """The item with its label: inside a bar that is wide enough, else after it, else before it; and from where to where."""
    start, end = _reach(item)
    shown = fit(item.label, LONGEST_LABEL)
    width = measure(shown)
    inside = GLYPH_ROOM + 6
    if not shown:
        return item, start, end
    if not item.is_mark and item.w >= inside + min(width, 90) + 10:
        room = item.w - inside - (TOOTH + 6 if item.end is None else 6)
        return replace(item, shown=fit(item.label, room), label_at=(round(item.x + inside, 1), 0.0)), start, end
    if end + 4 + width <= right:
        return replace(item, shown=shown, label_at=(round(end + 3, 1), 0.0)), start, end + 8 + width
    if start - 4 - width >= left:
        return replace(item, shown=shown, label_at=(round(start - 3 - width, 1), 0.0)), start - 8 - width, end
    return item, start, end


def _legend(timeline: Timeline, y: float) -> tuple[tuple[float, float, str], ...]:
    """What the kinds look like, where there is more than one."""
    kinds = [each.kind for each in things(timeline) if each.kind]
    places, x = [], MARGIN
    for kind in dict.fromkeys(kinds):
        width = measure(fit(clean(kind), LONGEST_LABEL)) + 36
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + 20
        places.append((x, y, kind))
        x += width
    return tuple(places) if len(places) > 1 else ()


def _outline(item: Item) -> str:
    """The path of a bar; one that has not ended is torn off at the right."""
    x, w, top, bottom, r = item.x, item.w, item.y - BAR / 2, item.y + BAR / 2, min(4.0, item.w / 2)
    left = f"M{number(x + r)} {number(top)}"
    back = f"H{number(x + r)}A{number(r)} {number(r)} 0 0 1 {number(x)} {number(bottom - r)}"
    back += f"V{number(top + r)}A{number(r)} {number(r)} 0 0 1 {number(x + r)} {number(top)}Z"
    if item.end is None:
        near, far = x + w - TOOTH, x + w
        steps = ((far, top), (near, top + BAR / 4), (far, top + BAR / 2), (near, top + BAR * 3 / 4), (far, bottom))
        return left + "".join(f"L{number(px)} {number(py)}" for px, py in steps) + back
    right = f"H{number(x + w - r)}A{number(r)} {number(r)} 0 0 1 {number(x + w)} {number(top + r)}"
    right += f"V{number(bottom - r)}A{number(r)} {number(r)} 0 0 1 {number(x + w - r)} {number(bottom)}"
    return left + right + back
