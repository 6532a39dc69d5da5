"""Which write between two moments made a change: the newest that did, its author, its time, and its record.

The author is in the API server's audit, by the name of its program; of what no request wrote, an Event whose lease has ended,
in the trace. The number of the commit's record leads to everything else: `cluster.why(revision=...)`.

Between the pasts of two engines there is no way, and backwards nobody has written: then no write is known. The same is true of
writes that compaction has taken.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import Definition
from k8slab.apiserver.audit import AuditRecord
from k8slab.engine.engine import LogEntry
from k8slab.lab.comparison import Changed, Path, compare, related
from k8slab.lab.past import Past
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace
from k8slab.lab.tracer import Tracer

REGISTRY = "/registry/"
"""What all keys begin with, and no name in the trace."""


@dataclass(frozen=True, slots=True)
class Write:
    """The write that a change is credited to."""

    revision: int = 0
    """0: it is not known."""
    time: float = 0.0
    """Seconds since the Unix epoch."""
    who: str = ""
    """The component's or client's name; empty if nobody knows."""
    record: int = 0
    """The number of its commit in the trace; 0 if the trace has it no more."""


class Writes:
    """Who wrote what between two pasts of one engine. Of two engines, or backwards, it knows nothing."""

    def __init__(self, a: Past, b: Past) -> None:
        self._entries: dict[str, list[LogEntry]] = {}
        self._audit: dict[int, AuditRecord] = {}
        self._trace: Trace | None = None
        self._time_of = b.moments.time_of
        engine = b.engine
        self._forgotten = a.revision < engine.store.compacted
        """Whether compaction has passed the first of the two: then some writes are missing."""
        if a.engine is not engine or a.revision >= b.revision:
            return
        for entry in engine.store.entries(max(a.revision, engine.store.compacted)):
            if entry.revision <= b.revision:
                self._entries.setdefault(entry.key, []).append(entry)
        self._audit = {
            each.revision: each for each in list(engine.server.audit) if a.revision < each.revision <= b.revision
        }
        self._trace = engine.instrument.trace if isinstance(engine.instrument, Tracer) else None

    def newest(self, key: str, *, created: bool) -> Write:
        """The write that created an object, or deleted it, last."""
        for entry in reversed(self._entries.get(key, [])):
            if entry.version == (1 if created else 0):
                return self._write(entry)
        return Write()

    def credited(
        self, key: str, before: JsonObject, changes: Sequence[Changed], definition: Definition | None, ignore: Sequence[str]
    ) -> Iterator[tuple[Changed, Write]]:  # fmt: skip
        """The changes, each with the newest write that made it."""
        writes: dict[Path, Write] = {}
        # From the newest write back, and no further than is needed: a lease has thousands.
        for entry, earlier in pairwise([*reversed(self._entries.get(key, [])), None]):
            if entry is None or (earlier is None and self._forgotten):
                break  # what this write found is not known
            was = before if earlier is None else object_of(earlier)
            made = compare(was, object_of(entry), definition, ignore)
            for change in changes:
                if change.path not in writes and any(related(change.path, each.path) for each in made):
                    writes[change.path] = self._write(entry)
            if len(writes) == len(changes):
                break
        for change in changes:
            yield change, writes.get(change.path, Write())

    def _write(self, entry: LogEntry) -> Write:
        record = self._record(entry)
        audit = self._audit.get(entry.revision)
        # To the trace everybody outside is "you"; the audit knows which program it was.
        who = audit.user_agent.partition("/")[0] if audit else record.component if record else ""
        return Write(entry.revision, self._time_of(entry.revision), who, record.number if record else 0)

    def _record(self, entry: LogEntry) -> Record | None:
        if self._trace is None:
            return None
        record = self._trace.get(self._trace.commit_of(entry.key.removeprefix(REGISTRY), entry.revision))
        return record if record is not None and record.revision == entry.revision else None


def object_of(entry: LogEntry) -> JsonObject:
    """The object of an entry; empty for a deletion."""
    found: JsonObject = orjson.loads(entry.value) if entry.value is not None else {}
    return found
