"""Components that crash, start again, and stand still."""

from __future__ import annotations

import pytest

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from tests.engine.faults.harness import KUBELET, SCHEDULER, create, running
from tests.engine.harness import deployment, phase, pod, restarts


@pytest.mark.parametrize("component", ["etcd-lessor", "replicaset-controller", SCHEDULER, KUBELET])
def test_a_component_that_crashed_can_be_started_again(cluster, component):
    with cluster.fault("crash", component=component):
        assert component not in cluster.components
        cluster.fault("crash", component=component).start()  # it cannot crash twice
    assert component in cluster.components
    create(cluster)
    cluster.run_until_idle()
    assert phase(cluster) == "Running"


def test_a_restarted_kubelet_adopts_what_runs(cluster):
    create(cluster)
    cluster.run_until_idle()
    before = running(cluster)
    switch = cluster.fault("restart", component=KUBELET).start()
    cluster.run_for(30)
    assert (running(cluster), restarts(cluster), switch.active) == (before, 0, False)


def test_who_stands_still_does_nothing_and_then_goes_on(cluster):
    with cluster.fault("freeze", component=SCHEDULER):
        cluster.client.create(Pod, pod(), "default")
        cluster.run_for(60)
        assert phase(cluster) == "Pending"
    cluster.run_for(5)
    assert phase(cluster) == "Running"


def test_who_stands_still_holds_up_nobody(cluster):
    cluster.client.create(Pod, pod(), "default")
    with cluster.fault("freeze", component=SCHEDULER):
        cluster.run_until_idle()


def test_who_stands_still_before_it_writes_writes_by_what_it_knew(cluster):
    with cluster.fault("freeze", component="replicaset-controller", before="write"):
        cluster.client.create(ReplicaSet, deployment("web", 2), "default")
        cluster.run_for(10)
        cluster.client.patch(ReplicaSet, "web", "default", {"spec": {"replicas": 0}})
        cluster.run_for(10)
        assert cluster.client.list(Pod, "default") == []
    cluster.run_for(0)
    assert len(cluster.history().of("pods/").by("replicaset-controller")) == 2
    cluster.run_for(60)
    assert cluster.client.list(Pod, "default") == []


def test_who_never_writes_does_not_stand_still(cluster):
    with cluster.fault("freeze", component=SCHEDULER, before="write"):
        cluster.run_for(60)
        assert not cluster._engine.processes.lines[SCHEDULER].frozen
    cluster.client.create(Pod, pod(), "default")
    cluster.run_for(5)
    assert phase(cluster) == "Running"
