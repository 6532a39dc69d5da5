from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Node
from k8slab.lab import records
from k8slab.lab.pictures.deeds import object_named
from k8slab.lab.pictures.machines import MACHINES, container_state, node_state, phase_of, queue_states, rollout_state
from tests.lab.worlds import DEEDS, a_day, create, live, scale, update

from .lives import make, parts, pod

Way = tuple[str, str, str]
READ: dict[str, tuple[str, Callable]] = {
    "pod": ("pods/", phase_of),
    "container": ("pods/", container_state),
    "rollout": ("deployments/", rollout_state),
    "node": ("nodes/", node_state),
}


def ways_taken(cluster: Cluster) -> Iterator[Way]:
    """(diagram, from, to) of every step that the log tells of."""
    engine, trace = parts(cluster)
    for name, (prefix, read) in READ.items():
        now: dict[str, str] = {}
        for record in trace.select(kind=records.COMMIT, what=prefix):
            obj = None if record.verb == "delete" else object_named(engine, record.what, record.revision)
            before, state = now.pop(record.what, ""), read(obj) if obj is not None else ""
            if obj is not None:
                now[record.what] = state
            if before and state and before != state:
                yield name, before, state
    for key in {each.what for each in trace.select(kind=records.QUEUED, component="kube-scheduler")}:
        yield from (("queue", *way) for way in pairwise(queue_states(trace, key)) if all(way))


def unknown(taken: Iterator[Way]) -> Counter[Way]:
    """The steps that are neither a row of a table nor two: what lasts no time is not reported."""
    known = {(name, *way[:2]) for name, machine in MACHINES.items() for way in machine.ways}
    known |= {
        (one, start, end) for one, start, over in known for other, again, end in known if (one, over) == (other, again)
    }
    return Counter(way for way in taken if way not in known)


@settings(max_examples=40)
@given(deeds=DEEDS, seed=st.integers(0, 3))
def test_every_step_of_a_random_life_is_in_a_table(deeds, seed):
    with Cluster(nodes=2, seed=seed) as cluster:
        live(cluster, deeds)
        assert not unknown(ways_taken(cluster))


def pods_of_all_sorts(cluster: Cluster) -> None:
    make(cluster, pod("crash", "sh", "-c", "sleep 3; exit 1"))
    make(cluster, pod("flash", "sh", "-c", "exit 1"))
    make(cluster, pod("once", "sh", "-c", "sleep 3", restartPolicy="Never"))
    make(cluster, pod("at-once", "sh", "-c", "exit 0", restartPolicy="Never"))
    make(cluster, pod("fails", "sh", "-c", "sleep 3; exit 2", restartPolicy="Never"))
    make(cluster, pod("failed", "sh", "-c", "exit 2", restartPolicy="Never"))
    make(cluster, pod("no-such", "/nope"))
    make(cluster, pod("never", container={"imagePullPolicy": "Never"}, image="nowhere.example/x:1"))
    make(cluster, pod("config", container={"envFrom": [{"configMapRef": {"name": "nope"}}]}))
    first = {"name": "first", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 2"]}
    make(cluster, pod("init", image="nginx", initContainers=[first]))
    make(cluster, pod("big", container={"resources": {"requests": {"cpu": "64"}}}))
    cluster.run_for("60s")
    make(cluster, pod("again", "sleep", "1000", initContainers=[first]))
    cluster.run_for("6m")


def registries_that_fail(cluster: Cluster) -> None:
    make(cluster, pod("always", "sh", "-c", "sleep 20", container={"imagePullPolicy": "Always"}))
    cluster.run_for("15s")
    cluster.registry.fail("docker.io", "i/o timeout")
    make(cluster, pod("late", image="docker.io/library/nginx:1.27"))
    make(cluster, pod("late-and-short", "sh", "-c", "exit 0", image="docker.io/library/redis:7"))
    cluster.run_for("2m")
    cluster.fault("restart", component="kubelet-node-1").start()
    cluster.run_for("1m")
    cluster.registry.heal("docker.io")
    cluster.run_for("6m")


def machines_that_fail(cluster: Cluster) -> None:
    create(cluster, "web", 4)
    cluster.run_for("20s")
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for("30s")
    cluster.run_for("30s")


def nodes_that_are_lost(cluster: Cluster) -> None:
    cluster.client.create(Node, {"metadata": {"name": "by-hand"}})
    cluster.run_for("70s")
    cluster.client.delete(Node, "by-hand")
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for("90s")
        with cluster.fault("node-lost", node="node-2"):
            cluster.run_for("90s")
        cluster.run_for("90s")
    cluster.run_for("30s")


def pause(cluster: Cluster, paused: bool) -> None:
    cluster.client.patch(Deployment, "web", "default", {"spec": {"paused": paused}})
    cluster.run_for("1s")


def rollouts(cluster: Cluster) -> None:
    create(cluster, "web", 3)
    cluster.run_for("20s")
    for paused in (True, False):
        pause(cluster, paused)
    update(cluster, "web", "nginx:1.27")
    cluster.run_for("3s")
    update(cluster, "web", "nginx:1.26")
    cluster.run_for("3s")
    for paused in (True, False):
        pause(cluster, paused)
    cluster.run_for("30s")
    pause(cluster, True)
    update(cluster, "web", "nginx:1.25")
    pause(cluster, False)
    cluster.run_for("30s")
    update(cluster, "web", "nowhere.example/x:1")
    cluster.run_for("11m")
    scale(cluster, "web", 5)
    cluster.run_for("11m")
    update(cluster, "web", "nginx:1.27")
    cluster.run_for("60s")


@pytest.mark.parametrize(
    "life", [pods_of_all_sorts, registries_that_fail, machines_that_fail, nodes_that_are_lost, rollouts, a_day]
)
def test_every_step_of_a_life_with_a_purpose_is_in_a_table(life):
    with Cluster(nodes=2, seed=1) as cluster:
        life(cluster)
        assert not unknown(ways_taken(cluster))


def test_a_kubelets_worker_goes_the_ways_of_its_table(monkeypatch):
    from k8slab.kubelet import pod_workers

    seen: set[tuple[str, str]] = set()

    class Watched(pod_workers.Worker):
        def __setattr__(self, name, value):
            if name == "phase" and getattr(self, "phase", value) != value:
                seen.add((self.phase, value))
            super().__setattr__(name, value)

    monkeypatch.setattr(pod_workers, "Worker", Watched)
    with Cluster(nodes=3, seed=5) as cluster:
        a_day(cluster)
    assert seen == {way[:2] for way in MACHINES["worker"].ways}


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_has_a_meaning_and_every_way_a_reason(name):
    machine = MACHINES[name]
    assert all(machine.states.values())
    assert all(source in machine.states and target in machine.states and when for source, target, when in machine.ways)
