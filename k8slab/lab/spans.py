"""The trace as a tree of spans, as distributed tracing sees the world: whatever lasts, each below its primary cause.

A root for each thing that came from outside: a command, or a request or fault that came without one. Below it, each request,
each unit of work (a reconcile) and each call of a container runtime. The primary cause is the one that counts first
(`causes.py`); the others are links. What only carries a cause is no span: news, keys in queues, moves of the clock, and writes.
A write belongs to the span that made it, and what follows from it comes below the request that wrote it.

A parent's number is lower than its child's. Pure: records in, spans out; `otel.py` hands them on.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from k8slab.lab import records
from k8slab.lab.causes import CARRIERS
from k8slab.lab.records import Record

KINDS = (records.COMMAND, records.INPUT, records.FAULT, records.REQUEST, records.WORK, records.CALL)
LASTING = (records.COMMAND, records.INPUT, records.FAULT)
"""What came from outside lasts as long as what follows from it."""


@dataclass(slots=True)
class Span:
    """One span."""

    record: Record
    root: int
    """The number of the record at the root of its tree."""
    parent: int
    """The number of the record of the span above; 0 at the root."""
    links: tuple[tuple[int, int], ...]
    """Its other causes, each as (root, number)."""
    end: float
    """Seconds since the Unix epoch, on the cluster's clock."""
    result: str = ""
    """What its DONE record says: an error, or nothing."""
    writes: list[Record] = field(default_factory=list)
    """The commits that it made."""


def spans_of(rows: Iterable[Record]) -> list[Span]:
    """The spans of records, in their order. One whose causes are not among the records is a root."""
    return list(_Tree(rows).spans.values())


class _Tree:
    def __init__(self, rows: Iterable[Record]) -> None:
        self._records = {record.number: record for record in rows}
        # Of each revision, the request that wrote it.
        self._wrote = {
            each.revision: each.number
            for each in self._records.values()
            if each.kind == records.REQUEST and each.revision
        }
        self.spans: dict[int, Span] = {}
        for record in self._records.values():
            if self._is_span(record):
                self._add(record)
        for record in self._records.values():
            self._complete(record)

    @staticmethod
    def _is_span(record: Record) -> bool:
        # A command's request is the request's own span.
        return record.kind in KINDS and not (record.kind == records.INPUT and record.causes)

    def _add(self, record: Record) -> None:
        above = list(dict.fromkeys(self._above(record, record.number)))
        parent = above[0] if above else 0
        root = self.spans[parent].root if parent else record.number
        links = tuple((self.spans[number].root, number) for number in above[1:])
        self.spans[record.number] = Span(record, root, parent, links, record.time)
        top = self.spans[root]
        if top.record.kind in LASTING:
            top.end = max(top.end, record.time)

    def _above(self, record: Record, below: int) -> Iterator[int]:
        """The spans because of which there is a record, the one that counts first; all are older than the span `below`."""
        for number in self._in_order(record):
            cause = self._records.get(number)
            if cause is None:
                continue
            request = self._wrote.get(cause.revision, 0) if cause.kind == records.COMMIT else 0
            if number in self.spans:
                yield number
            elif 0 < request < below:
                yield request
            else:
                yield from self._above(cause, below)

    def _in_order(self, record: Record) -> tuple[int, ...]:
        """As `causes.py` has it: of several that queued a key, the last counts first."""
        last = self._records.get(record.causes[-1]) if len(record.causes) > 1 else None
        return record.causes[::-1] if last is not None and last.kind in CARRIERS else record.causes

    def _complete(self, record: Record) -> None:
        """A write, or the end of work: the span that it belongs to."""
        if record.kind not in (records.COMMIT, records.DONE):
            return
        number = next(self._above(record, record.number), 0)
        request = self._wrote.get(record.revision, 0) if record.kind == records.COMMIT else 0
        span = self.spans.get(request or number)
        if span is None:
            return
        if record.kind == records.COMMIT:
            span.writes.append(record)
        else:
            span.end, span.result = max(span.end, record.time), record.text
            top = self.spans[span.root]
            if top.record.kind in LASTING:
                top.end = max(top.end, span.end)
