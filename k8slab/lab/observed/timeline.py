"""When what happened to an object, as far as the cluster has kept it.

An object keeps few times: when it was made, each condition's *last* change, how each container runs now and ran last, when
each writer last wrote. Events tell more, for about an hour. Everything between is gone: to see it, record it while it happens
(`recording.py`).

The times were written by several machines, each by its own clock, most in whole seconds. So two things of the same second have
no order here.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.drawing import Bar, Mark, Timeline
from k8slab.lab.observed.answer import TimelineAnswer
from k8slab.lab.observed.events import ClusterEvent
from k8slab.lab.observed.fields import moment
from k8slab.lab.observed.managers import managers
from k8slab.lab.observed.reading import Seen
from k8slab.lab.observed.state import conditions_of

CLOCKS = "times come from the clocks of several machines, most in whole seconds: within a second there is no order"
FORGOTTEN = "events are kept for about an hour, and a condition keeps only its last change"
STATUS_TIMES = {
    "startTime": "started",
    "completionTime": "completed",
    "lastScheduleTime": "last scheduled",
    "lastSuccessfulTime": "last succeeded",
    "lastScaleTime": "last scaled",
}
CONTAINER_LISTS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")

Thing = Bar | Mark


def timeline(
    root: Seen, members: Sequence[Seen], events: Iterable[ClusterEvent], notes: tuple[str, ...] = ()
) -> TimelineAnswer:
    """The timeline of an object, a lane for each sort of thing; or of it and others, a lane for each object."""
    told = list(events)
    things: list[Thing] = []
    for member in members:
        found: list[Thing] = [*_lifetime(member), *_conditions(member), *_containers(member)]
        found += [_event(event, member) for event in told if event.about(member)]
        found += _writers(member)
        things += found if len(members) == 1 else [_in_one_lane(each, member) for each in found]
    bars = tuple(each for each in things if isinstance(each, Bar))
    marks = tuple(each for each in things if isinstance(each, Mark))
    origin = min((each.start if isinstance(each, Bar) else each.at for each in things), default=0.0)
    lanes = tuple(dict.fromkeys(each.lane for each in things))
    notes = (*notes, *_waiting(members), FORGOTTEN, CLOCKS)
    return TimelineAnswer(Timeline(f"Timeline of {root.title}", lanes, bars, marks, origin), notes)


def _in_one_lane(each: Thing, seen: Seen) -> Thing:
    """The same in its object's lane, where its words must say what its lane did. No space: the end of a name is what counts."""
    spoken = each.label if each.lane in ("life", "conditions") else f"{each.label} ({each.lane})"
    return replace(each, lane=f"{seen.kind.label}/{seen.name}", label=spoken)


def _lifetime(seen: Seen) -> Iterator[Mark]:
    meta, status = seen.meta, seen.raw.get("status") or {}
    if (made := moment(meta.get("creationTimestamp"))) is not None:
        yield Mark("life", made, "created", seen.kind.label, seen.id)
    for name, words in STATUS_TIMES.items():
        if (at := moment(status.get(name))) is not None:
            yield Mark("life", at, words, seen.kind.label, seen.id)
    if (end := moment(meta.get("deletionTimestamp"))) is not None:
        # The timestamp is when the time of grace is over.
        grace = float(meta.get("deletionGracePeriodSeconds") or 0)
        left = ", ".join(meta.get("finalizers") or [])
        waits = f", waits for {left}" if left else ""
        yield Mark("life", end - grace, f"deletion asked for{waits}", "fault", seen.id)
        if grace:
            yield Mark("life", end, "its time of grace ends", "clock", seen.id)


def _conditions(seen: Seen) -> Iterator[Mark]:
    for each in conditions_of(seen):
        at = moment(each.get("lastTransitionTime"))
        if at is not None:
            reason = f" ({each['reason']})" if each.get("reason") else ""
            yield Mark("conditions", at, f"{each['type']}={each.get('status')}{reason}", "state", seen.id)


def _containers(seen: Seen) -> Iterator[Bar]:
    for container in _statuses(seen):
        for which in ("lastState", "state"):
            state = container.get(which) or {}
            ran = state.get("running") or state.get("terminated") or {}
            start = moment(ran.get("startedAt"))
            if start is None:
                continue
            end = moment(ran.get("finishedAt"))
            words = "runs"
            if state.get("terminated"):
                words = f"{ran.get('reason') or 'ended'}, exit code {ran.get('exitCode')}"
            # A last state without its end would never end.
            end = start if end is None and state.get("terminated") else end
            yield Bar(f"container {container.get('name')}", start, end, words, "container", seen.id)


def _statuses(seen: Seen) -> Iterator[JsonObject]:
    if seen.kind.name == "pods":
        status = seen.raw.get("status") or {}
        for name in CONTAINER_LISTS:
            yield from status.get(name) or []


def _waiting(members: Iterable[Seen]) -> Iterator[str]:
    for seen in members:
        for container in _statuses(seen):
            if waiting := (container.get("state") or {}).get("waiting"):
                reason = waiting.get("reason") or "no reason given"
                yield f"container {container.get('name')} of {seen.name} waits ({reason}): since when is not recorded"


def _event(event: ClusterEvent, seen: Seen) -> Thing:
    where = f"{event.who} says"
    kind = "fault" if event.type == "Warning" else "Event"
    if event.last > event.first:
        return Bar(where, event.first, event.last, event.said, kind, seen.id)
    return Mark(where, event.first, event.said, kind, seen.id)


def _writers(seen: Seen) -> Iterator[Mark]:
    for each in managers(seen.meta):
        if each.at is not None:
            yield Mark("last write", each.at, f"{each.name} ({each}, {each.count()} fields)", "write", seen.id)
