"""Swim lanes: who did what when, or how things were, over time.

By component, a lane holds what one component did, and what took it time: a pull, a container, a lease, a machine that was
down. By object, a lane holds how one object was: each state a bar, and on it the moments at which somebody wrote it. What
happens at one moment is one mark.

Everything is read from records, and from the objects as of the revisions that they name.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from k8slab.engine.engine import Engine
from k8slab.engine.faults import FAULTS
from k8slab.lab import records
from k8slab.lab.drawing import Bar, Mark, Timeline, TimelinePicture
from k8slab.lab.pictures import spans
from k8slab.lab.pictures.breakages import breakage_of
from k8slab.lab.pictures.deeds import MINOR, UNSEEN, deed_of, is_upkeep, named, summary
from k8slab.lab.pictures.scope import Scope, When, commands, scope_of
from k8slab.lab.pictures.units import Unit, count_of, runtime_calls, units
from k8slab.lab.records import Record
from k8slab.lab.reference import reference, reference_of
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake

YOU, BROKEN = "you", "faults"
BY = ("component", "object")
FIRST = (YOU, BROKEN)
ORDER = ("deployment-controller", "replicaset-controller")
LAST = ("kube-scheduler",)
"""Lanes that have a place of their own: a Deployment comes before its ReplicaSets, and nodes come last."""


@dataclass(frozen=True)
class View:
    """What a timeline is made of."""

    engine: Engine
    trace: Trace
    scope: Scope
    looks: bool = False
    """Whether it holds the commands that changed nothing."""


Lane = Callable[[View], Iterator[Bar | Mark]]


def timeline(
    engine: Engine,
    trace: Trace,
    what: str = "",
    *,
    by: str = "",
    component: str = "",
    start: When = None,
    end: When = None,
    namespace: str = "default",
    looks: bool = False,
) -> TimelinePicture:
    """A timeline of the cluster, or of an object and what it owns, from `start` to `end` (seconds after the beginning).

    `by` is `component` or `object`; by default `object` where one is named. `looks`: also the commands that
    changed nothing, as `kubectl get`. Raises ValueError for what there is not.
    """
    by = by or ("object" if what else "component")
    if by not in BY:
        raise Mistake(f"a timeline is by {' or by '.join(BY)}, not by {by!r}")
    scope = scope_of(engine, trace, what, component=component, start=start, end=end, namespace=namespace)
    name = str(named(reference(what, namespace).what)) if what else f"The cluster, by {by}"
    return TimelinePicture(timeline_model(name, View(engine, trace, scope, looks), by))


def timeline_model(title: str, view: View, by: str) -> Timeline:
    """The bars and marks of a scope."""
    things = [
        cut for lane in LANES[by] for each in lane(view) if (cut := _cut(each, view.scope)) is not None
    ]  # fmt: skip
    lanes = dict.fromkeys(each.lane for each in things)
    families = {_lane(subject): number for number, subject in enumerate(view.scope.family)}
    ordered = sorted(lanes, key=_place if by == "component" else lambda lane: (_first(lane), families.get(lane, 0)))
    things = [replace(each, object=_id(each.object)) for each in things]
    bars = tuple(each for each in things if isinstance(each, Bar))
    marks = tuple(each for each in things if isinstance(each, Mark))
    return Timeline(title, tuple(ordered), bars, marks, view.scope.origin)


def _id(what: str) -> str:
    """An object as pictures name it: so that what is chosen in one is chosen in all."""
    found = reference_of(what)
    return found.id if found else ""


# What stands in every timeline.


def _commands(view: View) -> Iterator[Mark]:
    """What somebody outside did. To let time pass is no deed: the axis shows it; faults have a lane of their own."""
    acted = {
        cause for each in view.trace if each.kind in (records.INPUT, records.COMMIT, records.FAULT)
        for cause in each.causes
    }  # fmt: skip
    for record in commands(view.trace):
        is_look = record.kind == records.COMMAND and record.number not in acted
        if record.kind != records.FAULT and (view.looks or not is_look):
            yield Mark(YOU, record.time, record.text, "input")


def _faults(view: View) -> Iterator[Bar | Mark]:
    begun: dict[str, Record] = {}
    for record in view.trace.select(kind=records.FAULT):
        broken = breakage_of(record)
        if FAULTS[broken.name].end is None:
            yield Mark(BROKEN, record.time, str(broken), "fault")
        elif broken.ends:
            start = begun.pop(broken.id, None)
            if start is not None:
                yield Bar(BROKEN, start.time, record.time, str(breakage_of(start)), "fault")
        else:
            begun.setdefault(broken.id, record)
    yield from (Bar(BROKEN, start.time, None, str(breakage_of(start)), "fault") for start in begun.values())


# By component.


def _work(view: View) -> Iterator[Mark]:
    """What a component did at one moment, all of it one mark."""
    done = [
        unit for unit in units(view.trace)
        if unit.led_to_something and view.scope.about(unit.subject) and view.scope.holds(unit.work)
    ]  # fmt: skip
    for (who, at), group in groupby(sorted(done, key=_who_and_when), key=_who_and_when):
        together = list(group)
        if text := _told(view.engine, together):
            yield Mark(who, at, text, "reconcile", together[0].subject)


def _who_and_when(unit: Unit) -> tuple[str, float]:
    return unit.work.component, unit.work.time


def _told(engine: Engine, together: Sequence[Unit]) -> str:
    calls = runtime_calls([call for unit in together for call in unit.calls])
    deeds = [deed_of(engine, write) for unit in together for write in unit.writes]
    major = [deed for deed in deeds if deed.verb not in MINOR]
    told = [deed for deed in deeds if deed.verb not in UNSEEN]
    # That what was asked for is gone already is no failure: somebody was faster.
    failed = [each for unit in together for each in unit.refused if each.code not in (404, 409)]
    refused = f"{count_of(len(failed), 'request')} failed" if failed else ""
    results = dict.fromkeys(unit.result for unit in together if unit.result)
    return ", ".join(
        filter(None, [calls, summary(major or ([] if calls else told), say=lambda deed: deed.brief), refused, *results])
    )


def _pulls(view: View) -> Iterator[Bar]:
    for pull in spans.pulls(view.engine, view.trace):
        if view.scope.about(pull.subject) and view.scope.component in pull.who:
            yield Bar(pull.who, pull.start, pull.end, pull.label, "pull", pull.subject)


def _containers(view: View) -> Iterator[Bar]:
    for run in spans.containers(view.engine, view.trace):
        if view.scope.about(run.subject) and view.scope.component in run.who:
            yield Bar(run.who, run.start, run.end, run.label, "container", run.subject)


def _leases(view: View) -> Iterator[Bar]:
    for lease in spans.leases(view.engine, view.trace):
        if view.scope.about(lease.subject) and view.scope.component in lease.who:
            yield Bar(lease.who, lease.start, lease.end, lease.label, "Lease", lease.subject)


def _downtimes(view: View) -> Iterator[Bar]:
    for down in chain(spans.downtimes(view.engine, view.trace), spans.hindrances(view.trace)):
        if view.scope.component in down.who:
            yield Bar(down.who, down.start, down.end, down.label, "fault")


# By object.


def _states(view: View) -> Iterator[Bar]:
    for state in spans.states(view.engine, view.trace):
        if view.scope.about(state.subject):
            kind = named(state.subject).partition(" ")[0]
            yield Bar(_lane(state.subject), state.start, state.end, state.label, kind, state.subject)


def _rollouts(view: View) -> Iterator[Bar]:
    for rollout in spans.rollouts(view.engine, view.trace):
        if view.scope.about(rollout.subject):
            yield Bar(_lane(rollout.subject), rollout.start, rollout.end, rollout.label, "rollout", rollout.subject)


def _pulls_of_pods(view: View) -> Iterator[Bar]:
    for pull in _pulls(view):
        yield replace(pull, lane=_lane(pull.object))


def _writes(view: View) -> Iterator[Mark]:
    """What was done to an object at one moment, but for its states, which are bars."""
    written = [
        each for each in view.trace
        if each.kind == records.COMMIT and not is_upkeep(each) and view.scope.holds(each) and view.scope.about(each.what)
    ]  # fmt: skip
    for (what, at), group in groupby(sorted(written, key=_what_and_when), key=_what_and_when):
        told = [(deed_of(view.engine, each), " by you" if each.component == YOU else "") for each in group]
        text = ", ".join(dict.fromkeys(deed.suffered + who for deed, who in told if deed.verb not in MINOR))
        if text:
            yield Mark(_lane(what), at, text, "write", what)


def _what_and_when(record: Record) -> tuple[str, float]:
    return record.what, record.time


def _lane(subject: str) -> str:
    # Without a space, it is a name, and keeps its end where it has to be shortened.
    return named(subject).replace(" ", "/", 1)


LANES: dict[str, tuple[Lane, ...]] = {
    "component": (_commands, _faults, _pulls, _containers, _leases, _downtimes, _work),
    "object": (_commands, _faults, _rollouts, _states, _pulls_of_pods, _writes),
}
"""What a timeline holds, by what its lanes are."""


def _cut(each: Bar | Mark, scope: Scope) -> Bar | Mark | None:
    """What of it is within the window; None for nothing."""
    if isinstance(each, Mark):
        return each if scope.start <= each.at <= scope.end else None
    if each.start > scope.end or (each.end is not None and each.end < scope.start):
        return None
    end = None if each.end is None or each.end > scope.end else each.end
    return replace(each, start=max(each.start, scope.start), end=end)


def _place(lane: str) -> tuple[int, str]:
    order = (*FIRST, *ORDER, "", *LAST)
    if lane in order:
        return order.index(lane), ""
    return (len(order) if lane.startswith("kubelet-") else order.index("")), lane


def _first(lane: str) -> int:
    return FIRST.index(lane) if lane in FIRST else len(FIRST)
