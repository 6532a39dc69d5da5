"""Which part of a cluster's life a picture is about: from when to when, which command, which objects.

Moments are said in seconds after the cluster's beginning, as `cluster.story()` says them: `start="60s"`. A command is named
by a part of its words. An object means its family: itself, and all that it owns or has owned.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import EPOCH, parse_duration
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.pictures.deeds import is_upkeep, object_named
from k8slab.lab.records import Record
from k8slab.lab.reference import Reference, not_there, reference
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake

When = float | str | None
"""Seconds after the cluster's beginning, `"90s"`; None: from the beginning, or up to now."""
SHOWN = 5


@dataclass(frozen=True)
class Scope:
    """A window in time, and what in it counts."""

    origin: float
    """From when times are counted, in seconds since the Unix epoch."""
    start: float = float("-inf")
    end: float = float("inf")
    component: str = ""
    """A part of the name of those that count."""
    family: Mapping[str, None] = field(default_factory=dict)
    """The objects that count, as the trace calls them, an owner before what it owns; empty: all. A set, in order."""

    def holds(self, record: Record) -> bool:
        """Whether a record is of the window, and of a component that counts."""
        return self.start <= record.time <= self.end and self.component in record.component

    def about(self, subject: str) -> bool:
        """Whether an object counts."""
        return not self.family or subject in self.family


def scope_of(
    engine: Engine,
    trace: Trace,
    what: str = "",
    *,
    component: str = "",
    start: When = None,
    end: When = None,
    namespace: str = "default",
) -> Scope:
    """The scope that a learner means. Raises ValueError for an object, or a component, that never was."""
    known = {record.component for record in trace if record.kind == records.START}
    if component and not any(component in each for each in known):
        raise Mistake(f"no component is called {component!r}; there are: {', '.join(sorted(known))}")
    zero = beginning(engine, trace)
    first = zero + seconds(start) if start is not None else zero
    last = zero + seconds(end) if end is not None else engine.clock.now()
    members = family(engine, trace, reference(what, namespace)) if what else {}
    return Scope(first, first, last, component, members)


def beginning(engine: Engine, trace: Trace) -> float:
    """When the cluster began, in seconds since the Unix epoch; in real time, when the trace did."""
    if engine.spec.mode == "stepped" or not trace.records:
        return EPOCH
    return trace.records[0].time


def seconds(when: float | str) -> float:
    """A moment or a duration as a number. Raises ValueError for what is neither."""
    return parse_duration(when)


def family(engine: Engine, trace: Trace, wanted: Reference) -> dict[str, None]:
    """The object and all that it owns or owned, the owner first, as the trace calls them. Raises ValueError if it never was."""
    members: dict[str, None] = {}
    uids: set[str] = set()
    if (now := object_named(engine, wanted.what)) is not None:
        uids.add(now["metadata"]["uid"])
        members[wanted.what] = None
    for what, obj in _births(engine, trace):
        meta = obj["metadata"]
        if what == wanted.what or uids.intersection(each["uid"] for each in meta.get("ownerReferences") or []):
            uids.add(meta["uid"])
            members[what] = None
    if not members:
        found = engine.server.registry.list(wanted.resource, wanted.namespace).items
        raise not_there(wanted, [each["metadata"]["name"] for each in found])
    return members


def _births(engine: Engine, trace: Trace) -> Iterator[tuple[str, JsonObject]]:
    """Every object that was written, as it was when the trace first tells of it, and again when it was made anew."""
    seen: set[str] = set()
    for record in trace:
        if record.kind != records.COMMIT or is_upkeep(record) or (record.what in seen and record.verb != "create"):
            continue
        obj = object_named(engine, record.what, record.revision)
        if obj is not None:
            seen.add(record.what)
            yield record.what, obj


# Commands.


def commands(trace: Trace) -> list[Record]:
    """What somebody outside did: commands that asked for something, and what was asked for, or broken, without one."""
    asking = {
        cause for record in trace if record.kind in (records.INPUT, records.FAULT, records.REQUEST)
        for cause in record.causes
    }  # fmt: skip
    return [each for each in trace if (_is_said(each) and each.number in asking) or _is_bare(trace, each)]


def command_of(trace: Trace, words: str = "") -> Record:
    """The newest command whose words contain these; without words, the newest that changed something.

    What was done without a command, by a client in Python, counts as one. Raises ValueError, which names the last commands.
    """
    known = commands(trace)
    if words:
        found = [each for each in known if words in each.text]
    else:
        found = [_root(trace, each) for each in trace.select(kind=records.COMMIT) if each.component == "you"]
        found = [each for each in found if each.kind != records.COMMIT]  # that one is of the cluster's own making
    if not found:
        last = "; ".join(dict.fromkeys(each.text for each in known[-SHOWN:])) or "none"
        asked = f"no command has {words!r} in it" if words else "no command has changed anything yet"
        raise Mistake(f"{asked}; the last ones: {last}")
    return found[-1]


def effects_of(trace: Trace, root: Record) -> list[Record]:
    """Every record that is there because of a command, in order; the command itself first."""
    met, found = {root.number}, [root]
    for record in trace.since(root.number):
        if not met.isdisjoint(record.causes):
            met.add(record.number)
            found.append(record)
    return found


def _is_said(record: Record) -> bool:
    return record.kind == records.COMMAND and record.component == "you"


def _is_bare(trace: Trace, record: Record) -> bool:
    """Whether it came from outside, and nobody has said a word."""
    return record.kind in (records.INPUT, records.FAULT) and _root(trace, record) == record


def _root(trace: Trace, record: Record) -> Record:
    """What somebody outside did, and this came of. That a cluster was made is not why it was asked for anything."""
    while record.causes and (cause := trace.get(record.causes[0])) is not None and cause.component != "k8slab":
        record = cause
    return record
