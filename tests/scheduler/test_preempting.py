"""Preemption, by a scheduler that writes."""

from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.api.policy import PodDisruptionBudget
from k8slab.apimachinery.scheme import Resource
from k8slab.scheduler.scheduler import Scheduler
from tests.scheduler.test_scheduler import Place

PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
GRACE = {"terminationGracePeriodSeconds": 30}


@pytest.fixture
def world():
    world = Place()
    for name, value in (("low", 10), ("high", 1000)):
        world.client.create(PRIORITY_CLASSES, {"metadata": {"name": name}, "value": value})
    world.node(room={"cpu": "2"})
    return world


def urgent(world, name="urgent"):
    world.pod(name, cpu="2", priorityClassName="high", **GRACE)
    world.settle()
    return world.client.get(Pod, name, "default")


def end(world, name):
    """What a kubelet does of a Pod that is being deleted."""
    world.client.delete(Pod, name, "default", grace_period=0)
    world.settle()


def test_a_victim_is_deleted_and_told_why(world):
    world.pod("weak", cpu="1", priorityClassName="low", **GRACE)
    world.settle()
    waiting = urgent(world)
    weak = world.client.get(Pod, "weak", "default")
    assert weak.metadata.deleting
    condition = weak.condition("DisruptionTarget")
    assert (condition.status, condition.reason) == ("True", "PreemptionByScheduler")
    assert condition.message == "default-scheduler: preempting to accommodate a higher priority pod"
    assert world.events("Preempted") == [f"Preempted by pod {waiting.uid} on node node-1"]


def test_the_pod_gets_its_room_when_the_victim_has_gone(world):
    world.pod("weak", cpu="1", priorityClassName="low", **GRACE)
    world.settle()
    waiting = urgent(world)
    assert (waiting.spec.node_name, waiting.status.nominated_node_name) == ("", "node-1")
    assert world.events("FailedScheduling")[0] == "0/1 nodes are available: 1 Insufficient cpu."
    end(world, "weak")
    placed = world.client.get(Pod, "urgent", "default")
    assert (placed.spec.node_name, placed.status.nominated_node_name) == ("node-1", "")


def test_nobody_of_less_importance_takes_the_room_meanwhile(world):
    world.pod("weak", cpu="2", priorityClassName="low", **GRACE)
    world.settle()
    urgent(world)
    world.pod("late", cpu="1", priorityClassName="low")
    world.settle()
    end(world, "weak")
    assert world.where() == {"urgent": "node-1", "late": ""}


def test_a_new_scheduler_knows_for_whom_the_room_is_made(world):
    world.pod("weak", cpu="2", priorityClassName="low", **GRACE)
    world.settle()
    urgent(world)
    world.scheduler = Scheduler(world.client, world.clock, world.chance)
    world.components = [world.scheduler]
    world.pod("late", cpu="1", priorityClassName="low")
    world.settle()
    end(world, "weak")
    assert world.where()["late"] == ""


def test_while_a_victim_takes_its_time_no_other_is_pushed_aside(world):
    world.pod("weak", cpu="1", priorityClassName="low", **GRACE)
    world.pod("other", cpu="1", **GRACE)
    world.settle()
    urgent(world)
    world.clock.advance_to(world.clock.now() + 400)
    world.settle()
    assert len(world.events("Preempted")) == 2
    last = world.events("FailedScheduling")[-1]
    assert last.endswith("preemption: not eligible due to a terminating pod on the nominated node.")


def test_a_node_where_nobody_is_protected_is_taken_first(world):
    world.node("node-2", room={"cpu": "2"})
    labels = {"app": "db"}
    for number, app in ((1, labels), (2, {})):
        world.pod(f"weak-{number}", cpu="2", labels=app, nodeName=f"node-{number}", **GRACE)
    budget = {"metadata": {"name": "db"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}}}
    world.client.create(PodDisruptionBudget, budget, "default")
    world.settle()
    assert urgent(world).status.nominated_node_name == "node-2"


def test_equals_are_left_alone(world):
    world.pod("first", cpu="2", priorityClassName="high", **GRACE)
    world.settle()
    assert urgent(world).status.nominated_node_name == ""
    assert world.events("Preempted") == []
