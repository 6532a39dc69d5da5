"""A timeline in words: one line for each thing, in order of time; and the same as rows.

The text knows no coordinates, so notebooks store and compare it. Times are said relative to the timeline's origin. Where
two things happen at the same moment, the order of the lanes decides, then the order in which they were given.
"""

from __future__ import annotations

from k8slab.lab.drawing.axis import moment, span
from k8slab.lab.drawing.model import Bar, Mark, Table, Timeline
from k8slab.lab.drawing.words import clean


def things(timeline: Timeline) -> list[Bar | Mark]:
    """Bars and marks, as they were given."""
    return [*timeline.bars, *timeline.marks]


def lanes_of(timeline: Timeline) -> tuple[str, ...]:
    """The lanes in order: those that the timeline names, then those that something is in."""
    return tuple(dict.fromkeys([*timeline.lanes, *(each.lane for each in things(timeline))]))


def times(each: Bar | Mark, origin: float) -> tuple[float, float | None]:
    """Start and end after the origin; a mark ends when it starts, None is not ended."""
    if isinstance(each, Mark):
        return each.at - origin, each.at - origin
    return each.start - origin, None if each.end is None else each.end - origin


def timeline_text(timeline: Timeline) -> str:
    """One line for each thing, in order of time: `+0.0s  kubelet-node-1  pull nginx  (2.3s)`."""
    ordered = _in_order(timeline)
    when = max((len(moment(times(each, timeline.origin)[0])) for each in ordered), default=0)
    where = max((len(clean(each.lane)) for each in ordered), default=0)
    lines = []
    for each in ordered:
        start, end = times(each, timeline.origin)
        lasted = "" if isinstance(each, Mark) else f"  ({_lasted(start, end)})"
        what = clean(each.label) or each.kind or "-"
        lines.append(f"{moment(start):>{when}}  {clean(each.lane):<{where}}  {what}{lasted}")
    return "\n".join(lines) or "(nothing)"


def timeline_table(timeline: Timeline) -> Table:
    """The same as rows, labels in full."""
    rows = []
    for each in _in_order(timeline):
        start, end = times(each, timeline.origin)
        lasted = "" if isinstance(each, Mark) else _lasted(start, end)
        rows.append((moment(start), clean(each.lane), clean(each.label), lasted, clean(each.kind), clean(each.object)))
    return Table(("Time", "Lane", "What", "Lasted", "Kind", "Object"), tuple(rows))


def _lasted(start: float, end: float | None) -> str:
    return "not ended" if end is None else span(end - start)


def _in_order(timeline: Timeline) -> list[Bar | Mark]:
    lane = {name: number for number, name in enumerate(lanes_of(timeline))}
    return sorted(things(timeline), key=lambda each: (times(each, timeline.origin)[0], lane[each.lane]))


def kinds_of(timeline: Timeline) -> set[str]:
    """The kinds that a palette must know."""
    return {each.kind for each in things(timeline)}
