"""The trace as a tree of spans."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.clock import EPOCH
from k8slab.lab import records
from k8slab.lab.records import Record
from k8slab.lab.spans import Span, spans_of
from tests.lab.worlds import create


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2")
        cluster.run_for("60s")
        yield cluster


@pytest.fixture(scope="module")
def spans(cluster) -> dict[int, Span]:
    return {span.record.number: span for span in spans_of(cluster.trace)}


def row(
    number: int, kind: str, *causes: int, time: float = 0.0, revision: int = 0, text: str = "", what: str = ""
) -> Record:
    return Record(number, kind, time, 0, revision=revision, text=text, what=what, causes=causes)


def test_every_span_is_below_an_older_one_of_the_same_tree(spans):
    for number, span in spans.items():
        assert span.parent < number
        assert span.root == (spans[span.parent].root if span.parent else number)


def test_each_request_work_and_call_is_a_span(cluster, spans):
    wanted = [each.number for each in cluster.trace if each.kind in (records.REQUEST, records.WORK, records.CALL)]
    assert set(wanted) <= set(spans)


def test_a_command_has_a_tree_from_the_request_to_the_containers(spans):
    command = next(span for span in spans.values() if span.record.text.startswith("kubectl create"))
    below = [span.record for span in spans.values() if span.root == command.record.number]
    assert {"kubectl", "deployment-controller", "replicaset-controller", "kube-scheduler"} <= {
        each.component for each in below
    }
    assert {"PullImage", "StartContainer"} <= {each.verb for each in below if each.kind == records.CALL}
    assert command.end == max(spans[each.number].end for each in below)


def test_what_only_time_brings_belongs_to_who_let_it_pass(spans):
    waited = next(span for span in spans.values() if span.record.text == "run_for('60s')")
    below = {span.record.what for span in spans.values() if span.root == waited.record.number}
    assert "leases/kube-node-lease/node-1" in below


def test_each_write_belongs_to_the_request_that_made_it(cluster, spans):
    writes = {write.number: span for span in spans.values() for write in span.writes}
    assert sorted(writes) == [each.number for each in cluster.records(kind="commit")]
    asked = [span for span in spans.values() if span.record.kind == "request"]
    assert all(span.record.revision == write.revision for span in asked for write in span.writes)


def test_what_follows_from_a_write_is_below_its_request():
    rows = [
        row(1, "input"), row(2, "commit", 1, revision=7), row(3, "request", 1, revision=7),
        row(4, "delivery", 2), row(5, "queued", 4), row(6, "work", 5),
    ]  # fmt: skip
    assert [(span.record.number, span.parent) for span in spans_of(rows)] == [(1, 0), (3, 1), (6, 3)]


def test_a_write_without_a_request_belongs_to_the_work():
    rows = [row(1, "input"), row(2, "work", 1), row(3, "commit", 2, revision=7)]
    assert [write.number for write in spans_of(rows)[1].writes] == [3]


def test_of_several_causes_the_last_to_queue_is_the_parent_and_the_others_are_links():
    rows = [
        row(1, "input"), row(2, "input"), row(3, "delivery", 1), row(4, "delivery", 2), row(5, "work", 3, 4),
    ]  # fmt: skip
    [work] = [span for span in spans_of(rows) if span.record.kind == "work"]
    assert (work.parent, work.root, work.links) == (2, 2, ((1, 1),))


def test_work_goes_on_below_its_earlier_part_and_is_linked_to_who_waited():
    rows = [
        row(1, "command"), row(2, "work", 1), row(3, "command"), row(4, "clock", 3), row(5, "work", 2, 4),
    ]  # fmt: skip
    last = spans_of(rows)[-1]
    assert (last.parent, last.links) == (2, ((3, 3),))


def test_work_lasts_until_it_is_done_and_so_does_what_it_follows_from():
    rows = [row(1, "command"), row(2, "work", 1), row(3, "done", 2, time=2.5, text="i/o timeout")]
    command, work = spans_of(rows)
    assert (work.end, work.result, command.end) == (2.5, "i/o timeout", 2.5)


def test_an_input_of_a_command_is_no_span_of_its_own():
    rows = [row(1, "command"), row(2, "input", 1), row(3, "request", 2), row(4, "fault", 1)]
    assert [(span.record.number, span.parent) for span in spans_of(rows)] == [(1, 0), (3, 1), (4, 1)]


def test_what_came_before_the_trace_leaves_roots():
    assert [(span.parent, span.root) for span in spans_of([row(9, "work", 3), row(10, "request", 9)])] == [
        (0, 9),
        (9, 9),
    ]


def test_nothing_is_no_spans():
    assert spans_of([]) == []


def test_a_trace_that_has_forgotten_its_beginning_still_has_trees():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_for("10s")
        late = cluster.trace.since(cluster.trace.last // 2)
        spans = spans_of(late)
    assert {span.root for span in spans} <= {each.number for each in late}
    assert min(span.record.time for span in spans) >= EPOCH
