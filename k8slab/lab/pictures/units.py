"""Units of work: what a component did between taking up an object and putting it down.

The trace has a WORK record where work begins and a DONE where it ends; everything in between names the WORK as its cause.
Here they are put together again. A unit is about an object: what its queue's key means is told by the component's name, for
the deployment-controller's keys are Deployments, and a kubelet's are Pods.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from k8slab.apiserver.resources import RESOURCES
from k8slab.engine.candidates import role_of
from k8slab.lab import records
from k8slab.lab.drawing.words import plural
from k8slab.lab.pictures.deeds import is_upkeep
from k8slab.lab.records import Record, object_of
from k8slab.lab.trace import Trace


@dataclass(slots=True)
class Unit:
    """One unit of work."""

    work: Record
    subject: str
    """The object that it was about, `pods/default/web`; empty for none in particular."""
    writes: list[Record] = field(default_factory=list)
    """Commits, but for Events and Leases."""
    upkeep: list[Record] = field(default_factory=list)
    """Those."""
    calls: list[Record] = field(default_factory=list)
    """What a container runtime was asked to do."""
    refused: list[Record] = field(default_factory=list)
    """Requests that failed."""
    result: str = ""
    """What came of it, where there is something to say: an error, `unschedulable`."""

    @property
    def led_to_something(self) -> bool:
        """Whether anything came of it: most looks find that all is well."""
        return bool(self.writes or self.calls or self.refused or self.result)


def units(trace: Iterable[Record]) -> list[Unit]:
    """The units of work that begin in these records, oldest first."""
    found: dict[int, Unit] = {}
    for record in trace:
        if record.kind == records.WORK:
            found[record.number] = Unit(record, subject_of(record))
            continue
        unit = found.get(record.causes[0]) if record.causes else None
        if unit is None:
            continue
        if record.kind == records.COMMIT:
            (unit.upkeep if is_upkeep(record) else unit.writes).append(record)
        elif record.kind == records.CALL:
            unit.calls.append(record)
        elif record.kind == records.REQUEST and record.code >= 400:
            unit.refused.append(record)
        elif record.kind == records.DONE:
            unit.result = record.text
    return list(found.values())


def heard_by(trace: Trace, work: Record) -> list[Record]:
    """The news because of which a unit of work was done, oldest first."""
    found: dict[int, Record] = {}
    for cause in map(trace.get, work.causes):
        if cause is None:
            continue
        if cause.kind == records.DELIVERY:
            found[cause.number] = cause
        elif cause.kind == records.QUEUED:
            found |= {
                each.number: each for each in map(trace.get, cause.causes) if each and each.kind == records.DELIVERY
            }
    return [found[number] for number in sorted(found)]


def subject_of(record: Record) -> str:
    """The object that a record is about, as the trace calls it; empty for none."""
    if record.kind in (records.WORK, records.DONE, records.QUEUED):
        resource = keys_of(record.component)
        return object_of(resource, record.what) if resource and record.what else record.what
    if record.kind == records.REQUEST:
        parts = record.what.split("/")
        return "/".join(parts[: 2 if _is_cluster_scoped(parts[0]) else 3])
    return record.what


@lru_cache(maxsize=1024)
def keys_of(component: str) -> str:
    """Of which resource the keys of a component's queue are; empty where they are not of one."""
    role = role_of(component)
    if role == "kube-scheduler" or role.startswith("kubelet-"):
        return "pods"
    kind = role.removesuffix("-controller").replace("-", "")
    return next((each.plural for each in RESOURCES.values() if kind in (each.kind.lower(), *each.short_names)), "")


def runtime_calls(calls: Iterable[Record]) -> str:
    """Calls in one line: `RunPodSandbox, StartContainer`, each once, with how often. Pulls are not among them: they last."""
    counts: dict[str, int] = {}
    for call in calls:
        if call.verb != "PullImage":
            counts[call.verb] = counts.get(call.verb, 0) + 1
    return ", ".join(f"{verb} \u00d7{count}" if count > 1 else verb for verb, count in counts.items())


def count_of(number: int, word: str) -> str:
    """`1 write`, `2 writes`."""
    return f"{number} {word if number == 1 else plural(word)}"


@lru_cache(maxsize=64)
def _is_cluster_scoped(resource: str) -> bool:
    return any(each.plural == resource and not each.namespaced for each in RESOURCES.values())
