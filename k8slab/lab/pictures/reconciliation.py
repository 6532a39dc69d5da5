"""The control loop, look by look: what was desired, what was observed, the difference, and what was done about it.

A controller's work on an object begins with a look at its cache. What the cache held is known (`heard.py`); the rows of
`GOALS` say which numbers a controller of that kind compares. What it did are the writes of that unit of work. So a stale
cache can be seen at work, too: the observed is what the component *had heard*, not what was so.

A kind without a row is compared field by field: what differs from the last look.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from k8slab.apimachinery.rest import JsonObject
from k8slab.engine.candidates import role_of
from k8slab.engine.engine import Engine
from k8slab.lab.drawing import Edge, Graph, Node, Table
from k8slab.lab.drawing.axis import moment
from k8slab.lab.pictures.deeds import UNSEEN, deed_of, differences, named, summary
from k8slab.lab.pictures.goals import GOALS
from k8slab.lab.pictures.heard import Heard
from k8slab.lab.pictures.scope import Scope, When, scope_of
from k8slab.lab.pictures.tabled import TabledGraph
from k8slab.lab.pictures.units import Unit, heard_by, runtime_calls, units
from k8slab.lab.reference import reference
from k8slab.lab.trace import Trace

NOTHING = "nothing"
DRAWN = 12
"""So many looks are drawn, the last ones; the table has all."""
MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a control loop at one object."""

    time: float
    step: int
    who: str
    heard: str
    """Because of what news it looked."""
    desired: str
    observed: str
    difference: str
    action: str
    """What it did, in words; `nothing`."""


def reconciliation(
    engine: Engine,
    trace: Trace,
    what: str,
    *,
    component: str = "",
    start: When = None,
    end: When = None,
    idle: bool = False,
    namespace: str = "default",
) -> TabledGraph:
    """How an object was reconciled, look by look. `idle`: also the looks that found nothing to do.

    `component` chooses one of several that work on it: `kube-scheduler`, `kubelet`. Raises ValueError for what never was.
    """
    wanted = reference(what, namespace)
    scope = scope_of(engine, trace, what, component=component, start=start, end=end, namespace=namespace)
    looks = looks_at(engine, trace, wanted.what, scope)
    shown = [each for each in looks if idle or each.action != NOTHING]
    title = f"How {wanted.resource.kind} {wanted.name} was reconciled"
    left_out = len(looks) - len(shown)
    said = f"and {left_out} more looks, with nothing to do" if left_out else ""
    return TabledGraph(loop_model(title, shown, scope.origin), loop_table(shown, scope.origin), said)


def looks_at(engine: Engine, trace: Trace, what: str, scope: Scope) -> list[Look]:
    """Every look at an object, `deployments/default/web`, oldest first. What a kubelet does in several goes is one."""
    chosen = [unit for unit in units(trace) if unit.subject == what and scope.holds(unit.work)]
    caches: dict[str, Heard] = {}
    before: JsonObject | None = None
    found = []
    for goes in _together(trace, chosen):
        first = goes[0].work
        if first.component not in caches:
            caches[first.component] = Heard(engine, trace, first.component)
        heard = caches[first.component].until(first.number)
        obj = heard.get(what)
        found.append(_look(engine, trace, goes, obj, before, heard))
        before = obj or before
    return found


def loop_table(looks: Sequence[Look], origin: float) -> Table:
    """The looks as rows."""
    rows = tuple(
        (
            moment(each.time - origin),
            str(each.step),
            each.who,
            each.desired,
            each.observed,
            each.difference,
            each.action,
        )
        for each in looks
    )
    return Table(("Time", "Step", "Who", "Desired", "Observed", "Difference", "Action"), rows)


def loop_model(title: str, looks: Sequence[Look], origin: float) -> Graph:
    """A row for each look: what was heard, what was compared, what was done; of many, the last twelve."""
    nodes, edges = [], []
    for number, look in enumerate(looks[-DRAWN:], max(0, len(looks) - DRAWN) + 1):
        heard, compared, done = f"{number} heard", f"{number} compared", f"{number} done"
        lines = (
            f"{number}. {look.who}", f"desired: {look.desired}", f"observed: {look.observed}",
            f"difference: {look.difference}",
        )  # fmt: skip
        if look.heard:
            nodes.append(Node(heard, ("heard", *_lines(look.heard)), "delivery"))
            edges.append(Edge(heard, compared))
        nodes.append(Node(compared, lines, "reconcile", moment(look.time - origin)))
        if look.action != NOTHING:
            nodes.append(Node(done, ("did", *_lines(look.action)), "write"))
            edges.append(Edge(compared, done))
    return Graph(title, tuple(nodes), tuple(edges))


def _lines(text: str) -> tuple[str, ...]:
    """What is enumerated, each in a line; of many, the first ones."""
    parts = text.split(", ")
    more = [f"and {len(parts) - MOST_LINES} more"] if len(parts) > MOST_LINES else []
    return (*parts[:MOST_LINES], *more)


def _together(trace: Trace, chosen: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units that are the rest of the one before them, put together with it."""
    goes: list[Unit] = []
    for unit in chosen:
        same = goes and unit.work.time == goes[-1].work.time and unit.work.component == goes[-1].work.component
        if same and not heard_by(trace, unit.work):
            goes.append(unit)
            continue
        if goes:
            yield goes
        goes = [unit]
    if goes:
        yield goes


def _look(
    engine: Engine, trace: Trace, goes: Sequence[Unit], obj: JsonObject | None, before: JsonObject | None, heard: Heard
) -> Look:
    work = goes[0].work
    news = ", ".join(dict.fromkeys(f"{each.verb} {named(each.what)}" for each in heard_by(trace, work)))
    if obj is None:
        desired, observed, difference = ("gone",) * 3 if heard.complete else ("not known any more",) * 3
    else:
        desired, observed, difference = _compared(work.component, obj, before, heard)
    return Look(work.time, work.step, work.component, news, desired, observed, difference, _action(engine, goes))


def _compared(who: str, obj: JsonObject, before: JsonObject | None, heard: Heard) -> tuple[str, str, str]:
    """(desired, observed, difference), in words."""
    kind = obj["kind"] if obj["kind"] != "Pod" or role_of(who) == "kube-scheduler" else "Pod on a node"
    if kind not in GOALS:
        changed = [path for path, _, _ in differences(before or {}, obj) if path.startswith(("spec", "status"))]
        return "as its spec says", "as its status says", f"changed: {', '.join(changed[:3])}" if changed else "none"
    desired, observed, difference = [], [], []
    for goal in GOALS[kind]:
        want, have = goal.desired(obj), goal.observed(obj, heard)
        desired.append(f"{goal.name} {want}")
        observed.append(f"{goal.name} {have}")
        if want != have:
            difference.append(_apart(goal.name, want, have))
    return ", ".join(desired), ", ".join(observed), ", ".join(difference) or "none"


def _apart(name: str, want: int | str, have: int | str) -> str:
    return f"{name} {want - have:+d}" if isinstance(want, int) and isinstance(have, int) else name


def _action(engine: Engine, goes: Sequence[Unit]) -> str:
    calls = runtime_calls(call for unit in goes for call in unit.calls)
    pulls = [f"PullImage {call.what}" for unit in goes for call in unit.calls if call.verb == "PullImage"]
    deeds = [deed_of(engine, write) for unit in goes for write in unit.writes]
    seen = [deed for deed in deeds if deed.verb not in UNSEEN] or deeds
    writes = summary(seen, named(goes[0].subject))
    refused = [f"{each.verb} {named(each.what)} refused ({each.code})" for unit in goes for each in unit.refused]
    result = next((unit.result for unit in goes if unit.result), "")
    return ", ".join(filter(None, [*pulls, calls, writes, *refused, result])) or NOTHING
