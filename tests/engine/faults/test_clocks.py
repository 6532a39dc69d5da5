"""Clocks that are ahead, behind, fast and slow."""

from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.api.coordination import Lease
from k8slab.api.core import Event, Pod
from k8slab.clock import EPOCH, from_rfc3339
from tests.engine.faults.harness import CRASHING, KUBELET, SCHEDULER, create
from tests.engine.harness import deployment, end_state, phase, pod, restarts


def test_a_component_with_a_wrong_clock_says_wrong_times(cluster):
    with cluster.fault("clock-skew", component=SCHEDULER, ahead="1h"):
        create(cluster)
        cluster.run_for(0)
    [scheduled] = [each for each in cluster.client.list(Event) if each.reason == "Scheduled"]
    assert from_rfc3339(scheduled.model_dump(by_alias=True)["firstTimestamp"]) == EPOCH + 3600


def test_after_it_the_clock_is_right_again(cluster):
    with cluster.fault("clock-skew", component=KUBELET, ahead="-1h"):
        cluster.run_for(20)
        renewed = from_rfc3339(cluster.client.get(Lease, "node-1", "kube-node-lease").spec.renew_time)
        assert renewed < EPOCH - 3500
    cluster.run_for(20)
    renewed = from_rfc3339(cluster.client.get(Lease, "node-1", "kube-node-lease").spec.renew_time)
    assert cluster.now - 11 <= renewed <= cluster.now


@pytest.mark.parametrize("ahead", [0.1, -0.3, 1 / 3, "400s", "-400s", "3650d"])
def test_whatever_the_clock_says_timers_go_on(cluster, ahead):
    with (
        cluster.fault("clock-skew", component=KUBELET, ahead=ahead),
        cluster.fault("clock-skew", component="replicaset-controller", ahead=ahead),
        cluster.fault("slow-watch", component=KUBELET, delay=3, repeat=0, lose=0),
        cluster.fault("slow-watch", component="replicaset-controller", delay=3, repeat=0, lose=0),
    ):
        cluster.client.create(Deployment, deployment("web", 2), "default")
        cluster.run_for(30)
        assert end_state(cluster)["containers"] == ["web", "web"]


def test_containers_go_by_the_clock_of_their_machine(cluster):
    with cluster.fault("clock-skew", component=KUBELET, ahead="400s"):
        cluster.client.create(Pod, CRASHING, "default")
        cluster.run_for(60)
        assert restarts(cluster) == 3  # after 10, 20 and 40 seconds, as ever
        ended = cluster.client.get(Pod, "web", "default").status.container_statuses[0].last_state.terminated
        assert from_rfc3339(ended.finished_at) > cluster.now + 300


def test_a_clock_that_runs_fast_makes_timers_come_early(cluster):
    def renewals(seconds):
        before = len(cluster.history().of("kube-node-lease/leases/node-1"))
        cluster.run_for(seconds)
        return len(cluster.history().of("kube-node-lease/leases/node-1")) - before

    with cluster.fault("clock-rate", component="kubelet-node-1", rate=4.0):
        assert 38 <= renewals(100) <= 41
    assert 9 <= renewals(100) <= 11


def test_containers_end_in_time_however_fast_their_kubelets_clock_runs(cluster):
    for number, rate in enumerate((0.3, 1.7, 3.0)):
        with cluster.fault("clock-rate", component="kubelet-node-1", rate=rate):
            name = f"web-{number}"
            cluster.client.create(Pod, pod(name, command=["sleep", "7"], restartPolicy="Never"), "default")
            cluster.run_for(20)
            assert phase(cluster, name) == "Succeeded"


def test_a_clock_can_be_wrong_in_both_ways_and_be_set_right_one_by_one(cluster):
    skew = cluster.fault("clock-skew", component=SCHEDULER, ahead=100).start()
    rate = cluster.fault("clock-rate", component=SCHEDULER, rate=2).start()
    cluster.run_for(10)
    assert cluster._engine.processes.clock(SCHEDULER).now() - cluster.now == 110
    skew.stop()
    cluster.run_for(10)
    assert cluster._engine.processes.clock(SCHEDULER).now() - cluster.now == 10
    rate.stop()
    assert cluster._engine.processes.clock(SCHEDULER).now() == cluster.now


def test_a_wrong_clock_starts_nobody_who_does_not_run(cluster):
    with cluster.fault("node-lost", node="node-1"):
        with cluster.fault("clock-skew", component=KUBELET, ahead=5):
            assert KUBELET not in cluster.components
        assert KUBELET not in cluster.components
