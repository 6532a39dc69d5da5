from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.lab import records
from tests.lab.worlds import create, phases


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        yield cluster


def test_a_step_is_named_after_the_component_that_worked(cluster):
    worked = [cluster.step() for _ in range(3)]
    assert set(worked) <= set(cluster.components)
    assert "WHO" in repr(worked[0])


def test_many_steps_add_up_to_the_same(cluster):
    while phases(cluster) != ["Running", "Running"]:
        cluster.step()
    with cluster.fork(cluster.first_step) as other:
        create(other, "web", 2)
        other.run_until_idle()
        assert phases(other) == ["Running", "Running"]


@pytest.mark.parametrize(
    ("by", "ends"),
    [("reconcile", records.WORK), ("request", records.REQUEST), ("write", records.COMMIT), ("event", records.DELIVERY)],
)
def test_a_larger_step_ends_with_what_it_is_called_after(cluster, by, ends):
    step = cluster.step(by=by)
    kinds = [record.kind for record in step.happened]
    assert ends in kinds


def test_stepping_by_component_ends_when_the_turn_has_passed_on(cluster):
    first = cluster.step()
    second = cluster.step_over()
    assert second != first


def test_a_step_of_one_component_waits_for_it(cluster):
    assert cluster.step(component="kube-scheduler", by="reconcile") == "kube-scheduler"
    assert any(each.component == "kube-scheduler" and each.kind == records.WORK for each in cluster.trace)


def test_several_steps_at_once(cluster):
    before = cluster.steps
    cluster.step(5)
    assert cluster.steps >= before + 5


def test_time_moves_only_when_nobody_has_work(cluster):
    cluster.run_until_idle()
    before = cluster.now
    step = cluster.step()
    assert cluster.now > before
    assert any(record.kind == records.CLOCK for record in step.happened)


def test_an_unknown_unit_is_answered_by_those_there_are(cluster):
    with pytest.raises(
        ValueError, match="cannot step by 'line'; by: work, component, reconcile, request, write, event"
    ):
        cluster.step(by="line")


def test_an_unknown_component_is_answered_by_those_there_are(cluster):
    with pytest.raises(ValueError, match="unknown component 'etcd'"):
        cluster.step(component="etcd")


def test_where_nobody_will_ever_work_a_step_is_nobodys():
    with Cluster(nodes=0) as cluster:
        assert cluster.step(by="reconcile", component="kube-scheduler") == ""


def test_a_component_that_never_works_while_others_do_is_given_up(cluster, monkeypatch):
    monkeypatch.setattr("k8slab.lab.stepping.MOST_TURNS", 50)
    with pytest.raises(TimeoutError, match="no reconcile of namespace-controller within 50 units of work"):
        cluster.step(by="reconcile", component="namespace-controller")


def test_a_live_cluster_cannot_be_stepped():
    with Cluster(nodes=1, mode="live") as cluster, pytest.raises(RuntimeError, match="a live cluster moves by itself"):
        cluster.step()
