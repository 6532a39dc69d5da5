"""The graph without a server: who has to be looked at when something happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8slab.controllers.garbage_collector.absent_owners import AbsentOwners
from k8slab.controllers.garbage_collector.fate import Fate, Owners, fate_of
from k8slab.controllers.garbage_collector.graph import FOREGROUND, ORPHAN, Node, ObjectReference, OwnerReference, State
from k8slab.controllers.garbage_collector.graph_builder import GraphBuilder, next_identity, partition


class World:
    """A graph, and notes of what it asked for."""

    def __init__(self):
        self.absent = AbsentOwners()
        self.asked = []
        self.graph = GraphBuilder(
            self.absent,
            attempt_to_delete=lambda node: self.asked.append(("delete", node.uid)),
            attempt_later=lambda node: self.asked.append(("later", node.uid)),
            attempt_to_orphan=lambda node: self.asked.append(("orphan", node.uid)),
            report_namespace=lambda node, reference: self.asked.append(("namespace", node.uid, reference.uid)),
        )

    def see(self, uid, *owners, state=State.ALIVE, namespace="default", kind="ConfigMap"):
        identity = ObjectReference("v1", kind, namespace, uid, uid)
        return self.graph.observe(identity, tuple(owners), state)

    def asks(self):
        asked, self.asked[:] = list(self.asked), []
        return asked


@pytest.fixture
def world():
    return World()


def owner(uid, blocks=True, name=None, kind="ConfigMap"):
    return OwnerReference("v1", kind, name or uid, uid, blocks)


def test_nobody_is_looked_at_while_everything_is_as_it_should_be(world):
    world.see("parent")
    world.see("child", owner("parent"))
    world.see("child", owner("parent"))
    assert world.asks() == []


def test_an_owner_of_whom_only_a_reference_speaks_is_virtual_and_looked_at(world):
    world.see("child", owner("parent"))
    assert world.asks() == [("delete", "parent")]
    assert not world.graph.nodes["parent"].observed
    world.see("parent")
    assert world.graph.nodes["parent"].observed
    assert world.asks() == []


def test_when_an_owner_is_gone_its_dependents_are_looked_at_and_it_is_remembered(world):
    parent = world.see("parent")
    world.see("child", owner("parent"))
    world.graph.forget(parent)
    assert world.asks() == [("delete", "child")]
    assert parent.identity in world.absent


def test_an_owner_in_the_foreground_is_looked_at_with_its_dependents_and_when_one_is_gone(world):
    world.see("parent")
    child = world.see("child", owner("parent"))
    world.see("parent", state=State.DELETING_DEPENDENTS)
    assert world.asks() == [("delete", "child"), ("delete", "parent")]
    world.graph.forget(child)
    assert world.asks() == [("delete", "parent")]


def test_an_owner_that_orphans_is_looked_at_once(world):
    world.see("parent")
    for _ in range(2):
        world.see("parent", state=State.ORPHANING_DEPENDENTS)
    assert world.asks() == [("orphan", "parent")]


@pytest.mark.parametrize("after", [(), (owner("parent", blocks=False),)])
def test_an_owner_is_looked_at_when_a_dependent_blocks_it_no_more(world, after):
    world.see("parent")
    world.see("child", owner("parent"))
    world.see("child", *after)
    assert world.asks() == [("delete", "parent")]


def test_an_owner_in_another_namespace_is_reported_whoever_comes_first(world):
    world.see("parent", namespace="one")
    world.see("late", owner("parent"), namespace="two")
    assert world.asks() == [("namespace", "late", "parent"), ("delete", "late")]
    other = World()
    other.see("early", owner("parent"), namespace="two")
    other.asks()
    other.see("parent", namespace="one")
    assert other.asks() == [("namespace", "early", "parent"), ("delete", "early")]


def test_dependents_that_disagree_about_their_owner_are_tried_in_turn(world):
    world.see("right", owner("parent"))
    world.see("wrong", owner("parent", name="another"))
    world.asks()
    said_first = world.graph.nodes["parent"].identity
    world.graph.not_found(said_first)
    assert world.asks() == [("delete", "right"), ("later", "parent")]
    assert world.graph.nodes["parent"].identity.name == "another"
    assert said_first in world.absent


def test_an_owner_that_is_there_is_not_forgotten_because_of_a_wrong_reference(world):
    world.see("parent")
    world.see("wrong", owner("parent", name="another"))
    world.asks()
    world.graph.not_found(ObjectReference("v1", "ConfigMap", "default", "another", "parent"))
    assert world.asks() == [("delete", "wrong")]
    assert "parent" in world.graph.nodes


def test_what_nobody_knows_is_forgotten_without_a_word(world):
    world.graph.not_found(ObjectReference("v1", "ConfigMap", "default", "x", "x"))
    world.graph.forget(Node(ObjectReference("v1", "ConfigMap", "default", "x", "x")))
    assert world.asks() == []


def test_a_dependent_with_two_words_for_one_owner_is_on_both_sides():
    parent = ObjectReference("v1", "ConfigMap", "default", "parent", "parent")
    both = Node(replace(parent, name="both", uid="both"), (owner("parent"), owner("parent", name="another")))
    assert partition([both], parent) == ([both], [both])


def test_other_names_of_an_owner_go_round_in_a_ring():
    parent = ObjectReference("v1", "ConfigMap", "default", "b", "parent")
    dependents = [Node(replace(parent, name=n, uid=n), (owner("parent", name=n),)) for n in "abc"]
    assert next_identity(dependents, parent).name == "c"
    assert next_identity(dependents, replace(parent, name="c")).name == "a"
    assert next_identity(dependents[:1], replace(parent, name="a")) is None


def test_only_the_last_absent_owners_are_remembered():
    absent = AbsentOwners(size=2)
    owners = [ObjectReference("v1", "ConfigMap", "default", name, name) for name in "abc"]
    for each in owners[:2]:
        absent.add(each)
    assert owners[0] in absent  # asked for, so not the oldest any more
    absent.add(owners[2])
    assert [each in absent for each in owners] == [True, False, True]
    assert len(absent) == 2


WAITING_CHILD = Node(ObjectReference("v1", "ConfigMap", "default", "x", "x"), state=State.DELETING_DEPENDENTS)
CHILD = Node(ObjectReference("v1", "ConfigMap", "default", "y", "y"))


@pytest.mark.parametrize(
    ("owners", "finalizers", "dependents", "fate"),
    [
        (Owners(solid=[owner("a")]), (), (), Fate()),
        (Owners(solid=[owner("a")], dangling=[owner("b")], waiting=[owner("c")]), (), (CHILD,), Fate(drop=("b", "c"))),
        (Owners(dangling=[owner("a")]), (), (CHILD,), Fate(delete="Background")),
        (Owners(dangling=[owner("a")]), (ORPHAN,), (), Fate(delete="Orphan")),
        (Owners(dangling=[owner("a")]), (FOREGROUND,), (), Fate(delete="Foreground")),
        (Owners(waiting=[owner("a")]), (), (), Fate(delete="Background")),
        (Owners(waiting=[owner("a")]), (), (CHILD,), Fate(delete="Foreground")),
        (Owners(waiting=[owner("a")]), (), (WAITING_CHILD,), Fate(delete="Foreground", unblock=True)),
    ],
)
def test_the_fate_of_an_object_follows_from_its_owners(owners, finalizers, dependents, fate):
    assert fate_of(owners, finalizers, dependents) == fate


def test_nodes_are_small():
    assert not hasattr(CHILD, "__dict__")
    assert not CHILD.dependents
    assert CHILD.dependents is WAITING_CHILD.dependents
