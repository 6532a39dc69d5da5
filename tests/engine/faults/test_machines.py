"""Nodes that are lost, registries that are down, containers that are killed."""

from __future__ import annotations

import pytest

from k8slab.api.coordination import Lease
from k8slab.api.core import Pod
from k8slab.clock import from_rfc3339
from tests.engine.faults.harness import KUBELET, create, running
from tests.engine.harness import phase, restarts


def test_a_lost_node_takes_its_containers_with_it_and_brings_them_back(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for(100)
        assert (running(cluster), KUBELET in cluster.components) == ([], False)
        assert phase(cluster) == "Running"  # nobody is there to say otherwise
        lease = cluster.client.get(Lease, "node-1", "kube-node-lease")
        assert cluster.now - from_rfc3339(lease.spec.renew_time) >= 100
    cluster.run_until_idle()
    assert (len(running(cluster)), restarts(cluster)) == (1, 1)


def test_what_was_deleted_while_a_node_was_lost_is_gone_when_it_is_back(cluster):
    create(cluster, "asked")
    create(cluster, "forced")
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.client.delete(Pod, "asked", "default")
        cluster.client.delete(Pod, "forced", "default", grace_period=0)
        cluster.run_for(60)
        assert [each.name for each in cluster.client.list(Pod)] == ["asked"]
    cluster.run_until_idle()
    assert (cluster.client.list(Pod), cluster._engine.runtimes["node-1"].list_pod_sandboxes()) == ([], [])


def test_a_pod_that_runs_once_has_failed_with_its_node(cluster):
    create(cluster, restartPolicy="Never")
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for(5)
    cluster.run_until_idle()
    assert phase(cluster) == "Failed"


def test_an_image_cannot_be_had_and_then_it_can(cluster):
    with cluster.fault("image-pull-failure", where="docker.io", message="i/o timeout"):
        create(cluster)
        cluster.run_for(8)
        waiting = cluster.client.get(Pod, "web", "default").status.container_statuses[0].state.waiting
        assert (waiting.reason, "i/o timeout" in waiting.message) == ("ImagePullBackOff", True)
    cluster.run_for(60)
    assert phase(cluster) == "Running"


def test_a_container_that_is_killed_is_noticed_at_once(cluster):
    create(cluster)
    cluster.run_until_idle()
    cluster.fault("container-crash", pod="web").start()
    cluster.run_for(0)
    ended = cluster.client.get(Pod, "web", "default").status.container_statuses[0].last_state.terminated
    assert (restarts(cluster), ended.exit_code, ended.reason) == (1, 137, "Error")


def test_only_what_runs_can_be_killed(cluster):
    create(cluster, restartPolicy="Never")
    with pytest.raises(ValueError, match="no node runs a Pod 'web' in the namespace 'default'; see: kubectl"):
        cluster.fault("container-crash", pod="web").start()
    cluster.run_until_idle()
    with pytest.raises(ValueError, match="no container 'side' runs in the Pod 'web'; running: main"):
        cluster.fault("container-crash", pod="web", container="side").start()
    cluster.fault("container-crash", pod="web").start()
    with pytest.raises(ValueError, match="no container runs in the Pod 'web'; running: none"):
        cluster.fault("container-crash", pod="web").start()
