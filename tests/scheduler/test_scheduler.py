from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import Node, Pod
from k8slab.client.slow_watch import SlowWatch
from k8slab.scheduler.node_info import PodInfo
from k8slab.scheduler.scheduler import Scheduler
from tests.client.fake_server import World
from tests.scheduler.objects import node_body, pod_body


class Place(World):
    """A world with a scheduler."""

    def __init__(self, seed=1, wrap=None):
        super().__init__(seed)
        client = self.connect(wrap and (lambda transport: wrap(self, transport)))
        self.scheduler = Scheduler(client, self.clock, self.chance)
        self.components = [self.scheduler]

    def node(self, name="node-1", **options):
        self.client.create(Node, node_body(name, **options))
        # Admission taints a new node until it is ready.
        self.client.patch(Node, name, "", {"spec": {"taints": None}})

    def pod(self, name="web", **options):
        body = pod_body(name, **options)
        del body["metadata"]["uid"]
        self.client.create(Pod, body, "default")

    def where(self):
        return {each.name: each.spec.node_name for each in self.pods()}


@pytest.fixture
def world():
    return Place()


def test_a_pod_gets_the_node_that_fits(world):
    world.node("small", room={"cpu": "1"})
    world.node("large")
    world.pod(cpu="2")
    world.settle()
    assert world.where() == {"web": "large"}
    assert world.events("Scheduled") == ["Successfully assigned default/web to large"]
    assert world.pods()[0].condition("PodScheduled").status == "True"


def test_the_rest_go_where_there_is_room(world):
    for name in ("node-1", "node-2"):
        world.node(name, room={"cpu": "1"})
    for name in "abc":
        world.pod(name, cpu="1")
    world.settle()
    assert sorted(world.where().values()) == ["", "node-1", "node-2"]


def test_a_pod_that_fits_nowhere_is_told_why(world):
    world.node()
    world.pod(cpu="100")
    world.settle()
    message = (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    condition = world.pods()[0].condition("PodScheduled")
    assert (condition.status, condition.reason, condition.message) == ("False", "Unschedulable", message)
    assert world.events("FailedScheduling") == [message]


def test_a_new_reason_is_no_new_transition(world):
    world.pod(cpu="100")
    world.settle()
    first = world.pods()[0].condition("PodScheduled")
    world.clock.advance_to(world.clock.now() + 60)
    world.node()
    world.settle()
    second = world.pods()[0].condition("PodScheduled")
    assert first.message != second.message
    assert first.last_transition_time == second.last_transition_time


def test_without_nodes_a_pod_waits_for_one(world):
    world.pod()
    world.settle()
    assert world.events("FailedScheduling") == ["no nodes available to schedule pods"]
    world.node()
    world.settle()
    assert world.where() == {"web": "node-1"}


def test_a_pod_that_goes_makes_room(world):
    world.node(room={"cpu": "1"})
    for name in "ab":
        world.pod(name, cpu="1")
    world.settle()
    first = next(name for name, node in world.where().items() if node)
    world.client.delete(Pod, first, "default", grace_period=0)
    world.settle()
    assert list(world.where().values()) == ["node-1"]


def test_a_pod_that_has_ended_makes_room(world):
    world.node(room={"cpu": "1"})
    world.pod("a", cpu="1")
    world.settle()
    world.pod("b", cpu="1")
    world.settle()
    world.client.patch_status(Pod, "a", "default", {"phase": "Succeeded"})
    world.settle()
    assert world.where() == {"a": "node-1", "b": "node-1"}


def test_uncordoning_a_node_lets_pods_in(world):
    world.node(unschedulable=True)
    world.pod()
    world.settle()
    assert world.where() == {"web": ""}
    world.client.patch(Node, "node-1", "", {"spec": {"unschedulable": None}})
    world.settle()
    assert world.where() == {"web": "node-1"}


def test_a_heartbeat_brings_nobody_back(world):
    world.node()
    world.pod(cpu="100")
    world.settle()
    before = world.events("FailedScheduling")
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:01:00Z"}
    world.client.patch_status(Node, "node-1", "", {"conditions": [condition]})
    revision = world.store.revision
    world.settle()
    assert (world.events("FailedScheduling"), world.store.revision) == (before, revision)


def test_an_image_that_came_brings_nobody_back_and_is_known(world):
    world.node()
    world.pod(cpu="100")
    world.settle()
    before = world.events("FailedScheduling")
    world.client.patch_status(Node, "node-1", "", {"images": [{"names": ["nginx:latest"], "sizeBytes": 1}]})
    revision = world.store.revision
    world.settle()
    assert (world.events("FailedScheduling"), world.store.revision) == (before, revision)
    assert world.scheduler.cache.state({}).images == {"nginx:latest": 1}


def test_a_pod_of_another_scheduler_is_left_alone(world):
    world.node()
    world.pod(schedulerName="mine")
    world.settle()
    assert world.where() == {"web": ""}


def test_a_pod_behind_a_gate_is_left_alone_until_the_gate_opens(world):
    world.node()
    world.pod(schedulingGates=[{"name": "example.com/wait"}])
    world.settle()
    assert world.where() == {"web": ""}
    world.client.patch(Pod, "web", "default", {"spec": {"schedulingGates": None}})
    world.settle()
    assert world.where() == {"web": "node-1"}


def test_a_pod_that_names_its_node_needs_no_scheduler_and_counts_all_the_same(world):
    world.node(room={"cpu": "1"})
    world.pod("static", cpu="1", nodeName="node-1")
    world.settle()
    world.pod(cpu="1")
    world.settle()
    assert world.where() == {"static": "node-1", "web": ""}


def test_a_pod_on_a_node_that_comes_later_counts_when_it_comes(world):
    world.pod("early", cpu="3", nodeName="node-1")
    world.settle()
    world.node()
    world.pod(cpu="2")
    world.settle()
    assert world.where()["web"] == ""


def test_a_bound_pod_counts_before_the_watch_tells_of_it(world):
    world.node(room={"cpu": "1"})
    for name in "ab":
        world.pod(name, cpu="1")
    world.scheduler.step()
    world.scheduler.pods.drain = lambda: False  # its watch is late
    world.scheduler.step()
    assert sorted(world.where().values()) == ["", "node-1"]


def test_equal_nodes_are_chosen_by_the_seed():
    def places(seed):
        world = Place(seed)
        for name in ("node-1", "node-2", "node-3"):
            world.node(name)
        world.pod()
        world.settle()
        return world.where()["web"]

    assert places(1) == places(1)
    assert len({places(seed) for seed in range(10)}) > 1


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["100m", "500m", "1", "2"]), max_size=8), st.integers(1, 3))
def test_no_node_is_ever_given_more_than_it_has(requests, nodes):
    world = Place()
    for number in range(nodes):
        world.node(f"node-{number}", room={"cpu": "2", "pods": "3"})
    for number, cpu in enumerate(requests):
        world.pod(f"web-{number}", cpu=cpu)
    world.settle()
    for info in world.scheduler.cache.nodes.values():
        assert info.requested.get("cpu", 0) <= 2000
        assert len(info.pods) <= 3
        assert sorted(each.name for each in info.pods.values()) == sorted(
            name for name, node in world.where().items() if node == info.name
        )


steps = st.lists(
    st.one_of(
        st.tuples(st.just("pod"), st.sampled_from(["500m", "1", "2"])),
        st.tuples(st.just("delete"), st.integers(0, 5)),
        st.tuples(st.just("step"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(1, 3)),
        st.tuples(st.just("label"), st.integers(0, 5)),
    ),
    min_size=4,
    max_size=20,
)


@settings(max_examples=50)
@given(steps, st.integers(0, 1000))
def test_with_slow_watches_all_pods_that_can_be_are_placed_and_no_node_has_too_many(steps, seed):
    def slow(world, transport):
        return SlowWatch(transport, world.clock, world.chance, str(seed), repeat=0.2, lose=0.1)

    world = Place(wrap=slow)
    world.node(room={"cpu": "2"})
    for number, (what, detail) in enumerate(steps):
        pods = world.pods()
        if what == "pod":
            world.pod(f"web-{number}", cpu=detail)
        elif what == "delete" and pods:
            world.client.delete(Pod, pods[detail % len(pods)].name, "default", grace_period=0)
        elif what == "label" and pods:
            labels = {"metadata": {"labels": {"touched": str(number)}}}
            world.client.patch(Pod, pods[detail % len(pods)].name, "default", labels)
        elif what == "wait":
            world.clock.advance_to(world.clock.now() + detail)
        elif what == "step":
            for _ in range(detail):
                world.scheduler.step()
    world.settle()
    asked = {pod.name: PodInfo.of(pod).requests["cpu"] for pod in world.pods()}
    free = 2000 - sum(asked[name] for name, node in world.where().items() if node)
    assert free >= 0
    for pod in world.pods():
        assert (pod.condition("PodScheduled").status == "True") == bool(pod.spec.node_name)
        assert pod.spec.node_name or asked[pod.name] > free
