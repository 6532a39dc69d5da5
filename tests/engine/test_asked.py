"""What somebody asks for, in form; and one sentence for what makes no sense."""

from __future__ import annotations

import pytest

from k8slab.engine import asked
from k8slab.etcd.memory import MemoryStore


def test_nodes_are_numbered_or_named():
    assert asked.nodes(2) == ("node-1", "node-2")
    assert asked.nodes(["a", "b"]) == ("a", "b")
    assert asked.nodes(0) == ()


def test_a_learners_parts_are_in_the_place_of_others_and_beside_them():
    def mine(client, clock, chance, wake):
        """Makes a component."""

    assert asked.parts({"scheduler": mine}, {"mine": mine}) == {"scheduler": mine, "mine": mine}


def test_what_works_inside_a_component_is_made_in_its_own_way():
    assert asked.parts({"leader-election": lambda seen, now: None}, {})


def test_the_store_in_memory_is_the_one_that_an_engine_has_by_itself():
    store = MemoryStore()
    assert (asked.store("memory", None), asked.store(store, None)) == (None, store)
    assert callable(asked.store("sqlite", None))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: asked.nodes(-1), "nodes=-1: a cluster has 0 to 1000 nodes"),
        (lambda: asked.nodes(1001), "nodes=1001: a cluster has 0 to 1000 nodes"),
        (lambda: asked.nodes(["a", "a"]), "two nodes have the same name"),
        (lambda: asked.mode("fast"), "unknown mode 'fast'; there are: live, stepped"),
        (lambda: asked.runtime("podman"), "unknown runtime 'podman'; there are: auto, docker, simulated"),
        (lambda: asked.parts({"mine": print}, {}), "unknown controller to replace 'mine'; there are: .*replicaset"),
        (lambda: asked.parts({}, {"replicaset": print}), r"'replicaset' is there already: .* say replace=\{"),
        (lambda: asked.parts({"replicaset": 5}, {}), "'replicaset': 5 cannot be called; give a class"),
        (
            lambda: asked.parts({}, {"mine": lambda client: client}),
            r"called as <lambda>\(client, clock, chance, wake=...\)",
        ),
        (lambda: asked.candidates({"etcd": 2}), "unknown role 'etcd'; there are: kube-controller-manager, kube-sch"),
        (lambda: asked.candidates({"kube-scheduler": 0}), "write a number from 1 to 9"),
        (lambda: asked.candidates({"kube-scheduler": True}), "write a number from 1 to 9"),
        (lambda: asked.store("paper", None), "unknown store 'paper'; there are: etcd, memory, sqlite"),
    ],
)
def test_what_makes_no_sense_is_answered_by_what_there_is(ask, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask()
