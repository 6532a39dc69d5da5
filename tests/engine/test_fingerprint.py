"""The state of an engine in a few letters: equal for equal states, and for no others."""

from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.api.core import ConfigMap, Pod
from k8slab.cluster import Cluster
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.engine.fingerprint import describe, fingerprint
from tests.engine.harness import deployment, pod


@pytest.fixture
def cluster():
    with lived() as cluster:
        yield cluster


def lived(seed=1, **more):
    cluster = Cluster(nodes=1, seed=seed, **more)
    cluster.client.create(Deployment, deployment("web", 2), "default")
    cluster.run_for(20)
    return cluster


def test_the_same_life_has_the_same(cluster):
    with lived() as other:
        assert fingerprint(other._engine) == fingerprint(cluster._engine)
        assert describe(other._engine) == describe(cluster._engine)


def test_another_seed_has_another(cluster):
    with lived(seed=2) as other:
        assert fingerprint(other._engine) != fingerprint(cluster._engine)


def test_to_look_changes_nothing(cluster):
    before = fingerprint(cluster._engine)
    cluster.client.list(Pod)
    cluster.history()
    describe(cluster._engine)
    assert fingerprint(cluster._engine) == before


CHANGES = {
    "an object": lambda cluster: cluster.client.create(ConfigMap, {"metadata": {"name": "c"}}, "default"),
    "time": lambda cluster: cluster.run_for(0.001),
    "a step": lambda cluster: cluster.step(),
    "a crash": lambda cluster: cluster.fault("crash", component="kube-scheduler").start(),
    "a restart": lambda cluster: cluster.fault("restart", component="kube-scheduler").start(),
    "a cut": lambda cluster: cluster.fault("cut-off", component="kube-scheduler").start(),
    "a slow watch": lambda cluster: cluster.fault("slow-watch", component="kube-scheduler").start(),
    "a dropped watch": lambda cluster: cluster.fault("dropped-watch", component="kube-scheduler").start(),
    "a slow line": lambda cluster: cluster.fault("api-latency", component="kube-scheduler").start(),
    "a failing line": lambda cluster: cluster.fault("api-errors", component="kube-scheduler").start(),
    "a wrong clock": lambda cluster: cluster.fault("clock-skew", component="kube-scheduler", ahead=1).start(),
    "a dead container": lambda cluster: cluster.fault("container-crash", pod=a_pod(cluster)).start(),
    "a lost node": lambda cluster: cluster.fault("node-lost", node="node-1").start(),
    "a partition": lambda cluster: cluster.fault("node-partitioned", node="node-1").start(),
    "a broken registry": lambda cluster: cluster.fault("image-pull-failure").start(),
}


def a_pod(cluster):
    return cluster.client.list(Pod)[0].name


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_what_comes_changes_it(cluster, what):
    before = fingerprint(cluster._engine)
    CHANGES[what](cluster)
    assert fingerprint(cluster._engine) != before


def test_a_learners_controller_is_covered_like_any_other():
    with lived(replace={"replicaset": Counting}) as cluster:
        before = fingerprint(cluster._engine)
        cluster._engine.loop.component("replicaset-controller").looks += 1
        assert fingerprint(cluster._engine) != before


class Counting(ReplicaSetController):
    """Keeps something of its own."""

    looks = 0

    def reconcile(self, key):
        self.looks += 1
        return super().reconcile(key)


def test_the_description_names_the_place_of_a_difference(cluster):
    before = describe(cluster._engine)
    cluster._engine.loop.component("replicaset-controller").queue._failures["default/web"] = 3
    [line] = set(describe(cluster._engine)) - set(before) - {f for f in describe(cluster._engine) if "#" in f}
    assert "replicaset-controller" in line
    assert line.endswith("default/web=3")


def test_what_a_program_in_a_container_remembers_counts():
    states = []
    for seconds in (1, 2):
        with Cluster(nodes=1) as cluster:
            command = ["sh", "-c", f"sleep {seconds}; sleep 1000"]
            cluster.client.create(Pod, pod(image="busybox:1.36", command=command), "default")
            cluster.run_for(20)
            states.append([line for line in describe(cluster._engine) if line.startswith("node-1")])
    assert states[0] != states[1]


def test_a_live_cluster_has_none():
    with Cluster(nodes=0, mode="live") as cluster, pytest.raises(AssertionError, match="never at rest"):
        fingerprint(cluster._engine)
