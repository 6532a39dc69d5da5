"""Whatever the watches do: late, coalesced, repeated or lost news end in the same state as prompt news."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.client.slow_watch import SlowWatch
from tests.controllers.harness import Workloads, image_of

NAMES, IMAGES = st.sampled_from(["web", "db"]), st.sampled_from(["nginx:1", "nginx:2", "nginx:3"])
SIZES = st.integers(0, 4)

actions = st.one_of(
    st.tuples(st.just("create"), NAMES, SIZES, IMAGES, st.sampled_from(["RollingUpdate", "Recreate"])),
    st.tuples(st.just("scale"), NAMES, SIZES),
    st.tuples(st.just("set_image"), NAMES, IMAGES),
    st.tuples(st.just("delete"), NAMES, st.sampled_from(["Background", "Foreground"])),
    st.tuples(st.just("delete_pod"), st.integers(0, 9)),
    st.tuples(st.just("fail_pod"), st.integers(0, 9)),
    st.tuples(st.just("bring_up")),
    st.tuples(st.just("run"), st.integers(1, 12)),
    st.tuples(st.just("wait"), st.integers(1, 5)),
)

plans = st.lists(actions, min_size=4, max_size=25).map(
    lambda plan: [("create", "web", 3, "nginx:1", "RollingUpdate"), ("run", 4), *plan]
)


def act(world, what, *details):
    """Do one thing that a user, a kubelet or the passing of time may do."""
    pods = [pod for pod in world.pods() if pod.active]
    match what, details:
        case "create", (name, replicas, image, strategy):
            world.deploy(name, replicas, image, strategy={"type": strategy})
        case "scale", (name, replicas):
            world.change({"replicas": replicas}, name)
        case "set_image", (name, image):
            world.set_image(image, name)
        case "delete", (name, propagation):
            world.client.delete(Deployment, name, "default", propagation=propagation)
            # As kubectl does: else it depends on the watches whether the name can be used again.
            while world.exists(Deployment, name):
                act(world, "run", 1)
                act(world, "wait", 1)
        case "delete_pod", (number,) if pods:
            world.client.delete(Pod, pods[number % len(pods)].name, "default")
        case "fail_pod", (number,) if pods:
            world.client.patch_status(Pod, pods[number % len(pods)].name, "default", {"phase": "Failed"})
        case "bring_up", ():
            world.bring_up()
        case "run", (steps,):
            for _ in range(steps):
                for component in world.components:
                    component.step()
        case "wait", (seconds,):
            world.clock.advance_to(world.clock.now() + seconds)


def live(world, plan):
    """The state at the end, as far as a user cares: without names, times and what is only history."""
    for what, *details in plan:
        try:
            act(world, what, *details)
        except (AlreadyExists, NotFound):
            continue
    world.run()
    world.pass_time(310)  # an expectation that nobody can meet any more runs out
    world.run()
    return {
        "deployments": [
            (each.name, each.spec.replicas, image_of(each.spec.template), numbers(each))
            for each in world.client.list(Deployment, "default")
        ],
        "sets": sorted(
            (rs.metadata.controller.name, image_of(rs.spec.template), rs.spec.replicas, rs.status.ready_replicas)
            for rs in world.client.list(ReplicaSet, "default")
            if rs.spec.replicas
        ),
        "pods": Counter(
            (pod.metadata.labels["app"], pod.spec.containers[0].image, pod.ready) for pod in world.pods() if pod.active
        ),
    }


def numbers(deployment):
    status = deployment.status
    said = sorted((each.type, each.status, each.reason) for each in status.conditions)
    at_rest = status.observed_generation == deployment.metadata.generation
    return status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas, said, at_rest


def slow(seed):
    def wrap(world, transport, name):
        return SlowWatch(transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1)

    return wrap


@settings(max_examples=60)
@given(plans, st.integers(0, 1000))
def test_slow_watches_change_nothing_about_the_end(plan, seed):
    assert live(Workloads(wrap=slow(seed)), plan) == live(Workloads(), plan)


@settings(max_examples=60)
@given(plans, st.integers(0, 1000))
def test_in_the_end_everything_is_as_it_was_asked_for(plan, seed):
    end = live(Workloads(wrap=slow(seed)), plan)
    wanted = {(name, image, True): replicas for name, replicas, image, _ in end["deployments"] if replicas}
    assert end["pods"] == wanted
    assert end["sets"] == sorted((name, image, size, size) for (name, image, _), size in wanted.items())
    for _, replicas, _, (*counts, said, at_rest) in end["deployments"]:
        assert counts == [replicas] * 4
        assert ("Available", "True", "MinimumReplicasAvailable") in said
        assert at_rest


def test_the_same_seed_gives_the_same_life():
    plan = [("create", "web", 3, "nginx:1", "RollingUpdate"), ("run", 9), ("set_image", "web", "nginx:2")]
    logs = []
    for _ in range(2):
        world = Workloads(wrap=slow(7))
        live(world, plan)
        logs.append(world.store.entries())
    assert logs[0] == logs[1]
