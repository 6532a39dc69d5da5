"""An election over time: whose lease it was, and who worked as the leader does.

The first lane is the Lease: who held it, renewed in time or until it ran out. Below it each candidate has a lane: from when it
began to work as the leader until it stopped. Most of the time both say the same. Where two candidates have a bar at the same
moment, two believed in their lease; where none has, nobody worked.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from k8slab.api.coordination import Lease
from k8slab.client.leader_election import NAMESPACE
from k8slab.engine.candidates import ROLES, process_of
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing import Bar, Timeline, TimelinePicture
from k8slab.lab.pictures import spans
from k8slab.lab.pictures.scope import When, scope_of
from k8slab.lab.pictures.spans import Span
from k8slab.lab.records import object_of
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake

LEASE, LEADS = "the lease", "leads"
LEADER = "component"
"""How a leader's bar is drawn."""


def elections(engine: Engine, trace: Trace, role: str = "", *, start: When = None, end: When = None) -> TimelinePicture:
    """The elections of `kube-scheduler` or `kube-controller-manager`; by default of the one that has candidates.

    Raises ValueError where nobody stands for election.
    """
    standing = [each for each in ROLES if each in engine.spec.candidates]
    role = role or (standing[0] if standing else "")
    if role not in standing:
        there_are = ", ".join(standing) or "none: Cluster(candidates={'kube-scheduler': 3})"
        raise Mistake(f"nobody is elected as {role!r}; there are: {there_are}" if role else f"there are {there_are}")
    scope = scope_of(engine, trace, start=start, end=end)
    processes = [f"{role}-{number}" for number in range(engine.spec.candidates[role])]
    bars = [
        Bar(each.who, each.start, each.end, each.label, kind)
        for found, kind in ((held(engine, trace, role), "Lease"), (leaders(trace), LEADER), (troubles(engine, trace), "fault"))
        for each in found
        if each.who in (LEASE, *processes)
    ]  # fmt: skip
    shown = [cut for each in bars if (cut := _cut(each, scope.start, scope.end)) is not None]
    return TimelinePicture(Timeline(f"Who leads: {role}", (LEASE, *processes), tuple(shown), (), scope.origin))


def held(engine: Engine, trace: Trace, role: str) -> Iterator[Span]:
    """Who held the lease: each time until it was released, taken, or had run out."""
    what = object_of(Lease.resource.plural, f"{NAMESPACE}/{role}")
    for span in spans.leases(engine, trace):
        if span.subject == what:
            holder = span.label.rpartition(" of ")[2].partition("_")[0]
            number = holder.removeprefix(f"{role}-")
            yield replace(span, who=LEASE, label=f"held by {holder if number == holder else f'candidate {number}'}")


def leaders(trace: Trace) -> Iterator[Span]:
    """When each candidate worked as the leader: its parts ran."""
    leading: dict[str, Span] = {}
    for record in trace:
        process = process_of(record.component)
        if process == record.component or record.kind not in (records.START, records.STOP):
            continue
        if record.kind == records.START:
            leading.setdefault(process, Span(process, "", LEADS, record.time))
        elif process in leading:
            yield replace(leading.pop(process), end=record.time)
    yield from leading.values()


def troubles(engine: Engine, trace: Trace) -> Iterator[Span]:
    """What was wrong with a candidate."""
    return chain(spans.downtimes(engine, trace), spans.hindrances(trace))


def _cut(bar: Bar, start: float, end: float) -> Bar | None:
    if bar.start > end or (bar.end is not None and bar.end < start):
        return None
    return replace(bar, start=max(bar.start, start), end=None if bar.end is None or bar.end > end else bar.end)
