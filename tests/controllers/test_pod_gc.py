from __future__ import annotations

import pytest

from k8slab.api.core import Node, Pod
from k8slab.clock import NEVER
from k8slab.controllers.pod_gc import PodGarbageCollector
from tests.client.fake_server import World, pod

OUT = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}


def make(**options):
    world = World()
    world.components = [PodGarbageCollector(world.connect(), world.clock, world.chance, **options)]
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    world.client.create(Node, {"metadata": {"name": "node-1"}, "status": ready})
    world.settle()
    return world


@pytest.fixture
def world():
    return make()


def run_pod(world, name, node="node-1", phase="Running", **spec):
    world.client.create(Pod, pod(name, **({"nodeName": node} if node else {}), **spec), "default")
    world.client.patch_status(Pod, name, "default", {"phase": phase})


def names(world):
    return [each.name for each in world.pods()]


def lose(world):
    world.client.patch_status(Node, "node-1", "", {"conditions": [{"type": "Ready", "status": "Unknown"}]})


def test_pods_of_a_node_that_is_gone_are_removed_after_its_quarantine(world):
    run_pod(world, "web")
    world.client.delete(Node, "node-1")
    world.pass_time(59)
    assert names(world) == ["web"]
    world.pass_time(21)
    assert names(world) == []


def test_they_have_failed_and_say_why(world):
    run_pod(world, "web")
    world.client.patch(Pod, "web", "default", {"metadata": {"finalizers": ["example.com/look"]}})
    world.client.delete(Node, "node-1")
    world.pass_time(80)
    said = world.client.get(Pod, "web", "default")
    assert said.status.phase == "Failed"
    condition = said.condition("DisruptionTarget")
    assert (condition.reason, condition.message) == ("DeletionByPodGC", "PodGC: node no longer exists")


def test_a_node_that_comes_back_in_time_keeps_its_pods(world):
    run_pod(world, "web")
    world.client.delete(Node, "node-1")
    world.pass_time(50)
    world.client.create(Node, {"metadata": {"name": "node-1"}})
    world.pass_time(100)
    assert names(world) == ["web"]


def test_the_server_is_asked_before_anything_is_removed(world):
    run_pod(world, "web")
    controller = world.components[0]
    world.pass_time(20)
    controller.nodes.rest()
    world.pass_time(200)
    assert names(world) == ["web"]


def test_going_pods_stay_until_their_node_is_out_of_service(world):
    run_pod(world, "web")
    run_pod(world, "stays")
    lose(world)
    world.client.delete(Pod, "web", "default")
    world.pass_time(500)
    assert "web" in names(world)
    world.client.patch(Node, "node-1", "", {"spec": {"taints": [OUT]}})
    world.pass_time(20)
    assert names(world) == ["stays"]


def test_out_of_service_is_not_believed_of_a_node_that_is_ready(world):
    run_pod(world, "web")
    world.client.delete(Pod, "web", "default")
    world.client.patch(Node, "node-1", "", {"spec": {"taints": [OUT]}})
    world.pass_time(100)
    assert names(world) == ["web"]


def test_a_going_pod_that_was_never_placed_is_removed(world):
    body = pod("web") | {"metadata": {"name": "web", "finalizers": ["example.com/hold"]}}
    world.client.create(Pod, body, "default")
    world.client.delete(Pod, "web", "default")
    world.pass_time(20)
    assert world.client.get(Pod, "web", "default").status.phase == "Failed"
    world.client.patch(Pod, "web", "default", {"metadata": {"finalizers": None}})
    assert names(world) == []


def test_ended_pods_are_kept_up_to_a_threshold_the_oldest_go():
    world = make(threshold=2)
    for name in ("c", "b", "a"):
        run_pod(world, name, phase="Succeeded")
        world.pass_time(1)
    run_pod(world, "runs")
    world.pass_time(20)
    assert names(world) == ["a", "b", "runs"]


def test_evicted_ones_go_first():
    world = make(threshold=1)
    run_pod(world, "old", phase="Failed")
    world.pass_time(1)
    run_pod(world, "evicted")
    world.client.patch_status(Pod, "evicted", "default", {"phase": "Failed", "reason": "Evicted"})
    world.pass_time(20)
    assert names(world) == ["old"]


def test_it_looks_20_seconds_after_the_first_news_and_rests_while_there_is_none(world):
    controller = world.components[0]
    world.pass_time(20)
    assert controller.next_deadline() == NEVER
    run_pod(world, "web")
    assert controller.next_deadline() == world.clock.now() + 20
    world.pass_time(20)
    assert controller.next_deadline() == NEVER
