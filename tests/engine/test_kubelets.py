"""The kubelets, by their nodes: those that run, and those that can be reached."""

from __future__ import annotations

import pytest

from k8slab.cluster import Cluster


@pytest.fixture
def cluster():
    with Cluster(nodes=2) as cluster:
        yield cluster


def test_only_those_that_run_are_there(cluster):
    kubelets = cluster.engine.kubelets
    assert list(kubelets) == ["node-1", "node-2"]
    cluster.crash("kubelet-node-1")
    assert (list(kubelets), len(kubelets)) == (["node-2"], 1)
    with pytest.raises(KeyError):
        kubelets["node-1"]


def test_one_with_a_wrong_clock_is_one_too(cluster):
    with cluster.fault("clock-skew", component="kubelet-node-1", ahead=5):
        assert cluster.engine.kubelets["node-1"].clock.now() == cluster.now + 5


def test_one_that_is_cut_off_is_there_and_cannot_be_found(cluster):
    kubelets = cluster.engine.kubelets
    with cluster.fault("node-partitioned", node="node-1"):
        assert ("node-1" in kubelets, kubelets.find("node-1")) == (True, None)
    assert kubelets.find("node-1") is kubelets["node-1"].server
    assert kubelets.find("node-9") is None
