"""The links of a why-graph, each with how it is known.

A cluster that is not ours tells its causes only in part. So every link says how sure it is:

    known     it is written down: an owner reference, managedFields, a watch's order of one kind
    likely    an event, or two things one after the other: that the first caused the second is a guess, if a good one
    unknown   it is recorded nowhere; the link says what is missing, and where it could be seen

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from k8slab.lab.drawing import Edge, Graph, Node, Table
from k8slab.lab.drawing.axis import moment
from k8slab.lab.drawing.words import wrap
from k8slab.lab.observed.answer import GraphAnswer

KNOWN, LIKELY, UNKNOWN = "known", "likely", "unknown"
LINE_WIDTH, MOST_LINES = 230.0, 5
"""Of a link's words in its box, in pixels and lines."""
SHOWN_EVENTS = 10
"""Of more events than these, the text and the picture show the last ones; the table has all."""


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that explains another."""

    certainty: str
    at: float | None
    """In seconds since the Unix epoch; None where no time is known."""
    who: str
    does: str
    """In words."""
    how: str
    """How it is known, or why not: `ownerReferences`, `managedFields`, `event`, `watch`."""
    about: str
    """The id of the object's box."""
    kind: str
    """Of the link's box, as `Node.kind`; empty: the link is an arrow from the box `source`."""
    source: str = ""


class ObservedWhy(GraphAnswer):
    """Why something is as it is, as far as a real cluster tells."""

    def __init__(
        self, asked: str, now: str, objects: Iterable[Node], links: Iterable[Link], notes: tuple[str, ...] = ()
    ) -> None:
        self.asked = asked
        self.now = now
        """What the field is, where one was asked for."""
        self.links = tuple(sorted(links, key=_place))
        self.origin = min((link.at for link in self.links if link.at is not None), default=0.0)
        self._shown, self._left_out = _shortened(self.links)
        super().__init__(self._graph(tuple(objects)), notes)

    def __str__(self) -> str:
        is_now = f" = {self.now}" if self.now else ""
        lines = [f"{self.asked}{is_now}, as far as this cluster tells:"]
        if self._left_out:
            lines.append(f"{LIKELY:<8}{'':>10}  ... {self._left_out} earlier events, in the table ...")
        lines += [self._line(link) for link in self._shown]
        return "\n".join([*lines, *(f"({note})" for note in self.notes)])

    @property
    def table(self) -> Table:
        """The links as rows, none left out."""
        rows = ((each.certainty, self._at(each), each.who, each.does, each.how) for each in self.links)
        return Table(("Certainty", "Time", "Who", "Does", "How it is known"), tuple(rows))

    def _at(self, link: Link) -> str:
        return "" if link.at is None else moment(link.at - self.origin)

    def _line(self, link: Link) -> str:
        says = f"{link.who}  {link.does}" if link.who else link.does
        return f"{link.certainty:<8}{self._at(link):>10}  {says}  [{link.how}]"

    def _graph(self, objects: tuple[Node, ...]) -> Graph:
        nodes, edges = {node.id: node for node in objects}, []
        for number, link in enumerate(self._shown):
            kind = "" if link.certainty == KNOWN else "dashed"
            source = link.source
            if link.kind:
                source = f"link/{number}"
                lines = (*([link.who] if link.who else []), *wrap(link.does, LINE_WIDTH, MOST_LINES))
                nodes[source] = Node(source, lines, link.kind, self._at(link), group=link.how)
            edges.append(Edge(source, link.about, f"{link.certainty}: {link.how}", kind))
        return Graph(f"Why: {self.asked}", tuple(nodes.values()), tuple(edges), downward=True)


def _place(link: Link) -> tuple[bool, bool, float]:
    """In order of time, the unknown last; what has no time comes first, for it says what there is. Ties stay as given."""
    return link.certainty == UNKNOWN, link.at is not None, link.at or 0.0


def _shortened(links: tuple[Link, ...]) -> tuple[tuple[Link, ...], int]:
    """(the links to show, how many events were left out)."""
    events = [link for link in links if link.kind == "Event"]
    left_out = events[: max(0, len(events) - SHOWN_EVENTS)]
    return tuple(link for link in links if link not in left_out), len(left_out)
