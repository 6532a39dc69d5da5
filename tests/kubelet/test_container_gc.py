from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.cri.api import Container, ContainerState
from k8slab.kubelet.container_gc import container_gc_candidates
from k8slab.kubelet.pod_state import PodState


def pod(uid, **containers):
    """A Pod whose containers were created at these moments; a negative one runs."""
    state = PodState(uid)
    for name, moments in containers.items():
        found = [
            Container(
                f"{uid}-{name}-{abs(moment)}", uid, name, 0, "nginx", "nginx",
                ContainerState.RUNNING if moment < 0 else ContainerState.EXITED, float(abs(moment)),
            )
            for moment in moments
        ]  # fmt: skip
        state.containers[name] = sorted(found, key=lambda each: -each.created_at)
    return state


def going(*states, **policy):
    return [each.id for each in container_gc_candidates(states, 100.0, **policy)]


def test_the_newest_dead_one_of_each_container_stays():
    assert going(pod("a", main=[1, 2, 3, -4], side=[5, 6]), pod("b", main=[7])) == ["a-main-1", "a-main-2", "a-side-5"]


def test_what_runs_stays_however_old():
    assert going(pod("a", main=[-1, -2])) == []


def test_what_is_young_stays():
    assert going(pod("a", main=[1, 95, 96, 97]), min_age=10) == []
    assert going(pod("a", main=[1, 2, 97]), min_age=10) == ["a-main-1"]


@pytest.mark.parametrize(
    ("most", "gone"),
    [
        (-1, []),
        (6, []),
        (4, ["a-main-1", "b-main-4"]),
        (2, ["a-main-1", "a-main-2", "b-main-4", "b-main-5"]),
        (1, ["a-main-1", "a-main-2", "b-main-4", "b-main-5", "a-main-3"]),
        (0, ["a-main-1", "a-main-2", "b-main-4", "b-main-5", "a-main-3", "b-main-6"]),
    ],
)
def test_a_node_may_have_a_limit(most, gone):
    assert going(pod("a", main=[1, 2, 3]), pod("b", main=[4, 5, 6]), per_container=-1, most=most) == gone


def test_after_a_minute_the_log_of_the_last_crash_is_all_that_is_left():
    with Cluster(nodes=1, seed=2) as cluster:
        cluster.kubectl("run crash --image=busybox -- sh -c 'echo hello; exit 1'")
        cluster.run_for("2m")
        runtime = cluster.engine.runtimes["node-1"]
        assert len(runtime.list_containers()) <= 2
        cluster.run_for("10m")
        assert len(runtime.list_containers()) == 1
        assert cluster.kubectl("logs crash --previous").stdout == "hello\n"
