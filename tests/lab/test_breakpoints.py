from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from tests.eventually import eventually
from tests.lab.worlds import create, phases


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        yield cluster


def test_time_stops_when_a_pod_runs(cluster):
    cluster.break_on(kind="Pod", when=lambda pod: pod.status.phase == "Running")
    create(cluster, "web", 3)
    halt = cluster.run_for("10m")
    assert "update pods/default/web-" in str(halt)
    assert phases(cluster).count("Running") == 1
    assert cluster.stopped is halt


def test_going_on_stops_at_the_next_one_and_then_no_more(cluster):
    cluster.break_on(kind="Pod", when=lambda pod: pod.status.phase == "Running")
    create(cluster, "web", 3)
    stops = 0
    while cluster.run_for("60s"):
        stops += 1
    assert stops >= 2
    assert phases(cluster) == ["Running"] * 3
    assert cluster.stopped is None


def test_an_event_with_a_reason_stops_a_kubectl_that_waits(cluster):
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    cluster.break_on(reason="BackOff")
    cluster.kubectl("create deployment web --image=registry.k8s.io/e2e-test-images/agnhost:2.39")
    result = cluster.kubectl("rollout status deployment/web")
    assert "k8slab: kubectl waited, and the cluster stopped: " in result.stderr
    assert "0/1" in cluster.kubectl("get pods").stdout


def test_a_request_that_fails_stops_the_cluster(cluster):
    cluster.break_on(failed=True, component="deployment-controller")
    with cluster.fault("api-errors", component="deployment-controller", share=1):
        create(cluster, "web", 1)
        cluster.run_for("10s")
    cluster.unbreak()
    cluster.break_on(code=404)
    cluster.kubectl("get pod nothing")
    assert "was answered 404" in str(cluster.stopped)


def test_a_components_work_stops_the_cluster(cluster):
    cluster.break_on(component="kube-scheduler", name="web")
    create(cluster, "web", 1)
    halt = cluster.run_until_idle()
    assert "kube-scheduler works on default/web-" in str(halt)


def test_a_replay_is_not_stopped_by_breakpoints(cluster):
    create(cluster, "web", 2)
    cluster.run_until_idle()
    end = cluster.steps
    cluster.break_on(kind="Pod")
    cluster.back(10)
    cluster.forward(10)
    assert cluster.steps == end


def test_breakpoints_can_be_taken_away(cluster):
    first = cluster.break_on(kind="Pod")
    cluster.break_on(component="kube-scheduler")
    cluster.unbreak(first)
    assert [each.component for each in cluster.breakpoints] == ["kube-scheduler"]
    cluster.unbreak()
    create(cluster, "web", 1)
    assert cluster.run_until_idle() is None


def test_a_condition_that_raises_is_told_and_removed(cluster):
    cluster.break_on(kind="Pod", when=lambda pod: pod.no_such_field)
    create(cluster, "web", 1)
    assert "raised AttributeError" in str(cluster.run_until_idle())
    assert cluster.breakpoints == []
    assert cluster.run_until_idle() is None
    assert cluster.client.list(Pod)[0].status.phase == "Running"


def test_a_live_cluster_is_paused():
    with Cluster(nodes=1, mode="live") as cluster:
        cluster.break_on(kind="ReplicaSet")
        create(cluster, "web", 1)
        assert eventually(lambda: cluster.stopped)
        assert phases(cluster) in ([], ["Pending"])
        cluster.unbreak()
        cluster.play()
        cluster.run_until(lambda: phases(cluster) == ["Running"], 30)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({}, "say what to wait for"),
        ({"kind": "Pood"}, "no kind 'Pood' is served"),
        (
            {"component": "etcd"},
            "unknown component 'etcd'; there are: clusterrole-aggregation-controller, crd-controller",
        ),
        ({"kind": "Pod", "failed": True}, "about requests .* or about changes .*, not both"),
    ],
)
def test_a_breakpoint_that_makes_no_sense_is_refused_in_a_sentence(cluster, wanted, says):
    with pytest.raises(ValueError, match=says):
        cluster.break_on(**wanted)
