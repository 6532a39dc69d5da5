from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.lab.pictures.deeds import Deed, deed_of, differences, named, object_named, state_of, summary
from tests.lab.worlds import create

from .lives import parts


def deeds(cluster) -> list[str]:
    engine, trace = parts(cluster)
    return [str(deed_of(engine, each)) for each in trace.select(kind="commit")]


@pytest.mark.parametrize(
    "told",
    [
        "creates Deployment web with 2 replicas",
        "scales Deployment web to 3",
        "annotates Deployment web",
        "reports Deployment web as 3/3 ready",
        "creates Lease kube-node-lease/node-1",
    ],
)
def test_a_write_is_told_by_what_it_changed(young, told):
    assert told in deeds(young)


def test_one_replica_is_not_called_replicas():
    with Cluster(nodes=0, seed=1) as cluster:
        create(cluster, "web", 1)
        assert "creates Deployment web with 1 replica" in deeds(cluster)


def test_a_day_has_deeds_of_every_sort(old):
    verbs = {deed.split(" ")[0] for deed in deeds(old)}
    assert {"creates", "scales", "binds", "reports", "changes", "marks", "removes", "renews"} <= verbs


def test_several_deeds_of_one_sort_are_counted():
    two = [Deed("creates", "Pod", "a"), Deed("creates", "Pod", "b"), Deed("scales", "ReplicaSet", "c", "to 3")]
    assert summary(two) == "creates 2 Pods, scales ReplicaSet c to 3"


def test_the_subject_is_called_it():
    assert summary([Deed("scales", "ReplicaSet", "c", "to 3")], "ReplicaSet c") == "scales it to 3"
    assert summary([Deed("updates the status of", "Pod", "c")], "Pod c") == "updates the status of it"


def test_differences_are_paths():
    assert list(differences({"a": {"b": 1}, "c": [1]}, {"a": {"b": 2}, "c": [1]})) == [("a.b", 1, 2)]


def test_a_name_says_its_namespace_unless_that_is_default():
    assert [named("pods/default/web"), named("pods/kube-system/web"), named("nodes/n"), named("a-key")] == [
        "Pod web", "Pod kube-system/web", "Node n", "a-key",
    ]  # fmt: skip


def test_a_pod_that_waits_says_for_what():
    waiting = [{"state": {"waiting": {"reason": "ErrImagePull"}}}]
    assert state_of({"kind": "Pod", "metadata": {}, "status": {"containerStatuses": waiting}}) == "ErrImagePull"


def test_an_object_can_be_had_as_of_a_revision(young):
    engine, trace = parts(young)
    first = trace.select(kind="commit", what="deployments/default/web")[0]
    assert object_named(engine, first.what, first.revision)["spec"]["replicas"] == 2
    assert object_named(engine, first.what)["spec"]["replicas"] == 3
    assert object_named(engine, "no-object") is None
