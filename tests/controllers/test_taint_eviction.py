from __future__ import annotations

import pytest

from k8slab.api.core import Namespace, Node, Pod
from k8slab.controllers.taint_eviction import TaintEvictionController
from tests.controllers.nodes import Nodes

KEY = "example.com/out"
FOREVER = {"key": KEY, "operator": "Exists", "effect": "NoExecute"}


@pytest.fixture
def world():
    world = Nodes()
    world.client.create(Namespace, {"metadata": {"name": "kube-node-lease"}})
    world.add("node-1", "node-2")
    world.run_for(10)
    return world


def taint(world, node="node-1", *keys):
    taints = [{"key": key, "effect": "NoExecute"} for key in keys or (KEY,)]
    world.client.patch(Node, node, "", {"spec": {"taints": taints}})


def untaint(world, node="node-1"):
    world.client.patch(Node, node, "", {"spec": {"taints": []}})


def patience(seconds, key=KEY):
    return FOREVER | {"key": key, "tolerationSeconds": seconds}


def going(world):
    return [each.name for each in world.pods() if each.metadata.deleting]


def test_a_pod_that_does_not_tolerate_goes_at_once_and_says_why(world):
    world.run_pod("web", "node-1")
    taint(world)
    world.settle()
    assert going(world) == ["web"]
    said = world.pod("web").condition("DisruptionTarget")
    assert (said.status, said.reason) == ("True", "DeletionByTaintManager")
    assert said.message == "Taint manager: deleting due to NoExecute taint"
    assert world.events("TaintManagerEviction") == ["Marking for deletion Pod default/web"]


def test_pods_of_other_nodes_and_other_effects_do_not_matter(world):
    world.run_pod("web", "node-2")
    world.run_pod("db", "node-1")
    world.client.patch(Node, "node-1", "", {"spec": {"taints": [{"key": KEY, "effect": "NoSchedule"}]}})
    world.run_for(400)
    assert going(world) == []


def test_patience_ends(world):
    world.run_pod("web", "node-1", tolerations=[patience(60)])
    taint(world)
    world.run_for(59)
    assert going(world) == []
    world.run_for(1)
    assert going(world) == ["web"]


def test_when_the_taint_goes_before_it_is_called_off(world):
    world.run_pod("web", "node-1", tolerations=[patience(60)])
    taint(world)
    world.run_for(30)
    untaint(world)
    world.run_for(100)
    assert going(world) == []
    assert world.events("TaintManagerEviction") == ["Cancelling deletion of Pod default/web"]


def test_the_shortest_patience_counts(world):
    world.run_pod("web", "node-1", tolerations=[patience(60), patience(20, "b")])
    taint(world, "node-1", KEY, "b")
    world.run_for(20)
    assert going(world) == ["web"]


def test_the_count_goes_on_while_taints_change(world):
    world.run_pod("web", "node-1", tolerations=[patience(60), patience(60, "b")])
    taint(world)
    world.run_for(40)
    taint(world, "node-1", "b")
    world.run_for(19)
    assert going(world) == []
    world.run_for(1)
    assert going(world) == ["web"]


def test_one_that_tolerates_forever_stays(world):
    world.run_pod("web", "node-1", tolerations=[FOREVER])
    taint(world)
    world.run_for(10_000)
    assert going(world) == []


def test_a_pod_that_comes_later_goes_too(world):
    taint(world)
    world.settle()
    world.run_pod("late", "node-1")
    world.settle()
    assert going(world) == ["late"]


def test_another_pod_of_the_same_name_counts_for_itself(world):
    world.run_pod("web", "node-1", tolerations=[patience(60)])
    taint(world)
    world.run_for(50)
    world.client.delete(Pod, "web", "default", grace_period=0)
    world.run_pod("web", "node-1", tolerations=[patience(60)])
    world.run_for(50)
    assert going(world) == []
    world.run_for(10)
    assert going(world) == ["web"]


def test_one_that_starts_again_begins_to_count_again(world):
    world.run_pod("web", "node-1", tolerations=[patience(60)])
    taint(world)
    world.run_for(50)
    world.components[1].close()
    world.components[1] = TaintEvictionController(world.connect(), world.clock, world.chance)
    world.run_for(50)
    assert going(world) == []
    world.run_for(10)
    assert going(world) == ["web"]


def test_without_a_tainted_node_no_pod_is_followed(world):
    world.run_pod("web", "node-1", tolerations=[FOREVER])
    taint(world)
    world.settle()
    assert len(world.evictor.pods) == 1
    untaint(world)
    world.settle()
    assert len(world.evictor.pods) == 0
