"""Every component can be killed at every step of a rollout: whoever starts again learns all it must know, and goes on."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from k8slab.cluster import Cluster
from tests.engine.harness import act, end_state

BUSY = ("deployment-controller", "replicaset-controller", "kube-scheduler", "kubelet-node-1")
"""Those that have to do with the rollout: each is killed by itself. All others are killed together."""
OTHERS = "all others"


def rollout() -> Cluster:
    """A cluster in which a Deployment has just been given its second version."""
    cluster = Cluster(nodes=1, seed=3, runtime="simulated")
    act(cluster, "create", "web", 1)
    cluster.run_until_idle()
    act(cluster, "image", "web", "nginx:latest")
    return cluster


@cache
def left_alone() -> tuple[int, dict[str, Any]]:
    """(How many steps the rollout has, and how it ends) when nobody is killed."""
    with rollout() as cluster:
        before = cluster.engine.steps
        cluster.run_until_idle()
        steps = cluster.engine.steps - before
        cluster.run_for("1m")
        return steps, end_state(cluster)


def killed(victims: str, step: int) -> dict[str, Any]:
    """How it ends if these crash after so many steps, and are started again."""
    with rollout() as cluster:
        engine = cluster.engine
        for _ in range(step):
            cluster.step()
        names = [victims] if victims in BUSY else [name for name in engine.components if name not in BUSY]
        for name in names:
            engine.crash(name)
        for name in names:
            engine.start(name)
        cluster.run_until_idle()
        cluster.run_for("1m")
        return end_state(cluster)


def test_left_alone_the_rollout_comes_to_its_end():
    steps, end = left_alone()
    assert steps > 30
    assert [image for _, image, *_ in end["sets"]] == ["nginx:latest"]
    assert len(end["containers"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("victims", [*BUSY, OTHERS])
def test_whoever_is_killed_at_whatever_step_the_end_is_the_same(victims):
    steps, end = left_alone()
    ends = {step: killed(victims, step) for step in range(steps + 1)}
    assert {step: found for step, found in ends.items() if found != end} == {}
