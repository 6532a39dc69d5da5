"""The trace as OpenTelemetry spans: for Jaeger, Tempo, or whatever else draws distributed traces.

One trace for each command, or whatever else came from outside; which span is below which, `spans.py` says. A span's writes are
its events, and each component is a service. Times are the cluster's: virtual, if its clock is. Ids follow from the numbers of
the records, so that the same trace exported twice is the same.

For Jaeger: `docker run --rm -p 16686:16686 -p 4318:4318 jaegertracing/jaeger`, then
`pip install opentelemetry-exporter-otlp-proto-http`, and

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    export_spans(cluster.trace, OTLPSpanExporter("http://localhost:4318/v1/traces"))

and look at http://localhost:16686. Jaeger shows the last hour unless told otherwise, and virtual time starts on 2026-01-01.

k8slab's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from k8slab.lab import records
from k8slab.lab.records import Record
from k8slab.lab.spans import Span, spans_of
from k8slab.lab.trace import Trace
from k8slab.version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import SpanContext, Status

BATCH = 512
NANO = 1_000_000_000
INSTALL = "OpenTelemetry is not installed: pip install 'k8slab[otel]'"
FAILED = 400


def export_spans(trace: Trace | Iterable[Record], exporter: SpanExporter, run: str = "k8slab") -> int:
    """Give an exporter the spans of a trace, or of records that were read back; how many there were.

    `run` is the services' namespace, and what ids are drawn from: two runs in one Jaeger need two names. The exporter is not
    shut down. Raises RuntimeError where the OpenTelemetry SDK is not installed, and where the exporter reports a failure.
    """
    try:
        from opentelemetry.sdk.trace.export import SpanExportResult
    except ImportError:
        raise RuntimeError(INSTALL) from None
    made = _Made(run)
    found = spans_of(trace.since(0) if isinstance(trace, Trace) else trace)
    spans = (made.span(each) for each in found)
    while batch := list(islice(spans, BATCH)):
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            raise RuntimeError("the exporter could not export the spans: is whoever should receive them running?")
    return len(found)


class _Made:
    """Makes the SDK's spans."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._resources: dict[str, Resource] = {}

    def span(self, each: Span) -> ReadableSpan:
        """One span. It is made as if it had been recorded: a tracer would draw ids, and look at the machine's clock."""
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import Link, SpanKind

        record = each.record
        return ReadableSpan(
            name_of(record),
            self._context(each.root, record.number),
            self._context(each.root, each.parent) if each.parent else None,
            self._resource(record.component),
            attributes=_attributes(each),
            events=[
                Event(f"{write.verb} {write.what}", {"k8slab.revision": write.revision}, _nanoseconds(write.time))
                for write in each.writes
            ],
            links=[Link(self._context(root, number)) for root, number in each.links],
            kind=SpanKind.CLIENT if record.kind in (records.REQUEST, records.CALL) else SpanKind.INTERNAL,
            status=_status(each),
            start_time=_nanoseconds(record.time),
            end_time=_nanoseconds(each.end),
            instrumentation_scope=InstrumentationScope("k8slab", __version__),
        )

    def _context(self, root: int, number: int) -> SpanContext:
        from opentelemetry.trace import SpanContext, TraceFlags

        return SpanContext(
            trace_id=self._id(f"trace {root}", 16),
            span_id=self._id(f"span {number}", 8),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )

    def _id(self, what: str, size: int) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self._run}/{what}".encode(), digest_size=size).digest(), "big")

    def _resource(self, component: str) -> Resource:
        from opentelemetry.sdk.resources import Resource

        if component not in self._resources:
            name = component or "k8slab"
            self._resources[component] = Resource({"service.name": name, "service.namespace": self._run})
        return self._resources[component]


def name_of(record: Record) -> str:
    """A span's name: without the object's, so that spans of one sort have one name. The object is an attribute."""
    if record.kind == records.REQUEST:
        return f"{record.verb} {record.what.partition('/')[0] or record.what}"
    if record.kind == records.CALL:
        return record.verb
    if record.kind == records.WORK:
        return "reconcile" if record.what else "work"
    return record.text


def _attributes(span: Span) -> dict[str, str | int]:
    record = span.record
    found: dict[str, str | int] = {
        "k8slab.kind": record.kind,
        "k8slab.record": record.number,
        "k8slab.step": record.step,
        "k8slab.object": record.what,
        "k8slab.revision": record.revision,
        "k8slab.revision.read": record.read,
        "http.response.status_code": record.code,
        "k8slab.result": span.result,
        "k8slab.text": record.text,
    }
    return {name: value for name, value in found.items() if value or name == "k8slab.step"}


def _status(span: Span) -> Status:
    from opentelemetry.trace import Status, StatusCode

    record = span.record
    said = span.result or (record.text if record.kind == records.CALL else "")
    if record.code >= FAILED or said:
        return Status(StatusCode.ERROR, said or None)
    return Status()


def _nanoseconds(when: float) -> int:
    return round((when - int(when)) * NANO) + int(when) * NANO
