"""What happened because of what: the causal graph of a command, or of a window in time.

A box is what one component did about one object until something new came from outside of it: its goes at it, one after the
other, with what it wrote and called. An arrow leads from what was written to whoever acted on hearing of it. Work of which
nothing came is left out, and so are Events and Leases.

Goes are joined only where all causes of the later one are in the earlier: so joining never makes a circle, and time runs
along the arrows. Boxes are grouped by component: where there are too many, a group is one box, to be opened with `expand`.

k8slab's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.causes import ROOTS, causes_of
from k8slab.lab.drawing import Edge, Graph, GraphPicture, Node
from k8slab.lab.drawing.axis import moment
from k8slab.lab.pictures.deeds import UNSEEN, deed_of, named, summary
from k8slab.lab.pictures.scope import Scope, When, command_of, effects_of, scope_of
from k8slab.lab.pictures.units import Unit, runtime_calls, units
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace

LIMIT = 40
"""So many boxes can still be read."""


@dataclass(slots=True)
class Deal:
    """A box: what one component did about one object, or a command."""

    id: str
    who: str
    subject: str
    time: float
    roots: list[Record] = field(default_factory=list)
    """Commands, inputs, moves of the clock."""
    goes: list[Unit] = field(default_factory=list)
    causes: dict[str, None] = field(default_factory=dict)
    """The ids of the boxes because of which this one is; an ordered set."""


def causal_graph(
    engine: Engine,
    trace: Trace,
    what: str = "",
    *,
    command: str = "",
    component: str = "",
    start: When = None,
    end: When = None,
    limit: int = LIMIT,
    expand: Collection[str] = (),
    namespace: str = "default",
) -> GraphPicture:
    """What happened because of a command; by default, of the last one that changed something.

    With `start` or `end` (seconds after the beginning), what happened in a window instead. `what` and `component` keep what
    was about an object and what it owns, or was done by components. With more than `limit` boxes, groups are one box each;
    `expand` names those to open. Raises ValueError for what there is not.
    """
    scope = scope_of(engine, trace, what, component=component, start=start, end=end, namespace=namespace)
    in_window = start is not None or end is not None
    if in_window and not command:
        chosen, title, origin = list(trace), "What happened", scope.start
    else:
        root = command_of(trace, command)
        chosen, title, origin = effects_of(trace, root), f"What came of: {root.text}", root.time
    model = causal_model(engine, title, deals(engine, trace, chosen, scope), origin, limit)
    return GraphPicture(model, limit, expand)


def causal_model(engine: Engine, title: str, found: Sequence[Deal], origin: float, limit: int = LIMIT) -> Graph:
    """The boxes and arrows. Where many will be one, a moment is no state: it would be counted."""
    nodes = [_node(engine, deal, origin) for deal in found]
    if len(nodes) > limit:
        nodes = [replace(node, lines=(*node.lines, node.state), state="") for node in nodes]
    edges = [Edge(cause, deal.id) for deal in found for cause in deal.causes]
    return Graph(title, tuple(nodes), tuple(edges), downward=True)


def deals(engine: Engine, trace: Trace, chosen: Sequence[Record], scope: Scope) -> list[Deal]:
    """What the records come to, oldest first. What is left out passes its causes on."""
    home: dict[int, tuple[str, ...]] = {}
    made: dict[str, Deal] = {}
    numbers: Counter[str] = Counter()
    by_number = {unit.work.number: unit for unit in units(chosen)}
    for record in chosen:
        unit = by_number.get(record.number)
        if unit is None and record.kind not in ROOTS:
            if record.kind == records.COMMIT:
                home[record.number] = _homes(home, record.causes)
            continue
        causes = _homes(home, [cause.number for cause in causes_of(trace, record)])
        if unit is None:
            home[record.number] = _root(made, numbers, record, causes, scope)
        elif not (unit.led_to_something and scope.about(unit.subject) and scope.holds(unit.work)):
            home[record.number] = causes
        else:
            home[record.number] = (_work(made, numbers, unit, causes),)
    led_on: set[str] = set()
    kept: list[Deal] = []
    for deal in reversed(made.values()):
        if deal.id in led_on or (deal.goes and not _leads_nowhere(engine, deal)):
            led_on |= deal.causes.keys()
            kept.append(deal)
    return kept[::-1]


def _homes(home: dict[int, tuple[str, ...]], causes: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(box for cause in causes for box in home.get(cause, ())))


def _root(
    made: dict[str, Deal], numbers: Counter[str], record: Record, causes: tuple[str, ...], scope: Scope
) -> tuple[str, ...]:
    """A command is a box, and its inputs are in it. That time passed is no news: what waited for it has its own causes."""
    if record.kind == records.CLOCK or record.component == "k8slab":  # the latter: that the cluster was made
        return ()
    if causes:
        made[causes[0]].roots.append(record)
        return causes[:1]
    if record.time < scope.start or record.time > scope.end:
        return ()
    deal = Deal(_new_id(numbers, f"you/{record.text}"), "you", "", record.time, [record])
    made[deal.id] = deal
    return (deal.id,)


def _work(made: dict[str, Deal], numbers: Counter[str], unit: Unit, causes: tuple[str, ...]) -> str:
    """The box of a unit: that of the go before it, if it has no other cause."""
    if len(causes) == 1:
        before = made[causes[0]]
        if (before.who, before.subject) == (unit.work.component, unit.subject) and before.goes:
            before.goes.append(unit)
            return before.id
    name = f"{unit.work.component}/{unit.subject}"
    deal = Deal(_new_id(numbers, name), unit.work.component, unit.subject, unit.work.time, goes=[unit])
    deal.causes.update(dict.fromkeys(causes))
    made[deal.id] = deal
    return deal.id


def _new_id(numbers: Counter[str], name: str) -> str:
    numbers[name] += 1
    return name if numbers[name] == 1 else f"{name} ({numbers[name]})"


def _node(engine: Engine, deal: Deal, origin: float) -> Node:
    at = moment(deal.time - origin)
    if not deal.goes:
        return Node(deal.id, ("you", deal.roots[0].text), "input", at, "you")
    last = deal.goes[-1].work.time
    when = at if last == deal.time else f"{at} to {moment(last - origin)}"
    about = named(deal.subject) if deal.subject else "its node" if deal.who.startswith("kubelet-") else "all"
    calls = runtime_calls([call for unit in deal.goes for call in unit.calls])
    pulls = [f"PullImage {call.what}" for unit in deal.goes for call in unit.calls if call.verb == "PullImage"]
    deeds = [deed_of(engine, write) for unit in deal.goes for write in unit.writes]
    seen = [deed for deed in deeds if deed.verb not in UNSEEN] or deeds
    results = dict.fromkeys(unit.result for unit in deal.goes if unit.result)
    lines = [
        text for text in (*pulls, *calls.split(", "), *summary(seen, named(deal.subject)).split(", "), *results) if text
    ]
    return Node(deal.id, (deal.who, about, *lines), "reconcile", when, deal.who)


def _leads_nowhere(engine: Engine, deal: Deal) -> bool:
    """Whether nobody is told of what was done: of such work, only what something came of is of interest."""
    if any(unit.calls or unit.refused or unit.result for unit in deal.goes):
        return False
    return all(deed_of(engine, write).verb in UNSEEN for unit in deal.goes for write in unit.writes)
