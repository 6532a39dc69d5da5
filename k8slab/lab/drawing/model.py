"""What can be drawn: graphs, timelines, sequences and state diagrams, as plain data.

The instruments of the lab make these from records; `svg.py` and the widgets draw them. Nothing here knows a cluster, and
nothing there knows how a picture was come by: so one set of coordinates serves the static picture and the live one.

Every picture says the same three times: as a drawing, as text (`str(picture)`), and as a table (`picture.table`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

BROKEN, ABSENT = "broken", "absent"


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows under named columns: the twin of a picture, for people who read or hear it.

    As text its columns are aligned; a notebook shows it as an HTML table.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [tuple(name.upper() for name in self.columns), *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("   ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # Jupyter's own rule aligns each cell to the right; these hold words.
        head = "".join(f'<th scope="col" style="text-align:left">{escape(name)}</th>' for name in self.columns)
        rows = ("".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) for row in self.rows)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a graph."""

    id: str
    """Stable and unique: `Pod/default/web-abc`. A change of any other field is a change of the same box."""
    lines: tuple[str, ...]
    """What stands in it: the first line is its heading."""
    kind: str = ""
    """What it is, which decides colour and shape: `Pod`, `Deployment`, `reconcile`, `input`, `clock`."""
    state: str = ""
    """A few words about how it is: `Running`, `3/3 ready`. Drawn as the last line."""
    group: str = ""
    """Nodes of one group are put into one box when there are too many."""
    lit: bool = False
    """Whether it is the one that the picture is about."""
    style: str = ""
    """`broken`: something is wrong with it; `absent`: it is not there, or was not reached; both are drawn dashed."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow of a graph."""

    source: str
    target: str
    label: str = ""
    kind: str = ""
    """`dashed` for what is only expected or past; empty for a plain line."""
    against: bool = False
    """Whether it is laid out against its direction: its source comes after its target."""


@dataclass(frozen=True)
class Graph:
    """Boxes and arrows."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    downward: bool = False
    """Whether it is laid out from top to bottom; else from left to right."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something on a timeline that lasts."""

    lane: str
    start: float
    end: float | None
    """None: it has not ended."""
    label: str = ""
    kind: str = ""
    object: str = ""
    """The id of the object that it is about, as `Node.id`; empty for none."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a timeline that happens at one moment."""

    lane: str
    at: float
    label: str = ""
    kind: str = ""
    object: str = ""


@dataclass(frozen=True)
class Timeline:
    """Swim lanes over time. Times are seconds since the Unix epoch; drawn relative to `origin`."""

    title: str
    lanes: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    origin: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One arrow of a sequence diagram. `source == target`: something that a participant does by itself."""

    source: str
    target: str
    label: str
    kind: str = ""
    """`reply`: dashed; empty: a plain line."""
    note: str = ""


@dataclass(frozen=True)
class Sequence:
    """Who says what to whom, one after the other."""

    title: str
    participants: tuple[str, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one state to another."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class StateDiagram:
    """States and the ways between them, drawn from the engine's own tables; the current state is lit."""

    title: str
    states: tuple[str, ...]
    transitions: tuple[Transition, ...]
    current: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    """What a state means, by its name."""
