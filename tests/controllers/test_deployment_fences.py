"""Every revision of every rollout, and the fences.

What upstream guarantees, and what it does not:

- **At most.** A Deployment's controller never makes the *ordered* Pods (the sum of `spec.replicas` of its ReplicaSets) more
  than `replicas + maxSurge`. It does not count Pods. While one ReplicaSet grows and the other has not yet deleted what it has
  too many, there may be more Pods for a moment; Pods that are terminating never count. Each ReplicaSet by itself never makes
  more Pods than were ordered of it; when everybody is idle, there are as many Pods as were ordered.
- **At least.** No step of a rollout, and no Pod that is deleted because of one, leaves fewer available Pods than
  `replicas - maxUnavailable`. Pods that are lost in other ways are not its doing: here none is.
- **Scaling in the middle of a rollout** is shared out by size, whatever is available: the minimum is no promise then. What
  the shares leave available is what counts until there are enough again.
- **What is not heard does not count.** The controller reads its ReplicaSets from its cache, and keeps no expectations. Who
  changes the template twice before it has heard of the ReplicaSet that it made for the first gets a surge for each. Here
  every change waits until the controller has heard of what it did itself.
- A spec counts until everybody concerned has seen the next one: who scales up raises the minimum before there is a Pod.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.client.slow_watch import SlowWatch
from tests.controllers.fences import FenceWatcher
from tests.controllers.harness import Workloads, image_of

IMAGES = st.sampled_from(["nginx:1", "nginx:2", "nginx:3", "broken"])
CHANGES = ("set_image", "scale", "limits", "pause", "undo")
LIMITS = st.sampled_from([(1, 0), (0, 1), (1, 1), (2, 3), ("25%", "25%"), ("100%", 0), ("50%", "10%")])

change = st.one_of(
    st.tuples(st.just("set_image"), IMAGES),
    st.tuples(st.just("set_image"), IMAGES),
    st.tuples(st.just("scale"), st.integers(0, 8)),
    st.tuples(st.just("limits"), LIMITS),
    st.tuples(st.just("pause"), st.booleans()),
    st.tuples(st.just("undo"), st.integers(0, 3)),
)
passing = st.one_of(
    st.tuples(st.just("work"), st.lists(st.integers(0, 2), min_size=1, max_size=12)),
    st.tuples(st.just("come_up"), st.integers(1, 3)),
    st.tuples(st.just("wait"), st.integers(1, 6)),
)
plans = st.tuples(
    st.integers(1, 8), LIMITS, st.sampled_from([0, 0, 4]), st.lists(st.one_of(change, passing, passing), max_size=30)
)


class Rollouts(Workloads):
    """A world with one Deployment, and somebody who looks at each revision."""

    def __init__(self, seed: int, slow: bool) -> None:
        def wrap(world, transport, name):
            return SlowWatch(transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1)

        super().__init__(seed, wrap if slow else None)
        self.watcher = FenceWatcher(self.clock)
        self.store.subscribe(self.watcher.look)

    def come_up(self, most: int = 100) -> bool:
        """Pods become ready, those of a broken image never do."""
        new = [pod for pod in self.pods() if pod.active and not pod.ready and pod.spec.containers[0].image != "broken"]
        self.make_ready(*new[:most])
        return bool(new)

    def live(self, plan) -> None:
        """A life of one Deployment, up to its end: every change is rolled out, and nothing is paused."""
        replicas, limits, seconds, steps = plan
        self.deploy(replicas=replicas, minReadySeconds=seconds, strategy=strategy(limits))
        self.end()
        for what, argument in steps:
            self.act(what, argument)
        self.act("pause", False)
        self.act("set_image", "nginx:9")
        self.end()

    def act(self, what, argument) -> None:
        if what in CHANGES:
            self.let_it_hear()
        match what:
            case "set_image":
                self.set_image(argument)
            case "scale":
                self.change({"replicas": argument})
            case "limits":
                self.change({"strategy": strategy(argument)})
            case "pause":
                self.change({"paused": argument})
            case "undo":  # as kubectl rollout undo does: the template of an earlier version
                sets = self.sets(active=False)
                self.set_image(image_of(sets[argument % len(sets)].spec.template))
            case "work":
                for number in argument:
                    self.components[number].step()
            case "come_up":
                self.come_up(argument)
            case "wait":
                self.clock.advance_to(self.clock.now() + argument)

    def let_it_hear(self) -> None:
        """Wait until the controller has heard of the last change, and of all that it did about it."""
        heard, told = self.deployments, self.client
        while any(
            generations(told.list(kind, "default")) != generations(cache.list())
            for kind, cache in ((Deployment, heard.deployments), (ReplicaSet, heard.sets))
        ):
            self.clock.advance_to(self.clock.now() + 1)
            while heard.step():
                pass

    def end(self) -> None:
        for _ in range(60):
            self.settle()
            assert self.watcher.active == self.watcher.total
            if not self.come_up():
                return
        raise AssertionError("the rollout never ends")


def generations(objects):
    return {each.name: each.metadata.generation for each in objects}


def strategy(limits):
    surge, unavailable = limits
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def lived(plan, seed, slow):
    world = Rollouts(seed, slow)
    world.live(plan)
    assert world.images() == ["nginx:9"] * world.deployment().spec.replicas
    return world.watcher


@settings(max_examples=50)
@given(plans, st.integers(0, 1000))
def test_no_revision_of_any_rollout_is_outside_of_the_fences(plan, seed):
    assert lived(plan, seed, slow=False).broken == []


@settings(max_examples=100)
@given(plans, st.integers(0, 1000))
def test_nor_is_any_when_news_comes_late_twice_or_never(plan, seed):
    assert lived(plan, seed, slow=True).broken == []


def at_rest(seed=1, slow=False, **spec):
    world = Rollouts(seed, slow)
    world.deploy(**{"replicas": 4, "strategy": strategy((1, 0))} | spec)
    world.end()
    assert world.watcher.broken == []
    return world


@pytest.mark.parametrize("slow", [True, False])
def test_a_second_change_by_an_old_cache_may_go_beyond(slow):
    def goes_beyond(seed):
        world = at_rest(seed, slow, strategy=strategy((2, 2)))
        world.set_image("nginx:2")
        world.change({"replicas": 6})  # before the controller can have heard of what it made for the new image
        world.end()
        return bool(world.watcher.broken)

    assert any(map(goes_beyond, range(45, 55))) == slow


def test_the_watcher_notices_a_pod_too_few():
    world = at_rest()
    world.client.delete(Pod, world.pods()[0].name, "default")
    assert [note.partition(": ")[2].partition(";")[0] for note in world.watcher.broken] == [
        "3 Pods are available, and 4 are needed"
    ]


def test_the_watcher_notices_a_pod_too_many():
    world = at_rest()
    world.client.patch(ReplicaSet, world.sets()[0].name, "default", {"spec": {"replicas": 6}})
    assert [note.partition(": ")[2].partition(";")[0] for note in world.watcher.broken] == [
        "6 Pods are ordered, and 5 are allowed"
    ]


def test_the_watcher_notices_a_step_that_takes_available_pods():
    world = at_rest()
    world.client.patch(ReplicaSet, world.sets()[0].name, "default", {"spec": {"replicas": 3}})
    assert [note.partition(": ")[2].partition(";")[0] for note in world.watcher.broken] == [
        "3 available Pods are to stay, and 4 are needed"
    ]
