"""What came from outside, in the order of its steps."""

from __future__ import annotations

import pytest

from k8slab.api.core import ConfigMap, Pod
from k8slab.cluster import Cluster
from k8slab.engine.inputs import Asked, Fault, Passed
from k8slab.engine.journal import Command, Entry, Journal
from k8slab.etcd.memory import MemoryStore


def entry(step):
    return Entry(step, 0.0, 1, "", Command(), Passed(0.0))


@pytest.fixture
def cluster():
    with Cluster(nodes=1) as cluster:
        yield cluster


@pytest.mark.parametrize(("step", "found"), [(0, []), (3, []), (4, [3]), (7, [3]), (8, [3, 7]), (99, [3, 7])])
def test_what_was_before_a_step(step, found):
    journal = Journal([entry(3), entry(7)])
    assert [each.step for each in journal.before(step)] == found


def test_a_new_journal_is_empty_and_its_own():
    Journal().add(entry(1))
    assert Journal().entries == []


def test_no_two_inputs_have_the_same_step(cluster):
    for number in range(3):
        cluster.client.create(ConfigMap, {"metadata": {"name": f"c{number}"}}, "default")
    cluster.run_for(20)
    cluster.fault("restart", component="kube-scheduler").start()
    steps = [each.step for each in cluster._engine.lived]
    assert steps == sorted(set(steps))


def test_an_entry_says_where_and_why_it_came(cluster):
    cluster.run_for(5)
    cluster.client.create(ConfigMap, {"metadata": {"name": "c"}}, "default")
    moved, asked = cluster._engine.lived[-2:]
    assert isinstance(moved.input, Passed)
    assert isinstance(asked.input, Asked)
    assert (moved.command.said, asked.command.said) == ("run_for(5)", "")
    assert (asked.time, asked.revision) == (cluster.now, cluster.store.revision - 1)
    assert asked.digest != cluster._engine.log_digest()


def test_two_commands_of_the_same_words_differ(cluster):
    cluster.run_for(5)
    cluster.run_for(5)
    numbers = {each.command.number for each in cluster._engine.lived if each.command.said == "run_for(5)"}
    assert len(numbers) == 2


def test_who_only_looks_is_not_noted(cluster):
    before = len(cluster._engine.lived)
    cluster.client.list(Pod)
    cluster.client.watch(Pod, resource_version="0").close()
    assert len(cluster._engine.lived) == before


def test_a_fault_that_could_not_happen_is_noted_as_one_that_was_tried(cluster):
    with pytest.raises(ValueError, match="no node runs a Pod"):
        cluster.fault("container-crash", pod="nobody").start()
    assert cluster._engine.lived[-1].input == Fault(
        "container-crash", {"pod": "nobody", "namespace": "default", "container": ""}
    )


def test_a_life_that_cannot_be_lived_again_is_not_noted():
    with Cluster(nodes=0, store=MemoryStore()) as cluster:
        cluster.client.create(ConfigMap, {"metadata": {"name": "c"}}, "default")
        assert (cluster._engine.journal, cluster._engine.lived) == (None, [])
