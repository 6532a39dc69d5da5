"""A causal chain in words: what somebody reads who asked why.

The chain's records become links. A command and the request that it made are one. A component's work and the write that came of
it are one, with the calls to the container runtime that were made for it; work on the same object in several goes is one too.
A write that changes an object says which fields, those that tell most first.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import definition_for
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.comparison import Changed, compare, path_text
from k8slab.lab.drawing import Node
from k8slab.lab.records import Record
from k8slab.lab.reference import Reference, reference_of
from k8slab.lab.secrecy import HIDDEN, PARTS, is_secret
from k8slab.lab.trace import Trace

MOST_CHANGES = 2
TELLING = ("spec.nodeName", "status.phase", "spec.replicas", "status.readyReplicas", "metadata.deletionTimestamp")
"""Of several changed fields, these are told first."""
NOISE = (
    "managedFields", "resourceVersion", "generation", "observedGeneration", "lastTransitionTime", "lastUpdateTime",
    "lastHeartbeatTime", "annotations", "uid", "creationTimestamp", "startTime",
)  # fmt: skip
VERBS = {"create": "creates", "update": "changes", "delete": "deletes"}
KINDS = {records.WORK: "reconcile", records.CLOCK: "clock", records.FAULT: "fault", records.START: "component"}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain."""

    time: float
    step: int
    who: str
    """The component, or `you`."""
    works: str
    """What it works on; empty for what is no work."""
    does: str
    """What comes of it: `creates ReplicaSet web-795`; or a command, or what else happens."""
    record: Record
    """What the link is made of; of several, the last."""
    calls: tuple[str, ...] = ()
    """What was asked of a container runtime meanwhile."""
    changes: tuple[str, ...] = ()
    """The fields that a write changed: `spec.nodeName: node-3`."""

    @property
    def wrote(self) -> int:
        """The revision that it wrote; 0 for none."""
        return self.record.revision if self.record.kind == records.COMMIT else 0

    @property
    def id(self) -> str:
        """As pictures name it: `Pod/default/web@41`, the object and the revision; or the number of a record."""
        found = reference_of(self.record.what) if self.wrote else None
        return f"{found.id}@{self.wrote}" if found else str(self.record.number)

    @property
    def says(self) -> str:
        """The link in words, without who and when."""
        did = self.does + (f" ({', '.join(self.changes)})" if self.changes else "")
        work = f"works on {self.works}" + (f" [{', '.join(self.calls)}]" if self.calls else "") if self.works else ""
        return ": ".join(filter(None, (work, did)))

    def node(self, origin: float, group: str = "") -> Node:
        """The link as a box."""
        found = reference_of(self.record.what) if self.wrote else None
        kind = found.resource.kind if found else KINDS.get(self.record.kind, "input")
        works = (f"works on {self.works}",) if self.works else ()
        state = f"+{self.time - origin:.1f}s" + (f", revision {self.wrote}" if self.wrote else "")
        lines = (self.who, *works, *self.calls[:4], *((self.does,) if self.does else ()), *self.changes)
        return Node(self.id, lines, kind, state, group)


def links_of(chain: Sequence[Record], trace: Trace, engine: Engine) -> tuple[Link, ...]:
    """The links of a chain, the cause first."""
    return tuple(link(group, trace, engine) for group in _grouped(chain))


def link(group: Sequence[Record], trace: Trace, engine: Engine) -> Link:
    """One link, of records that belong together."""
    last = group[-1]
    work = [each for each in group if each.kind == records.WORK]
    works = _key(work[-1].what) if work else ""
    if works and len(work) > 1:
        works += f", in {len(work)} goes"
    return Link(
        last.time, last.step, last.component or "you", works, _does(group, works), last,
        tuple(_calls(work, trace)) if work else (),
        tuple(_changes(last, engine)) if last.kind == records.COMMIT and last.verb == "update" else (),
    )  # fmt: skip


def named(what: str) -> str:
    """An object as people say it: `Pod web-abc`, `Lease kube-node-lease/node-1`."""
    found = reference_of(what)
    if found is None:
        return what
    where = f"{found.namespace}/" if found.namespace not in ("", "default") else ""
    return f"{found.resource.kind} {where}{found.name}"


def _grouped(chain: Sequence[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    for record in chain:
        if group and _belongs(group[-1], record):
            group.append(record)
            continue
        if group:
            yield group
        group = [record]
    if group:
        yield group


def _belongs(before: Record, record: Record) -> bool:
    if (before.kind, record.kind) == (records.COMMAND, records.INPUT):
        return True
    if before.kind != records.WORK or before.component != record.component:
        return False
    return record.kind == records.COMMIT or (record.kind == records.WORK and record.what == before.what)


def _does(group: Sequence[Record], works: str) -> str:
    record = group[-1]
    if record.kind == records.COMMIT:
        return f"{VERBS.get(record.verb, record.verb)} {named(record.what)}"
    if record.kind == records.WORK:
        return "" if works else "has a turn"
    if record.kind == records.CLOCK:
        return "lets time pass"
    if record.kind == records.START:
        return "starts"
    return next((each.text for each in group if each.kind == records.COMMAND and each.text), record.text)


def _key(key: str) -> str:
    """A queue's key, as people say it."""
    if len(parts := key.split(" ")) == 3:  # the garbage collector's: what to attempt, the object, its UID
        attempt, (kind, _, name) = parts[0], parts[1].partition("/")
        return f"{attempt} {kind} {name.removeprefix('default/')}"
    return key.removeprefix("default/")


def _calls(work: Sequence[Record], trace: Trace) -> Iterator[str]:
    """What a component asked of its runtime during its work: the calls that name one of the group as their cause."""
    units = {record.number for record in work}
    for record in trace.since(work[0].number):
        if record.kind == records.CALL and units.intersection(record.causes):
            yield record.verb + (f" {record.what}" if record.verb == "PullImage" else "")
        elif record.kind == records.DONE and work[-1].number in record.causes:
            return


def _changes(record: Record, engine: Engine) -> Iterator[str]:
    """What an update changed, in a few words."""
    found = reference_of(record.what)
    if found is None:
        return
    before, after = (_object(engine, found, revision) for revision in (record.revision - 1, record.revision))
    if before is None or after is None:
        return
    resource = found.resource
    changed = compare(before, after, definition_for(resource.group, resource.version, resource.kind), NOISE)
    told = [each for each in changed if _is_plain(each)]
    told.sort(key=lambda each: TELLING.index(path_text(each.path)) if path_text(each.path) in TELLING else len(TELLING))
    hidden = PARTS if is_secret(resource.group, resource.kind) else ()
    for each in told[:MOST_CHANGES]:
        yield f"{path_text(each.path)}: {HIDDEN if each.path[0] in hidden else each.new}"


def _object(engine: Engine, found: Reference, revision: int) -> JsonObject | None:
    return engine.object_at(found.resource, found.namespace, found.name, revision)


def _is_plain(change: Changed) -> bool:
    return isinstance(change.new, (str, int, float)) and len(str(change.new)) < 60
