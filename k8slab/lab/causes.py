"""The causal graph: because of what something happened.

Every record of the trace names its causes; this walks them. What carries a cause from one place to another, news on its way
and keys in a queue, is passed through: what stays is who did what because of what.

    command -> input -> write -> work -> write -> work -> write ...
                           clock -> work

A chain is one way through that graph, from the outside to one record: at each place the cause that came last, for that is the
one that was still missing.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.lab import records
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace

CARRIERS = (records.DELIVERY, records.QUEUED)
"""What brings a cause, and is none."""
ROOTS = (records.COMMAND, records.INPUT, records.FAULT, records.CLOCK)
"""Where a chain may end: outside, or time."""


def causes_of(trace: Trace, record: Record) -> list[Record]:
    """What a record happened because of, carriers passed through; the one that counts first, each once."""
    found: dict[int, Record] = {}
    for number in _in_order(record, trace):
        cause = trace.get(number)
        if cause is None:
            continue
        for each in causes_of(trace, cause) if cause.kind in CARRIERS else [cause]:
            found.setdefault(each.number, each)
    return list(found.values())


def chain_to(trace: Trace, record: Record) -> list[Record]:
    """One way from the outside to a record, which is last. It begins with what the trace has forgotten the cause of."""
    chain = [record]
    while causes := causes_of(trace, chain[-1]):
        chain.append(causes[0])
    return chain[::-1]


def ancestors(trace: Trace, record: Record) -> Iterator[tuple[Record, Record]]:
    """Every (cause, effect) on any way to a record, nearest first."""
    todo, met = [record], {record.number}
    while todo:
        effect = todo.pop(0)
        for cause in causes_of(trace, effect):
            yield cause, effect
            if cause.number not in met:
                met.add(cause.number)
                todo.append(cause)


def effects(trace: Trace, record: Record) -> Iterator[tuple[Record, Record]]:
    """Every (cause, effect) that follows from a record, in order of the effects."""
    met = {record.number}
    for later in trace.since(record.number):
        if later.kind in (*CARRIERS, records.REQUEST, records.DONE, records.STOP):
            continue
        for cause in causes_of(trace, later):
            if cause.number in met:
                met.add(later.number)
                yield cause, later


def orphans(trace: Trace) -> list[Record]:
    """The records whose chain ends neither outside nor in time, and not where the trace begins: there should be none."""
    if not trace.records:
        return []
    first = trace.records[0].number
    rooted: dict[int, bool] = {}
    found = []
    for record in trace:
        # Somebody outside may look without saying why: a request that belongs to nobody's work is its own beginning.
        outside = record.kind in ROOTS or (record.kind == records.REQUEST and not record.causes)
        ends_well = outside or any(rooted.get(cause, cause < first) for cause in record.causes)
        rooted[record.number] = ends_well
        if not ends_well:
            found.append(record)
    return found


def _in_order(record: Record, trace: Trace) -> tuple[int, ...]:
    """A record's causes, the one that counts first: of several that queued a key, the last."""
    if len(record.causes) > 1:
        last = trace.get(record.causes[-1])
        if last is not None and last.kind in CARRIERS:
            return record.causes[::-1]
    return record.causes
