"""A node is emptied by the real kubectl, and a budget holds it back."""

from __future__ import annotations

import pytest

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.cluster import Cluster
from k8slab.etcd.store import Entry

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"


@pytest.fixture
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        cluster.kubectl(f"create deployment web --image={IMAGE} --replicas=6").check()
        cluster.kubectl("create pdb web --selector=app=web --min-available=5").check()
        cluster.run_until_idle()
        yield cluster


def on(cluster, node):
    return [pod for pod in cluster.client.list(Pod, "default") if pod.spec.node_name == node]


def test_drain_empties_the_node(cluster):
    doomed = {pod.name for pod in on(cluster, "node-1")}
    assert len(doomed) == 2
    result = str(cluster.kubectl("drain node-1").check())
    assert all(f"pod/{name} evicted" in result for name in doomed)
    assert on(cluster, "node-1") == []


def test_where_nothing_can_take_their_place_the_budget_holds_the_drain_back(cluster):
    cluster.kubectl("cordon node-2 node-3").check()
    result = cluster.kubectl("drain node-1 --timeout=30s")
    assert result.returncode
    assert "Cannot evict pod as it would violate the pod's disruption budget." in str(result)
    assert len(on(cluster, "node-1")) == 1
    cluster.kubectl("uncordon node-2").check()
    cluster.kubectl("drain node-1").check()
    assert on(cluster, "node-1") == []


def test_at_no_moment_are_there_fewer_ready_pods_than_the_budget_says(cluster):
    before = cluster.engine.store.revision
    cluster.kubectl("drain node-1").check()
    cluster.run_until_idle()
    sets: list[Entry] = [each for each in cluster.engine.store.entries(before) if "/replicasets/" in each.key]
    told = [ReplicaSet.of(cluster.engine.server.registry.decode(each)).status.available_replicas for each in sets]
    assert told
    assert min(told) >= 5


def test_a_cordoned_node_gets_no_more_pods_until_it_is_uncordoned(cluster):
    cluster.kubectl("drain node-1").check()
    cluster.kubectl("scale deployment web --replicas=9").check()
    cluster.run_until_idle()
    assert on(cluster, "node-1") == []
    cluster.kubectl("uncordon node-1").check()
    cluster.kubectl("scale deployment web --replicas=12").check()
    cluster.run_until_idle()
    assert on(cluster, "node-1")
