from __future__ import annotations

import collections
import logging

import pytest

from k8slab import Cluster
from k8slab.lab import records
from k8slab.lab.trace import Trace
from k8slab.lab.tracer import Tracer
from tests.lab.worlds import a_day, create


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        yield cluster


def test_every_joint_is_in_it(cluster):
    cluster.kubectl("create deployment web --image=nginx")
    cluster.run_until_idle()
    cluster.fault("restart", component="kube-scheduler").start()
    assert {record.kind for record in cluster.trace} == set(records.KINDS)


def test_numbers_rise_by_one_and_lead_back_to_their_records(cluster):
    create(cluster, "web", 2)
    cluster.run_until_idle()
    numbers = [record.number for record in cluster.trace]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(cluster.trace.get(number).number == number for number in numbers)
    assert cluster.trace.get(0) is None
    assert cluster.trace.get(numbers[-1] + 1) is None


def test_causes_come_before_their_effects(cluster):
    a_day(cluster)
    assert all(cause < record.number for record in cluster.trace for cause in record.causes)


def test_there_is_one_commit_for_every_entry_of_the_log(cluster):
    a_day(cluster)
    commits = [(each.revision, "/registry/" + each.what) for each in cluster.trace.select(kind=records.COMMIT)]
    assert commits == [(entry.revision, entry.key) for entry in cluster.store.entries()]


def test_a_request_says_who_did_what_and_what_came_of_it(cluster):
    cluster.kubectl("create deployment web --image=nginx")
    cluster.kubectl("get pod nothing")
    asked = [each for each in cluster.trace.select(kind=records.REQUEST, component="kubectl") if "/" in each.what]
    told = {(each.verb, each.what): (each.code, each.revision > each.read) for each in asked}
    assert told["create", "deployments/default/web"] == (201, True)
    assert told["get", "pods/default/nothing"] == (404, False)


def test_a_write_names_the_work_that_made_it_and_the_work_its_key(cluster):
    create(cluster, "web", 1)
    cluster.run_until_idle()
    commit = next(each for each in cluster.trace.select(kind=records.COMMIT, what="pods/") if each.verb == "create")
    work = cluster.trace.get(commit.causes[0])
    assert (work.kind, work.component) == (records.WORK, "replicaset-controller")
    assert work.what.startswith("default/web-")


def test_calls_to_the_runtime_are_made_for_a_pod(cluster):
    create(cluster, "web", 1)
    cluster.run_until_idle()
    calls = cluster.trace.select(kind=records.CALL)
    assert [each.verb for each in calls] == ["PullImage", "RunPodSandbox", "CreateContainer", "StartContainer"]
    assert {cluster.trace.get(each.causes[0]).what.partition("-")[0] for each in calls} == {"default/web"}


def test_memory_is_bounded_and_the_oldest_go_first():
    trace = Trace(capacity=100)
    with Cluster(nodes=1) as cluster:
        Tracer(trace).begin(cluster.engine)
        create(cluster, "web", 3)
        cluster.run_for("10m")
        assert len(trace) == 100
        assert trace.records[-1].number == trace.last
        assert trace.get(1) is None
        assert trace.select(kind=records.COMMIT)[0].number in {
            trace.commit_at(r.revision).number for r in trace if r.revision
        }


def test_a_trace_that_raises_is_switched_off_and_the_cluster_goes_on(cluster, caplog, monkeypatch):
    class Broken:
        def __enter__(self):
            raise ZeroDivisionError("the trace's own mistake")

        def __exit__(self, *exc_info):
            pass

    monkeypatch.setattr(cluster.trace, "_lock", Broken())
    with caplog.at_level(logging.CRITICAL):
        create(cluster, "web", 1)
        cluster.run_until_idle()
    assert cluster.trace.broken == "ZeroDivisionError: the trace's own mistake"
    assert "1/1" in cluster.kubectl("get deployment web").stdout


def test_a_listener_that_raises_hears_no_more(cluster, caplog):
    heard = []

    def broken(record):
        heard.append(record)
        raise ValueError

    cluster.trace.listen(broken)
    with caplog.at_level(logging.CRITICAL):
        create(cluster, "web", 1)
    assert len(heard) == 1


def test_a_listener_can_leave(cluster):
    heard = []
    leave = cluster.trace.listen(heard.append)
    create(cluster, "web", 1)
    leave()
    leave()
    before = len(heard)
    cluster.run_for("1s")
    assert before == len(heard) > 0


def test_records_are_chosen_by_kind_component_object_and_time(cluster):
    create(cluster, "web", 1)
    cluster.run_for("30s")
    chosen = cluster.records(kind=records.WORK, component="kubelet", what="web", start=cluster.now - 29)
    assert chosen
    assert all(each.kind == records.WORK and "web" in each.what for each in chosen)


def test_a_live_cluster_is_traced_too():
    with Cluster(nodes=1, mode="live") as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle(30)
        kinds = collections.Counter(record.kind for record in cluster.trace)
        assert cluster.trace.broken == ""
        assert kinds[records.COMMIT] >= 10
        assert cluster.why("deployment/web").links


def test_the_same_life_has_the_same_trace():
    def tell():
        with Cluster(nodes=2, seed=4) as cluster:
            a_day(cluster)
            return list(cluster.trace)

    assert tell() == tell()


def test_secrets_are_not_in_the_trace(cluster):
    cluster.kubectl("create secret generic code --from-literal=word=xyzzy-plugh")
    assert "xyzzy" not in repr(list(cluster.trace)).replace("--from-literal=word=xyzzy-plugh", "")
