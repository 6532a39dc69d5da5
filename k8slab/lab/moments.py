"""When a revision was written, and which revision a moment means.

The log has no times. The trace has: each commit's; and so has the API server's audit, for longer. What was written before
both began, by an earlier process into a store on disk, is dated by what the log itself says: an object's creation, and the
renewal of a lease, which every node writes each ten seconds; those are exact to the second.

A moment means the newest revision that was written up to then. So of the many revisions that one moment of a virtual clock
has, it is the last.

k8slab's own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from k8slab.apiserver.resources import RESOURCES
from k8slab.clock import EPOCH, VirtualClock, from_rfc3339, parse_duration, to_rfc3339
from k8slab.engine.engine import Engine, LogEntry
from k8slab.lab import records
from k8slab.lab.tracer import Tracer
from k8slab.mistake import Mistake

Moment = int | float | str
"""A revision (int, or its digits), seconds since the Unix epoch (float), or a text: `+90s`, `1m30s`, an RFC 3339 time."""

EXAMPLES = "a revision (41), a time since the start ('+90s', '1m30s'), or a time ('2026-01-01T00:01:30Z')"
LOOKS_LIKE_SECONDS = 1_000_000_000


class Moments:
    """The revisions of an engine, and their times."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = dict(_known_times(engine))
        self._revisions = sorted(self._known)

    @property
    def first(self) -> int:
        """The oldest revision that can be looked at."""
        return max(1, self._engine.store.compacted)

    @property
    def last(self) -> int:
        """The newest revision."""
        return self._engine.store.revision

    @cached_property
    def start(self) -> float:
        """When the cluster began: where a virtual clock starts, else when its first object was written."""
        if isinstance(self._engine.clock, VirtualClock):
            return EPOCH
        if 1 in self._known:
            return self._known[1]
        oldest = self._engine.object_at(RESOURCES["", "namespaces"], "", "kube-system")
        return from_rfc3339(oldest["metadata"]["creationTimestamp"]) if oldest else self.time_of(self.first)

    def find(self, moment: Moment) -> tuple[int, float]:
        """(revision, time) of a moment. Raises ValueError, which says what there is, for what there is not."""
        if isinstance(moment, str):
            moment = self._read(moment)
        if isinstance(moment, bool) or not isinstance(moment, (int, float)):
            raise Mistake(f"{moment!r} is no moment; write {EXAMPLES}")
        if isinstance(moment, float):
            return self.revision_at(moment), moment
        self._check(moment)
        return moment, self.time_of(moment)

    def time_of(self, revision: int) -> float:
        """When a revision was written, or else the newest one before it whose time is known."""
        place = bisect_right(self._revisions, revision)
        if place:
            return self._known[self._revisions[place - 1]]
        told = next(_told_times(reversed(self._before_known(revision))), None)
        if told is not None:
            return told[1]
        return self._known[self._revisions[0]] if self._revisions else self._engine.clock.now()

    def revision_at(self, when: float) -> int:
        """The newest revision that was written up to a moment. Raises ValueError for the future, and for the time before."""
        # Not NaN, and not in the future.
        if not when <= self._engine.clock.now():
            raise Mistake(f"that has not happened yet; {self._range()}: let time pass, with cluster.run_for(...)")
        found = 0
        for revision, time in self._dated():
            if time <= when:
                found = revision
        if not found:
            raise Mistake(f"nothing is kept of that time; {self._range()}")
        return max(found, self.first)

    def _dated(self) -> Iterator[tuple[int, float]]:
        yield from _told_times(self._before_known(self.last))
        for revision in self._revisions:
            yield revision, self._known[revision]

    def _before_known(self, up_to: int) -> list[LogEntry]:
        """What was written before the times are known, oldest first."""
        end = min(up_to, self._revisions[0] - 1 if self._revisions else up_to)
        if end < self.first:
            return []
        return [entry for entry in self._engine.store.entries() if entry.revision <= end]

    def _read(self, text: str) -> int | float:
        text = text.strip()
        if text.isascii() and text.isdigit():
            return int(text)  # as a resourceVersion is written
        try:
            return self.start + parse_duration(text.removeprefix("+"))
        except ValueError:
            pass
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise Mistake(f"cannot tell which moment {text!r} is; write {EXAMPLES}") from None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()

    def _check(self, revision: int) -> None:
        if revision > self.last:
            more = "; for a time write a float" if revision >= LOOKS_LIKE_SECONDS else ""
            raise Mistake(
                f"there is no revision {revision} yet; {self._range()}: let time pass, or take one of these{more}"
            )
        if revision < self.first:
            why = "was forgotten, by compaction" if revision > 0 else "never was"
            raise Mistake(f"revision {revision} {why}; {self._range()}: take one of these")

    def _range(self) -> str:
        first, now = self.time_of(self.first), self._engine.clock.now()
        return (
            f"there are revisions {self.first} to {self.last}, "
            f"from {self.since_start(first)} ({to_rfc3339(first)}) to {self.since_start(now)} ({to_rfc3339(now)})"
        )

    def since_start(self, when: float) -> str:
        """A time as it is shown: `+90.0s`."""
        return f"{when - self.start:+.1f}s"


def _known_times(engine: Engine) -> Iterator[tuple[int, float]]:
    """(revision, time), the trace's last: a commit is recorded as it happens, a request when it is over."""
    for audit in list(engine.server.audit):
        yield audit.revision, audit.time
    if isinstance(engine.instrument, Tracer):
        for record in engine.instrument.trace.since(0):
            if record.kind == records.COMMIT:
                yield record.revision, record.time


def _told_times(entries: Iterable[LogEntry]) -> Iterator[tuple[int, float]]:
    """(revision, time) of the entries that say when they were written."""
    for entry in entries:
        told = _told_time(entry)
        if told:
            yield entry.revision, from_rfc3339(told)


def _told_time(entry: LogEntry) -> str:
    value = entry.value
    if value is None:
        return ""
    obj: dict[str, Any] = orjson.loads(value)
    renewed = (obj.get("spec") or {}).get("renewTime")
    created = obj["metadata"].get("creationTimestamp") if entry.version == 1 else ""
    return str(renewed or created or "")
