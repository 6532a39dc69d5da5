from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import Node
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.node_ipam import NodeIpamController
from tests.client.fake_server import World

SMALL = {"cluster_cidr": "10.244.0.0/22", "node_mask": 24}


def make(wrap=None, **options):
    world = World()
    world.components = [NodeIpamController(world.connect(wrap and wrap(world)), world.clock, world.chance, **options)]
    return world


@pytest.fixture
def world():
    return make()


def add(world, *names, **spec):
    for name in names:
        world.client.create(Node, {"metadata": {"name": name}, "spec": spec})


def ranges(world):
    return {node.name: node.spec.pod_cidr for node in world.client.list(Node)}


def test_every_node_gets_a_range_of_its_own_in_order(world):
    world.settle()
    add(world, "b", "a")
    world.settle()
    add(world, "c")
    world.settle()
    assert ranges(world) == {"b": "10.244.0.0/24", "a": "10.244.1.0/24", "c": "10.244.2.0/24"}
    assert world.client.get(Node, "c").spec.pod_cidrs == ("10.244.2.0/24",)


def test_what_nodes_have_already_is_taken(world):
    add(world, "old", podCIDR="10.244.0.0/24", podCIDRs=["10.244.0.0/24"])
    add(world, "new")
    world.settle()
    assert ranges(world) == {"old": "10.244.0.0/24", "new": "10.244.1.0/24"}


def test_a_node_that_is_added_again_gets_another_range(world):
    add(world, "a")
    world.settle()
    world.client.delete(Node, "a")
    add(world, "a")
    world.settle()
    assert ranges(world) == {"a": "10.244.1.0/24"}


def test_when_nothing_is_left_it_says_so_and_gives_what_comes_free():
    world = make(**SMALL)
    add(world, "a", "b", "c", "d", "e")
    world.settle()
    assert ranges(world)["e"] == ""
    assert world.events("CIDRNotAvailable") == ["Node e status is now: CIDRNotAvailable"]
    world.client.delete(Node, "b")
    world.settle()
    assert ranges(world)["e"] == "10.244.1.0/24"


def test_one_that_starts_again_knows_what_is_taken(world):
    add(world, "a", "b")
    world.settle()
    world.components = [NodeIpamController(world.connect(), world.clock, world.chance)]
    add(world, "c")
    world.settle()
    assert len(set(ranges(world).values())) == 3


def test_a_node_that_has_gone_before_it_got_its_range_costs_none():
    world = make(**SMALL)
    for number in range(9):
        add(world, f"n{number}")
        world.components[0].nodes.drain()
        world.client.delete(Node, f"n{number}")
        world.settle()
    add(world, "a", "b", "c", "d")
    world.settle()
    assert all(ranges(world).values())


plans = st.lists(st.tuples(st.sampled_from(["add", "delete", "step", "wait"]), st.integers(0, 5)), max_size=40)


@settings(max_examples=60)
@given(plans, st.integers(0, 1000))
def test_no_two_nodes_ever_have_the_same_whatever_the_watch_tells(plan, seed):
    def slow(world):
        return lambda transport: SlowWatch(transport, world.clock, world.chance, str(seed), repeat=0.2, lose=0.1)

    world = make(slow, **SMALL)
    for what, number in plan:
        try:
            match what:
                case "add":
                    add(world, f"n{number}")
                case "delete":
                    world.client.delete(Node, f"n{number}")
                case "step":
                    world.components[0].step()
                case "wait":
                    world.pass_time(number)
        except (AlreadyExists, NotFound):
            continue
        taken = [cidr for cidr in ranges(world).values() if cidr]
        assert len(taken) == len(set(taken))
