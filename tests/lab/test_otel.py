"""The trace as OpenTelemetry spans, by the SDK itself."""

from __future__ import annotations

import io
import sys

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.clock import EPOCH
from k8slab.lab.export import read_json_lines, to_json_lines
from k8slab.lab.otel import BATCH, export_spans, name_of
from k8slab.lab.records import Record
from k8slab.lab.spans import spans_of
from tests.lab.worlds import create

NANO = 1_000_000_000


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        cluster.run_for("60s")
        with pytest.raises(NotFound):
            cluster.client.delete(Pod, "nobody", "default")
        yield cluster


def exported(rows, run: str = "k8slab"):
    exporter = InMemorySpanExporter()
    export_spans(rows, exporter, run)
    return exporter.get_finished_spans()


@pytest.fixture(scope="module")
def spans(cluster):
    return exported(cluster.trace)


def of_record(spans, number: int):
    return next(span for span in spans if span.attributes["k8slab.record"] == number)


def test_every_span_of_the_tree_is_exported(cluster, spans):
    assert [each.attributes["k8slab.record"] for each in spans] == [
        each.record.number for each in spans_of(cluster.trace)
    ]
    assert export_spans(cluster.trace, InMemorySpanExporter()) == len(spans)


def test_parents_and_links_are_spans_that_are_there(spans):
    known = {(span.context.trace_id, span.context.span_id) for span in spans}
    assert len(known) == len(spans)
    for span in spans:
        above = ([span.parent] if span.parent else []) + [link.context for link in span.links]
        assert {(each.trace_id, each.span_id) for each in above} <= known
        assert not span.parent or span.parent.trace_id == span.context.trace_id


def test_there_is_one_trace_for_each_thing_from_outside(cluster, spans):
    roots = [each for each in spans_of(cluster.trace) if not each.parent]
    assert len({span.context.trace_id for span in spans}) == len(roots)


def test_times_are_the_clusters(spans):
    assert min(span.start_time for span in spans) == EPOCH * NANO
    waited = next(span for span in spans if span.name == "run_for('60s')")
    assert (waited.start_time, waited.end_time > waited.start_time) == (EPOCH * NANO, True)
    assert all(span.end_time >= span.start_time for span in spans)


def test_each_component_is_a_service(spans):
    services = {span.resource.attributes["service.name"] for span in spans}
    assert {"kube-scheduler", "kubelet-node-1", "deployment-controller"} <= services
    assert {span.resource.attributes["service.namespace"] for span in spans} == {"k8slab"}


def test_a_request_is_a_clients_span_with_its_object_and_its_write(spans):
    span = next(each for each in spans if each.name == "create replicasets")
    assert span.kind is SpanKind.CLIENT
    assert span.attributes["k8slab.object"].startswith("replicasets/default/web-")
    assert span.attributes["http.response.status_code"] == 201
    [write] = span.events
    assert write.attributes["k8slab.revision"] == span.attributes["k8slab.revision"]


def test_a_request_that_failed_is_an_error(spans):
    failed = next(
        each for each in spans if each.attributes.get("http.response.status_code") == 404 and each.name == "delete pods"
    )
    assert failed.status.status_code is StatusCode.ERROR


def test_work_that_failed_says_how():
    rows = [
        Record(1, "work", EPOCH, 0, what="default/web"),
        Record(2, "done", EPOCH + 1, 0, text="i/o timeout", causes=(1,)),
    ]
    [span] = exported(rows)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "i/o timeout")
    assert span.end_time - span.start_time == NANO


def test_the_same_trace_exported_twice_is_the_same(cluster, spans):
    assert [span.to_json() for span in exported(cluster.trace)] == [span.to_json() for span in spans]


def test_another_run_has_other_ids(cluster, spans):
    other = exported(cluster.trace, run="second")
    assert not {span.context.span_id for span in other} & {span.context.span_id for span in spans}


def test_what_was_read_from_a_file_can_be_exported(cluster, spans):
    file = io.BytesIO()
    to_json_lines(cluster.trace, file)
    file.seek(0)
    assert [span.to_json() for span in exported(read_json_lines(file))] == [span.to_json() for span in spans]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (Record(1, "request", EPOCH, 0, verb="patch", what="pods/default/web/status"), "patch pods"),
        (Record(1, "request", EPOCH, 0, verb="get", what="/version"), "get /version"),
        (Record(1, "work", EPOCH, 0, what="default/web"), "reconcile"),
        (Record(1, "work", EPOCH, 0), "work"),
        (Record(1, "call", EPOCH, 0, verb="PullImage", what="nginx"), "PullImage"),
        (Record(1, "command", EPOCH, 0, text="run_for('60s')"), "run_for('60s')"),
    ],
)
def test_spans_of_one_sort_have_one_name(record, name):
    assert name_of(record) == name


class Counting(SpanExporter):
    def __init__(self, result: SpanExportResult) -> None:
        self.batches: list[int] = []
        self._result = result

    def export(self, spans):
        self.batches.append(len(spans))
        return self._result


def test_spans_go_out_in_batches():
    rows = [Record(number, "work", EPOCH, 0) for number in range(1, BATCH + 2)]
    exporter = Counting(SpanExportResult.SUCCESS)
    assert export_spans(rows, exporter) == BATCH + 1
    assert exporter.batches == [BATCH, 1]


def test_an_exporter_that_fails_is_an_error_in_a_sentence(cluster):
    with pytest.raises(RuntimeError, match="could not export the spans: is whoever should receive them running"):
        export_spans(cluster.trace, Counting(SpanExportResult.FAILURE))


def test_without_the_sdk_there_is_a_sentence(cluster, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(RuntimeError, match=r"OpenTelemetry is not installed: pip install 'k8slab\[otel\]'"):
        export_spans(cluster.trace, InMemorySpanExporter())
