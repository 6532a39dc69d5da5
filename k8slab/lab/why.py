"""Why something is as it is: the way from somebody's command to it.

    cluster.why("pod/web-abc")
    cluster.why("deployment/web", field="status.readyReplicas")

The answer is one chain through the causal graph (`causes.py`), told in links (`links.py`): a command, a write, the work that it
led to with its write, and so on. Of long chains, a rollout's, the middle is left out; `why.full` has all of it, and `why.graph`
every cause of every link.

k8slab's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.causes import ancestors, chain_to
from k8slab.lab.drawing import Edge, Graph, GraphPicture, Node, Table
from k8slab.lab.links import Link, link, links_of
from k8slab.lab.records import Record
from k8slab.lab.reference import Reference, not_there, reference
from k8slab.lab.secrecy import is_secret, told
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake

SHOWN_FIRST, SHOWN_LAST = 5, 7
"""Of a chain that is longer than both together, so many links are shown from each end."""
GRAPH_LIMIT = 400
MISSING = object()


@dataclass(frozen=True)
class Why:
    """The answer. In a notebook it shows as a widget, or as a picture; as text it is one line a link, the cause first."""

    asked: str
    links: tuple[Link, ...]
    origin: float
    """When the first link happened, in seconds since the Unix epoch."""
    now: str = ""
    """What the field is, where one was asked for."""
    _engine: Engine | None = field(default=None, repr=False, compare=False)
    _trace: Trace | None = field(default=None, repr=False, compare=False)
    _widget: Callable[[Why], Any] | None = field(default=None, repr=False, compare=False)
    """Makes the widget that a notebook shows it as."""

    def __str__(self) -> str:
        return "\n".join(self._lines(shorten=True))

    __repr__ = __str__

    @property
    def text(self) -> str:
        """The answer as it is printed."""
        return str(self)

    @property
    def full(self) -> str:
        """The same with no link left out."""
        return "\n".join(self._lines(shorten=False))

    @property
    def table(self) -> Table:
        """The links as rows."""
        return Table(
            ("TIME", "STEP", "REVISION", "WHO", "WHAT"),
            tuple(
                (f"+{each.time - self.origin:.1f}s", str(each.step), str(each.wrote or ""), each.who, each.says)
                for each in self.links
            ),
        )

    @cached_property
    def picture(self) -> GraphPicture:
        """The chain, drawn. What is left out in the text is one box."""
        return GraphPicture(self._chain_graph())

    @cached_property
    def graph(self) -> GraphPicture:
        """All causes of all links, not only those of the chain: the nearest 400."""
        return GraphPicture(self._whole_graph())

    @property
    def svg(self) -> str:
        """The chain as SVG. Raises RuntimeError where it cannot be drawn."""
        return self.picture.svg

    def json(self) -> dict[str, Any]:
        """What a widget draws."""
        table = {"columns": list(self.table.columns), "rows": [list(row) for row in self.table.rows]}
        return self.picture.json() | {"text": self.text, "table": table}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self._widget is not None and in_a_notebook():
            return self._widget(self)._repr_mimebundle_()
        return self.picture._repr_mimebundle_() | {"text/plain": str(self)}

    def _lines(self, shorten: bool) -> Iterator[str]:
        yield f"{self.asked}{f' = {self.now}' if self.now else ''}, because:"
        first, left_out, last = _shortened(self.links) if shorten else (self.links, (), ())
        wide = max((len(each.who) for each in (*first, *last)), default=0)
        for each in first:
            yield self._line(each, wide)
        if left_out:
            yield f"{'':>8}  ... {_summary(left_out)} ..."
        for each in last:
            yield self._line(each, wide)

    def _line(self, link: Link, wide: int) -> str:
        at = f"+{link.time - self.origin:.1f}s"
        wrote = f", revision {link.wrote}" if link.wrote else ""
        return f"{at:>8}  {link.who:<{wide}}  {link.says}{wrote}"

    def _chain_graph(self) -> Graph:
        first, left_out, last = _shortened(self.links)
        nodes = [each.node(self.origin) for each in first]
        if left_out:
            nodes.append(Node("left-out", ("...", _summary(left_out)), "group"))
        nodes += [each.node(self.origin) for each in last]
        if nodes:
            nodes[-1] = _lit(nodes[-1])
        edges = [Edge(before.id, after.id) for before, after in pairwise(nodes)]
        return Graph(f"Why: {self.asked}", tuple(nodes), tuple(edges), downward=True)

    def _whole_graph(self) -> Graph:
        if self._trace is None or self._engine is None or not self.links:
            return self._chain_graph()
        target = self.links[-1].record
        pairs = []
        for pair in ancestors(self._trace, target):
            pairs.append(pair)
            if len(pairs) >= GRAPH_LIMIT:
                break
        found = {record.number: record for pair in pairs for record in pair} | {target.number: target}
        links = {number: link([found[number]], self._trace, self._engine) for number in sorted(found)}
        nodes = [each.node(self.origin, each.who) for each in links.values()]
        ids = {number: each.id for number, each in links.items()}
        edges = [Edge(ids[cause.number], ids[effect.number]) for cause, effect in pairs]
        nodes = [_lit(node) if node.id == ids[target.number] else node for node in nodes]
        return Graph(f"All causes: {self.asked}", tuple(nodes), tuple(edges), downward=True)


def in_a_notebook() -> bool:
    """Whether this is a Jupyter kernel: there a widget can be shown."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def why(
    engine: Engine, trace: Trace, what: str, *, field: str = "", revision: int = 0, namespace: str = "default"
) -> Why:
    """Why an object, or one field of it, is as it is; or was as of `revision`.

    `what` is `kind/name`. Without `field`, the answer is about the object's newest change; with it, about the newest change of
    that field (`status.readyReplicas`, `spec.containers.0.image`). Raises ValueError for an object or field that never was,
    and for what the trace has forgotten.
    """
    wanted = reference(what, namespace)
    commits = [each for each in trace.select(kind=records.COMMIT, what=wanted.what) if each.what == wanted.what]
    if revision:
        commits = [each for each in commits if each.revision <= revision]
    if not commits:
        raise _nothing(engine, trace, wanted, revision)
    if not field:
        return _answer(engine, trace, f"{wanted.resource.kind} {wanted.name}", commits[-1])
    for commit in reversed(commits):
        after = value_at(engine, wanted, field, commit.revision)
        before = value_at(engine, wanted, field, commit.revision - 1)
        if after != before:
            asked = f"{wanted.resource.kind} {wanted.name}: {field}"
            return _answer(
                engine, trace, asked, commit, "gone" if after is MISSING else repr(_told(wanted, field, after))
            )
    raise Mistake(f"{wanted} has no field {field!r}, and never had one since the trace began; see: kubectl explain")


def why_revision(engine: Engine, trace: Trace, revision: int) -> Why:
    """Why a revision was written. Raises ValueError for one that is not in the trace."""
    commit = trace.commit_at(revision)
    if commit is None:
        kept = [each.revision for each in trace.select(kind=records.COMMIT)]
        range_ = f"{kept[0]} to {kept[-1]}" if kept else "none"
        raise Mistake(f"revision {revision} is not in the trace; it holds: {range_}")
    return _answer(engine, trace, f"revision {revision}", commit)


def value_at(engine: Engine, wanted: Reference, path: str, revision: int) -> Any:
    """A field's value as of a revision; MISSING where there is none. Parts of a path are joined by dots, lists by number."""
    value: Any = engine.object_at(wanted.resource, wanted.namespace, wanted.name, revision) if revision > 0 else None
    for part in path.removeprefix(".").replace("[", ".").replace("]", "").split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def _told(wanted: Reference, path: str, value: Any) -> Any:
    """The value of a field, as it may be told."""
    if not is_secret(wanted.resource.group, wanted.resource.kind):
        return value
    return told(path.removeprefix(".").split("."), value)


def _nothing(engine: Engine, trace: Trace, wanted: Reference, revision: int) -> Mistake:
    if engine.object_at(wanted.resource, wanted.namespace, wanted.name) is not None:
        if revision:
            return Mistake(f"{wanted} did not exist at revision {revision}, as far as the trace goes back")
        return Mistake(f"{wanted} is there, but the trace no longer holds the record of its last change")
    found = engine.server.registry.list(wanted.resource, wanted.namespace).items
    return not_there(wanted, [each["metadata"]["name"] for each in found])


def _answer(engine: Engine, trace: Trace, asked: str, commit: Record, now: str = "") -> Why:
    chain = chain_to(trace, commit)
    return Why(asked, links_of(chain, trace, engine), chain[0].time, now, engine, trace)


def _shortened(links: Sequence[Link]) -> tuple[Sequence[Link], Sequence[Link], Sequence[Link]]:
    """(first, left out, last)."""
    if len(links) <= SHOWN_FIRST + SHOWN_LAST + 1:
        return links, (), ()
    return links[:SHOWN_FIRST], links[SHOWN_FIRST:-SHOWN_LAST], links[-SHOWN_LAST:]


def _summary(links: Iterable[Link]) -> str:
    """`12 links: 4 writes, by kubelet-node-1, replicaset-controller`."""
    links = list(links)
    writes = sum(bool(each.wrote) for each in links)
    who = sorted({each.who for each in links})
    return f"{len(links)} links with {writes} writes, by {', '.join(who)}"


def _lit(node: Node) -> Node:
    return Node(node.id, node.lines, node.kind, node.state, node.group, lit=True)
