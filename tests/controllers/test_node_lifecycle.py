from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.coordination import Lease
from k8slab.api.core import Namespace, Node
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.node_lifecycle import NodeLifecycleController
from tests.controllers.nodes import Nodes

UNREACHABLE = ["unreachable:NoSchedule", "unreachable:NoExecute"]


@pytest.fixture
def world():
    return make()


def make(count=3, **options):
    world = Nodes(**options)
    world.client.create(Namespace, {"metadata": {"name": "kube-node-lease"}})
    world.add(*(f"node-{number}" for number in range(1, count + 1)))
    world.run_for(20)
    return world


def test_it_greets_new_nodes_and_says_goodbye_to_those_that_go(world):
    assert "Registered Node node-1 in Controller" in world.events("RegisteredNode")
    world.silence("node-1")
    world.client.delete(Node, "node-1")
    world.run_for(5)
    assert world.events("RemovingNode") == ["Removing Node node-1 from Controller"]


def test_a_node_that_is_silent_for_50_seconds_is_lost(world):
    world.silence("node-1")
    world.run_for(45)
    assert world.ready("node-1") == "True"
    world.run_for(10)
    said = world.node("node-1").condition("Ready")
    assert (said.status, said.reason) == ("Unknown", "NodeStatusUnknown")
    assert said.message == "Kubelet stopped posting node status."
    assert world.events("NodeNotReady") == ["Node node-1 status is now: NodeNotReady"]
    assert world.ready("node-2") == "True"


def test_a_posted_status_is_as_good_as_a_lease(world):
    world.silence("node-1")
    for _ in range(10):
        world.run_for(20)
        world.say("node-1", "True")
    assert world.ready("node-1") == "True"


def test_what_time_is_written_in_a_lease_does_not_matter():
    world = make(count=0)
    world.add("node-1")
    world.silence("node-1")
    for second in range(0, 200, 10):
        renew_time = f"1999-01-01T00:{second // 60:02}:{second % 60:02}.000000Z"
        lease = {"spec": {"renewTime": renew_time}}
        world.client.patch(Lease, "node-1", "kube-node-lease", lease)
        world.run_for(10)
    assert world.ready("node-1") == "True"


def test_a_node_whose_kubelet_never_came_gets_a_minute(world):
    world.client.create(Node, {"metadata": {"name": "by-hand"}})
    world.run_for(58)
    assert world.ready("by-hand") == ""
    world.run_for(7)
    conditions = world.node("by-hand").status.conditions
    assert {each.type for each in conditions} == {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}
    assert {(each.status, each.reason, each.message) for each in conditions} == {
        ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.")
    }


def test_its_pods_are_not_ready_any_more_and_say_why(world):
    world.run_pod("web", "node-1")
    world.run_pod("db", "node-2")
    world.silence("node-1")
    world.run_for(60)
    assert (world.pod("web").ready, world.pod("db").ready) == (False, True)
    assert world.events("NodeNotReady")[1:] == ["Node is not ready"]


def test_no_schedule_follows_the_condition_at_once_and_no_execute_one_look_later(world):
    world.silence("node-1")
    seen = []
    for _ in range(70):
        world.run_for(1)
        if world.taints("node-1") not in seen:
            seen.append(world.taints("node-1"))
    assert seen == [[], UNREACHABLE[:1], UNREACHABLE]


def test_the_five_minutes(world):
    world.run_pod("web", "node-1")
    world.silence("node-1")
    world.run_for(60)
    start = world.clock.now()
    world.run_for(290)
    assert not world.pod("web").metadata.deleting
    world.run_for(10)
    assert world.pod("web").metadata.deleting
    assert world.clock.now() - start == 300


def test_a_node_that_comes_back_loses_its_taints(world):
    world.silence("node-1")
    world.run_for(70)
    assert world.taints("node-1") == UNREACHABLE
    world.revive("node-1")
    world.run_for(5)
    assert (world.ready("node-1"), world.taints("node-1")) == ("True", [])


def test_a_node_that_says_it_is_not_ready_gets_the_other_taint(world):
    world.say("node-1", "False")
    world.run_for(5)
    assert world.taints("node-1") == ["not-ready:NoSchedule", "not-ready:NoExecute"]
    world.silence("node-1")
    world.run_for(60)
    assert world.taints("node-1") == UNREACHABLE


def test_a_cordoned_node_is_tainted_and_an_uncordoned_one_is_not(world):
    world.client.patch(Node, "node-1", "", {"spec": {"unschedulable": True}})
    world.settle()
    assert world.taints("node-1") == ["unschedulable:NoSchedule"]
    world.client.patch(Node, "node-1", "", {"spec": {"unschedulable": False}})
    world.settle()
    assert world.taints("node-1") == []
    assert "taints" not in world.client.raw("GET", "/api/v1/nodes/node-1")["spec"]  # as Go leaves out what is empty


def test_taints_of_other_hands_stay(world):
    taint = {"key": "example.com/mine", "value": "x", "effect": "NoExecute"}
    world.client.patch(Node, "node-1", "", {"spec": {"taints": [taint]}})
    world.silence("node-1")
    world.run_for(70)
    assert world.taints("node-1") == ["mine:NoExecute", *UNREACHABLE]


# Zones.


def test_two_of_five_are_tainted_one_after_the_other():
    world = make(5)
    world.silence("node-1", "node-2")
    world.run_for(60)
    assert len(world.tainted()) == 1
    world.run_for(10)
    assert world.tainted() == ["node-1", "node-2"]


def test_three_of_five_are_too_many():
    world = make(5)
    world.silence("node-1", "node-2", "node-3")
    world.run_for(600)
    assert world.tainted() == []
    assert world.lifecycle.zones[""].state == "PartialDisruption"
    assert world.taints("node-1") == UNREACHABLE[:1]


def test_when_all_are_lost_nobody_is_evicted_and_taints_are_taken_back():
    world = make(3)
    world.silence("node-1")
    world.run_for(80)
    assert world.tainted() == ["node-1"]
    world.silence("node-2", "node-3")
    world.run_for(60)
    assert world.tainted() == []
    world.run_for(600)
    assert world.tainted() == []


def test_after_that_all_start_afresh():
    world = make(3)
    world.silence("node-1", "node-2", "node-3")
    world.run_for(100)
    world.revive("node-3")
    world.run_for(10)
    assert len(world.tainted()) == 0
    world.run_for(30)
    assert world.tainted() == ["node-1", "node-2"]


def test_a_zone_without_a_ready_node_is_emptied_if_another_has_one():
    world = make(0)
    world.add("a-1", "a-2", zone="a")
    world.add("b-1", zone="b")
    world.run_for(20)
    world.silence("a-1", "a-2")
    world.run_for(80)
    assert world.lifecycle.zones["lab:a"].state == "FullDisruption"
    assert world.tainted() == ["a-1", "a-2"]


def test_a_large_zone_goes_on_slowly():
    world = make(60)
    world.silence(*(f"node-{number}" for number in range(1, 41)))
    world.run_for(60)
    before = len(world.tainted())
    world.run_for(1000)
    assert len(world.tainted()) == before + 10


def test_a_node_that_is_excluded_does_not_count():
    world = make(4)
    label = {"metadata": {"labels": {"node.kubernetes.io/exclude-disruption": ""}}}
    world.client.patch(Node, "node-3", "", label)
    world.silence("node-1", "node-2", "node-3")
    world.run_for(100)
    assert world.lifecycle.zones[""].state == "Normal"
    assert world.tainted() == ["node-1", "node-2", "node-3"]


def test_a_node_that_was_moved_to_another_zone_does_not_queue_in_the_old_one():
    world = make(5)
    world.silence("node-1", "node-2", "node-3")
    world.run_for(70)
    world.client.patch(Node, "node-1", "", {"metadata": {"labels": {"topology.kubernetes.io/zone": "b"}}})
    world.revive("node-1", "node-2", "node-3")
    world.run_for(10)
    assert not any(f"node-{number}" in zone.queue for number in (1, 2, 3) for zone in world.lifecycle.zones.values())


# Crashes, and cost.


def test_one_that_crashes_begins_to_count_anew(world):
    world.silence("node-1")
    world.run_for(45)
    world.components[0].close()
    world.components[0] = NodeLifecycleController(world.connect(), world.clock, world.chance)
    world.run_for(45)
    assert world.ready("node-1") == "True"
    world.run_for(10)
    assert world.ready("node-1") == "Unknown"


def test_one_that_comes_when_a_node_is_lost_already_sees_to_its_pods_too(world):
    world.silence("node-1")
    world.run_for(70)
    world.run_pod("web", "node-1")
    world.components[0].close()
    world.components[0] = NodeLifecycleController(world.connect(), world.clock, world.chance)
    world.run_for(10)
    assert not world.pod("web").ready
    assert world.taints("node-1") == UNREACHABLE


def test_while_all_is_well_it_writes_nothing_and_follows_no_pods(world):
    world.run_pod("web", "node-1")
    world.run_for(20)
    before = world.store.revision
    world.alive.clear()
    world.run_for(20)
    assert world.store.revision == before
    assert len(world.lifecycle.pods) == 0


deeds = st.lists(
    st.tuples(st.sampled_from(["silence", "revive", "wait"]), st.integers(1, 5), st.integers(1, 90)), max_size=12
)


def slow(seed):
    def wrap(world, transport, name):
        return SlowWatch(transport, world.clock, world.chance, f"{seed}/{name}", delay=3, repeat=0.2, lose=0.0)

    return wrap


def live(world, plan):
    for number in range(1, 6):
        world.run_pod(f"pod-{number}", f"node-{number}")
    for what, number, seconds in plan:
        name = f"node-{number}"
        if what == "silence" and name in world.alive:
            world.silence(name)
        elif what == "revive" and name not in world.alive:
            world.revive(name)
        world.run_for(seconds)
    world.run_for(200)


@settings(max_examples=25)
@given(deeds, st.integers(0, 1000))
def test_in_the_end_every_node_is_what_it_is_whatever_the_watches_tell(plan, seed):
    world = make(5, wrap=slow(seed))
    live(world, plan)
    lost = [f"node-{number}" for number in range(1, 6) if f"node-{number}" not in world.alive]
    for number in range(1, 6):
        name = f"node-{number}"
        assert world.ready(name) == ("Unknown" if name in lost else "True")
        assert (world.taints(name) == []) == (name in world.alive)
    assert [name for name in lost if name in world.tainted()] == (lost if len(lost) < 3 else world.tainted())
    assert not [each for each in world.pods() if each.ready and each.spec.node_name in lost]


def test_the_same_seed_gives_the_same_life():
    plan = [("silence", 1, 70), ("silence", 2, 30), ("revive", 1, 80)]
    logs = []
    for _ in range(2):
        world = make(5, wrap=slow(7))
        live(world, plan)
        logs.append(world.store.entries())
    assert logs[0] == logs[1]
