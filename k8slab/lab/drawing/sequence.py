"""A sequence diagram: who says what to whom, one after the other.

Lifelines stand as far apart as the words between them need, which may take two lines: so that a story with seven speakers
fits a notebook. What does not fit in two lines is cut; text and table have it whole. Messages are numbered: the number is the
same in the picture, in the text and in the table. A reply is dashed; what a participant does by itself is a loop on its lifeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from k8slab.lab.drawing.model import Message, Sequence, Table
from k8slab.lab.drawing.palette import Theme, look
from k8slab.lab.drawing.pen import MARGIN, Point, arrowhead, element, label, number, sheet, words
from k8slab.lab.drawing.words import clean, fit, measure, wrap

HEAD_HEIGHT = 30.0
LINE = 15.0
NARROW_HEAD = 84.0
"""A longer name is written on two lines, if it has a hyphen."""
WIDEST_HEAD = 180.0
LEAST_GAP = 96.0
ROOM = 150.0
"""The width in which a message is written on two lines, unless its lifelines are farther apart."""
STEP = 40.0
NOTE = 17.0
LOOP = 34.0


@dataclass(frozen=True, slots=True)
class Lifeline:
    """A participant with its place: `x` is the middle of its line, `w` the width of its head."""

    name: str
    rows: tuple[str, ...]
    """The name as it is written in the head."""
    x: float
    w: float


@dataclass(frozen=True, slots=True)
class DrawnMessage:
    """A message with its place: `path` for the line, `arrow` for the corners of its head, `label_at` a middle."""

    number: int
    source: str
    target: str
    label: str
    note: str
    kind: str
    y: float
    path: str
    arrow: str
    shown: tuple[str, ...]
    """The number and the label, on one line or two."""
    label_at: Point
    """Of the first line."""
    label_width: float
    shown_note: str


@dataclass(frozen=True)
class SequenceScene:
    """A sequence with all its coordinates; lifelines run from `top` to `bottom`."""

    width: float
    height: float
    top: float
    bottom: float
    lifelines: tuple[Lifeline, ...]
    messages: tuple[DrawnMessage, ...]


def participants_of(sequence: Sequence) -> tuple[str, ...]:
    """Those that the sequence names, then those that only its messages name."""
    ends = [end for message in sequence.messages for end in (message.source, message.target)]
    return tuple(dict.fromkeys([*sequence.participants, *ends]))


def sequence_scene(sequence: Sequence) -> SequenceScene:
    """Places everything."""
    lines, width = _lifelines(sequence)
    place = {line.name: line.x for line in lines}
    top = MARGIN + HEAD_HEIGHT + LINE * (max((len(line.rows) for line in lines), default=1) - 1)
    y, drawn = top + 8, []
    for index, message in enumerate(sequence.messages, 1):
        loops = message.source == message.target
        start, end = place[message.source], place[message.target]
        rows = _rows(index, message, max(ROOM, abs(end - start) - 20))
        more = LINE * (len(rows) - 1)
        y += STEP + (0 if loops else more)
        drawn.append(_drawn(index, message, rows, start, end, y))
        # A loop comes back below where it left; a note stands below its arrow.
        y += (12 + more if loops else 0) + (NOTE if clean(message.note) else 0)
    bottom = y + 20
    return SequenceScene(width, bottom + MARGIN, top, bottom, lines, tuple(drawn))


def _rows(index: int, message: Message, room: float) -> tuple[str, ...]:
    return wrap(f"{index}. {clean(message.label)}", room, 2)


def _note_of(message: Message, room: float) -> str:
    return fit(clean(message.note), room)


def _room(index: int, message: Message) -> float:
    texts = (*_rows(index, message, ROOM), _note_of(message, ROOM))
    # An arrow needs room for its head, too.
    return max(measure(text) for text in texts) + (14 if message.source == message.target else 30)


def _head(name: str) -> tuple[str, ...]:
    """A name on one line, or on two that are about as long: `deployment-`, `controller`."""
    breaks = [at + 1 for at, character in enumerate(name[:-1]) if character == "-" and at]
    if not breaks or measure(name, bold=True) <= NARROW_HEAD:
        return (fit(name, WIDEST_HEAD, bold=True),)
    at = min(breaks, key=lambda at: max(measure(name[:at]), measure(name[at:])))
    return tuple(fit(part, WIDEST_HEAD, bold=True) for part in (name[:at], name[at:]))


def _lifelines(sequence: Sequence) -> tuple[tuple[Lifeline, ...], float]:
    """The lifelines, and the width of the picture."""
    names = participants_of(sequence)
    rows = [_head(clean(name)) for name in names]
    heads = [float(round(max(*(measure(text, bold=True) + 20 for text in each), 72))) for each in rows]
    gaps = [max((one + other) / 2 + 14, LEAST_GAP) for one, other in pairwise(heads)]
    after = heads[-1] / 2 if heads else 0.0
    column = {name: index for index, name in enumerate(names)}
    for index, message in enumerate(sequence.messages, 1):
        first, last = sorted((column[message.source], column[message.target]))
        room = _room(index, message)
        if first == last and first == len(gaps):
            after = max(after, room + LOOP)
        elif first == last:
            gaps[first] = max(gaps[first], room + LOOP)
        elif (missing := room - sum(gaps[first:last])) > 0:
            for between in range(first, last):
                gaps[between] += missing / (last - first)
    x, lines = MARGIN + (heads[0] / 2 if heads else 0.0), []
    for index, name in enumerate(names):
        lines.append(Lifeline(name, rows[index], float(round(x)), heads[index]))
        x += gaps[index] if index < len(gaps) else after
    return tuple(lines), float(round(x + MARGIN))


def _drawn(index: int, message: Message, shown: tuple[str, ...], start: float, end: float, y: float) -> DrawnMessage:
    width = round(max(map(measure, shown)) + 10, 1)
    if start == end:
        line, arrow = arrowhead(
            ((start, y - 8), (start + LOOP - 6, y - 8), (start + LOOP - 6, y + 12), (start, y + 12))
        )
        label_at = (round(start + LOOP + width / 2, 1), y + 2)
    else:
        line, arrow = arrowhead(((start, y), (end, y)))
        label_at = (round((start + end) / 2, 1), y - 10 - LINE * (len(shown) - 1))
    path = "M" + "L".join(f"{number(px)} {number(py)}" for px, py in line)
    return DrawnMessage(
        number=index,
        source=message.source,
        target=message.target,
        label=clean(message.label),
        note=clean(message.note),
        kind=message.kind,
        y=y,
        path=path,
        arrow=arrow,
        shown=shown,
        label_at=label_at,
        label_width=width,
        shown_note=_note_of(message, max(ROOM, abs(end - start) - 36)),
    )


def sequence_svg(title: str, spoken: str, scene: SequenceScene, theme: Theme) -> str:
    """The scene as SVG; `spoken` is the text that says the same."""
    parts = [_lifeline(line, scene, theme) for line in scene.lifelines]
    parts += [_message(message, theme) for message in scene.messages]
    return sheet(title, spoken, scene.width, scene.height, theme, parts)


def _lifeline(line: Lifeline, scene: SequenceScene, theme: Theme) -> str:
    paint = theme.paint(look("component").hue)
    down = element(
        "path",
        d=f"M{number(line.x)} {number(scene.top)}V{number(scene.bottom)}",
        stroke=theme.line,
        stroke_dasharray="2 4",
    )
    head = element(
        "rect",
        x=line.x - line.w / 2,
        y=MARGIN,
        width=line.w,
        height=scene.top - MARGIN,
        rx=6,
        fill=paint.fill,
        stroke=paint.stroke,
        stroke_width=1.4,
    )
    first = (MARGIN + scene.top - LINE * (len(line.rows) - 1)) / 2 + 4
    written = (
        words((line.x, first + LINE * row), text, paint.text, bold=True, anchor="middle")
        for row, text in enumerate(line.rows)
    )
    return down + head + "".join(written)


def _message(message: DrawnMessage, theme: Theme) -> str:
    dashes = "5 4" if message.kind == "reply" else None
    drawn = element("path", d=message.path, fill="none", stroke=theme.line, stroke_width=1.4, stroke_dasharray=dashes)
    drawn += element("polygon", points=message.arrow, fill=theme.line)
    x, y = message.label_at
    left, loops = x - message.label_width / 2, message.source == message.target
    for row, text in enumerate(message.shown):
        width = measure(text) + 10
        middle = left + width / 2 if loops else x
        drawn += label((middle, y + LINE * row), text, width, theme)
    if not message.shown_note:
        return drawn
    below = y + LINE * (len(message.shown) - 1)
    if loops:
        return drawn + _note((left + measure(message.shown_note) / 2 + 5, below + 16), message, theme)
    return drawn + _note((x, below + 24), message, theme)


def _note(middle: Point, message: DrawnMessage, theme: Theme) -> str:
    width = measure(message.shown_note) + 8
    patch = element("rect", x=middle[0] - width / 2, y=middle[1] - 8, width=width, height=16, fill=theme.background)
    return patch + words((middle[0], middle[1] + 4), message.shown_note, theme.muted, anchor="middle")


def sequence_text(sequence: Sequence) -> str:
    """Numbered lines: `1. kubectl -> API server: POST deployments`; a reply is `-->`, a note stands in brackets."""
    digits = len(str(len(sequence.messages)))
    lines = []
    for index, message in enumerate(sequence.messages, 1):
        arrow = "-->" if message.kind == "reply" else "->"
        note = f"  [{clean(message.note)}]" if clean(message.note) else ""
        who = f"{clean(message.source)} {arrow} {clean(message.target)}"
        lines.append(f"{index:>{digits}}. {who}: {clean(message.label)}{note}")
    return "\n".join(lines) or "(nothing)"


def sequence_table(sequence: Sequence) -> Table:
    """The same as rows."""
    rows = tuple(
        (str(index), clean(each.source), clean(each.target), clean(each.label), clean(each.kind), clean(each.note))
        for index, each in enumerate(sequence.messages, 1)
    )
    return Table(("#", "From", "To", "What", "Kind", "Note"), rows)
