"""At no revision of any life does a rollout go beyond its fences.

What upstream's algorithm promises, and what is looked for at every revision of the log:

- The ReplicaSets together never ask for more than replicas + maxSurge. So there are never more active Pods than that, but for
  those that a ReplicaSet has been told to remove and has not removed yet.
- As long as no Pod fails by itself: once replicas - maxUnavailable Pods are available, there are never fewer.

The numbers are those of the specs since the Deployment was last at rest: a ReplicaSet acts on what it was told, which may be
the wish of a moment ago.

Two things are not promised until the Deployment is at rest again, here as upstream, and are not looked for. Scaling down in
the middle of a rollout takes from each version, available or not: then the second promise ends. And where watches are late, a
second change, before the cache knows the ReplicaSet that the first one made or resized, is worked out from old sizes: then the
first promise ends. (A write over what has changed is refused, but several ReplicaSets are never written as one.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.model import KubeObject
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.rolling import Fences, fences
from tests.controllers.harness import Workloads, image_of

KINDS: dict[str, type[KubeObject]] = {"deployments": Deployment, "replicasets": ReplicaSet, "pods": Pod}

commands = st.one_of(
    st.tuples(st.just("image"), st.sampled_from(["nginx:1", "nginx:2", "nginx:3"])),
    st.tuples(st.just("undo")),
    st.tuples(st.just("scale"), st.integers(0, 8)),
    st.tuples(st.just("pause"), st.booleans()),
    st.tuples(st.just("ready"), st.integers(1, 3)),
    st.tuples(st.just("ready"), st.integers(1, 3)),
    st.tuples(st.just("run"), st.integers(1, 9)),
)
limits = st.sampled_from([("25%", "25%"), (0, 1), (1, 0), (2, 2), ("50%", 0), (0, "100%")])


def live(plan, seed, surge, unavailable, late=True):
    """A life of a Deployment, under watches that are late and lose news, or prompt ones."""

    def wrap(world, transport, name):
        return SlowWatch(transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.05)

    world = Workloads(seed, wrap if late else None)
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    world.deploy(replicas=4, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    world.run()
    for what, *details in plan:
        act(world, what, *details)
    world.change({"paused": False})
    world.run()
    return world


def act(world, what, *details):
    match what, details:
        case "image", (image,):
            world.set_image(image)
        case "undo", ():
            old = [
                rs
                for rs in world.sets(active=False)
                if image_of(rs.spec.template) != image_of(world.deployment().spec.template)
            ]
            if old:  # as kubectl does: the template of the last revision but one
                world.set_image(image_of(old[-1].spec.template))
        case "scale", (replicas,):
            world.change({"replicas": replicas})
        case "pause", (paused,):
            world.change({"paused": paused})
        case "ready", (count,):
            world.make_ready(*[pod for pod in world.pods() if pod.active and not pod.ready][:count])
        case "run", (steps,):
            for _ in range(steps):
                for component in world.components:
                    component.step()
                world.clock.advance_to(world.clock.now() + 1)


class Moment:
    """What there is at one revision."""

    def __init__(self, objects: dict[str, KubeObject]) -> None:
        self.deployment = next(each for each in objects.values() if isinstance(each, Deployment))
        self.sets = [each for each in objects.values() if isinstance(each, ReplicaSet)]
        self.pods = [each for each in objects.values() if isinstance(each, Pod) and each.active]
        spec = self.deployment.spec
        self.fences: Fences = fences("RollingUpdate", spec.strategy.rolling_update, spec.replicas)
        self.asked = sum(rs.spec.replicas for rs in self.sets)
        self.available = sum(pod.ready for pod in self.pods)

    @property
    def to_be_removed(self) -> int:
        """Pods that a ReplicaSet has been told to remove."""
        return sum(max(0, self._owned(rs) - rs.spec.replicas) for rs in self.sets)

    def _owned(self, rs: ReplicaSet) -> int:
        return sum(pod.metadata.controller is not None and pod.metadata.controller.uid == rs.uid for pod in self.pods)

    @property
    def at_rest(self) -> bool:
        """Whether all is as it was asked for, and known to be."""
        status, wanted = self.deployment.status, self.deployment.spec.replicas
        counts = (status.replicas, status.updated_replicas, status.available_replicas, len(self.pods), self.available)
        seen = status.observed_generation == self.deployment.metadata.generation
        return seen and counts == (wanted,) * 5 and self.asked == wanted


def moments(world: Workloads) -> Iterator[Moment]:
    """Every revision of the log since the Deployment was there."""
    objects: dict[str, KubeObject] = {}
    for entry in world.store.entries():
        plural = entry.key.split("/")[2]
        if plural not in KINDS:
            continue
        if entry.value is None:
            objects.pop(entry.key, None)
        else:
            raw: dict[str, Any] = orjson.loads(entry.value)
            objects[entry.key] = KINDS[plural].of(raw)
        if any(isinstance(each, Deployment) for each in objects.values()):
            yield Moment(objects)


def check(world: Workloads, late: bool = True) -> None:
    """Both promises, at every revision at which they are made."""
    most, least, before, generation = 0, 0, 4, 1
    reached = shrunk = False
    for moment in moments(world):
        wanted = moment.deployment.spec.replicas
        if moment.at_rest:
            most, least = moment.fences.maximum, moment.fences.minimum
            reached, shrunk, generation = True, False, moment.deployment.metadata.generation
        shrunk = shrunk or wanted < before
        changes = moment.deployment.metadata.generation - generation
        most, least, before = max(most, moment.fences.maximum), min(least, moment.fences.minimum), wanted
        if not late or changes <= 1:
            assert moment.asked <= most
            assert len(moment.pods) <= most + moment.to_be_removed
        if reached and not shrunk:
            assert moment.available >= least


@settings(max_examples=40)
@given(st.lists(commands, max_size=12), st.integers(0, 1000), limits, st.booleans())
def test_a_rollout_stays_within_its_fences_at_every_revision(plan, seed, limits, late):
    world = live(plan, seed, *limits, late=late)
    check(world, late)
    deployment = world.deployment()
    assert len([pod for pod in world.pods() if pod.active and pod.ready]) == deployment.spec.replicas
    assert set(world.images()) <= {image_of(deployment.spec.template)}


def test_a_second_change_by_an_old_cache_may_go_beyond():
    world = live([("image", "nginx:2"), ("scale", 6)], 24, 2, 2)
    assert max(moment.asked for moment in moments(world)) == 6 + 2 + 1
    prompt = live([("image", "nginx:2"), ("scale", 6)], 24, 2, 2, late=False)
    assert max(moment.asked for moment in moments(prompt)) == 6 + 2


def test_the_check_would_notice_a_pod_too_many_and_one_too_few():
    world = live([("image", "nginx:2"), ("run", 3)], 1, 1, 0)
    check(world)
    world.client.delete(Pod, world.pods()[0].name, "default")
    with pytest.raises(AssertionError):
        check(world)
    other = live([], 1, 1, 0)
    other.client.patch(ReplicaSet, other.sets()[0].name, "default", {"spec": {"replicas": 9}})
    with pytest.raises(AssertionError):
        check(other)
