"""The extension points, as a learner's own plugin sees them."""

from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.scheduler.framework import Plugin
from k8slab.scheduler.plugins import PLUGINS
from k8slab.scheduler.scheduler import Scheduler, enough_of
from tests.scheduler.test_scheduler import Place


class Mine(Plugin):
    """Notes at which points it was asked."""

    name, weight = "Mine", 1000

    def __init__(self):
        self.asked = []

    def pre_filter(self, state, pod):
        self.asked.append("pre_filter")
        return ()

    def filter(self, state, pod, node):
        self.asked.append(f"filter {node.name}")
        return ("node(s) were odd",) if node.name.endswith("1") else ()

    def score(self, state, pod, node):
        self.asked.append(f"score {node.name}")
        return 100.0 if node.name.endswith("4") else 0.0

    def reserve(self, pod, node):
        self.asked.append("reserve")
        return ""

    def permit(self, pod, node):
        self.asked.append("permit")
        return ""

    def pre_bind(self, pod, node):
        self.asked.append("pre_bind")
        return ""

    def post_bind(self, pod, node):
        self.asked.append("post_bind")

    def unreserve(self, pod, node):
        self.asked.append("unreserve")


def place(*plugins, nodes=3, **options):
    world = Place()
    world.scheduler = Scheduler(world.client, world.clock, world.chance, plugins=(*plugins, *PLUGINS), **options)
    world.components = [world.scheduler]
    for number in range(1, nodes + 1):
        world.node(f"node-{number}")
    return world


def test_a_plugin_is_asked_at_each_point_in_turn():
    mine = Mine()
    world = place(mine, nodes=4)
    world.pod()
    world.settle()
    assert world.where() == {"web": "node-4"}
    filters = [f"filter node-{number}" for number in (1, 2, 3, 4)]
    scores = [f"score node-{number}" for number in (2, 3, 4)]
    assert mine.asked == ["pre_filter", *filters, *scores, "reserve", "permit", "pre_bind", "post_bind"]


def test_its_refusal_is_told_like_any_other():
    world = place(Mine(), nodes=1)
    world.pod()
    world.settle()
    [message] = world.events("FailedScheduling")
    assert message.startswith("0/1 nodes are available: 1 node(s) were odd. ")


def test_a_refusal_of_all_nodes_is_told_once():
    class Never(Plugin):
        name = "Never"

        def pre_filter(self, state, pod):
            return ("it is Sunday",)

    world = place(Never())
    world.pod()
    world.settle()
    [message] = world.events("FailedScheduling")
    assert message == (
        "0/3 nodes are available: it is Sunday. no new claims to deallocate, preemption: "
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


@pytest.mark.parametrize("point", ["reserve", "permit", "pre_bind"])
def test_a_late_no_undoes_what_was_reserved(point):
    class Late(Mine):
        pass

    setattr(Late, point, lambda self, pod, node: "not today")
    late = Late()
    world = place(late, nodes=2)
    world.pod()
    world.scheduler.step()
    world.scheduler.step()
    assert late.asked[-1] == "unreserve"
    assert world.where() == {"web": ""}
    assert "not today" in world.events("FailedScheduling")[0]
    assert not any(node.pods for node in world.scheduler.cache.order)


class Together(Plugin):
    """Lets Pods go only in pairs."""

    name = "Together"
    scheduler: Scheduler

    def permit(self, pod, node):
        if self.scheduler.waiting:
            for uid in list(self.scheduler.waiting):
                self.scheduler.allow(uid)
            return ""
        return 30.0


def test_a_pod_can_be_made_to_wait_for_another():
    together = Together()
    world = place(together)
    together.scheduler = world.scheduler
    world.pod("one")
    world.scheduler.step()
    assert world.where() == {"one": ""}
    world.pod("two")
    world.settle()
    assert all(world.where().values())


def test_who_waits_in_vain_gives_the_node_back():
    together = Together()
    world = place(together)
    together.scheduler = world.scheduler
    world.pod("one")
    world.scheduler.step()
    assert any(node.pods for node in world.scheduler.cache.order)
    world.clock.advance_to(world.clock.now() + 30)
    world.scheduler.step()
    assert not any(node.pods for node in world.scheduler.cache.order)
    assert world.events("FailedScheduling") == ["pod 'default/one' was not permitted in time by plugin 'Together'"]


def test_a_second_scheduler_places_only_its_own_pods():
    world = place(scheduler_name="mine")
    world.pod("one")
    world.pod("two", schedulerName="mine")
    world.settle()
    assert world.where()["one"] == ""
    assert world.where()["two"]
    assert world.client.get(Pod, "two", "default").spec.scheduler_name == "mine"


@pytest.mark.parametrize(
    ("nodes", "enough"), [(1, 0), (99, 0), (100, 100), (150, 100), (1_000, 420), (5_000, 500), (10_000, 500)]
)
def test_of_many_nodes_a_share_is_enough(nodes, enough):
    assert enough_of(nodes) == enough


def test_of_many_nodes_each_has_its_turn():
    class Counting(Plugin):
        name = "Counting"

        def __init__(self):
            self.seen = []

        def filter(self, state, pod, node):
            self.seen.append(node.name)
            return ()

    counting = Counting()
    world = place(counting, nodes=150)
    world.pod("one")
    world.pod("two")
    world.settle()
    assert len(counting.seen) == 200
    assert set(counting.seen) == {node.name for node in world.scheduler.cache.order}
