"""What is to be done about a Pod."""

import pytest

from k8slab.kubelet.actions import compute_actions, should_restart
from k8slab.kubelet.pod_state import PodState
from tests.kubelet.builders import container, pod, state

NOTHING = PodState("u1")


def started(pod, state):
    return [each.name for each in compute_actions(pod, state).start]


def test_a_new_pod_needs_a_sandbox_and_all_its_containers():
    actions = compute_actions(pod("a", "b"), NOTHING)
    assert (actions.create_sandbox, actions.kill_sandbox, actions.attempt) == (True, False, 0)
    assert [each.name for each in actions.start] == ["a", "b"]


def test_a_lost_sandbox_is_made_again_with_the_next_attempt():
    actions = compute_actions(pod(), state(container("main", "exited", code=137), ready=False))
    assert (actions.kill_sandbox, actions.create_sandbox, actions.attempt) == (True, True, 1)


def test_a_pod_that_has_run_to_its_end_gets_no_new_sandbox():
    done = state(container("main", "exited"), ready=False)
    assert compute_actions(pod(restartPolicy="Never"), done).create_sandbox is False


def test_a_pod_that_runs_needs_nothing():
    actions = compute_actions(pod(), state(container("main", "running")))
    assert (actions.start, actions.kill, actions.create_sandbox) == ([], [], False)


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_who_is_started_again(policy, code, again):
    the_pod = pod(restartPolicy=policy)
    assert should_restart(the_pod, code) is again
    assert started(the_pod, state(container("main", "exited", code=code))) == ["main"] * again


def test_only_the_newest_attempt_counts():
    assert started(pod(), state(container("main", "exited", code=1), container("main", "running", 1))) == []


def test_a_container_that_was_made_but_never_started_is_started():
    assert started(pod(), state(container("main", "created"))) == ["main"]


def test_a_changed_image_kills_and_starts():
    old = container("main", "running", annotations={"io.kubernetes.container.hash": "app:0"})
    actions = compute_actions(pod(), state(old))
    assert actions.kill == [(old, "Container main definition changed, will be restarted")]
    assert [each.name for each in actions.start] == ["main"]


@pytest.mark.parametrize(
    ("init", "next_one"),
    [
        ([], ["one"]),
        ([("one", "running", 0)], []),
        ([("one", "exited", 0)], ["two"]),
        ([("one", "exited", 1)], ["one"]),
        ([("one", "exited", 0), ("two", "exited", 0)], ["main"]),
    ],
)
def test_init_containers_run_one_after_the_other(init, next_one):
    there = [container(name, how, code=code) for name, how, code in init]
    assert started(pod(init=("one", "two")), state(*there)) == next_one


def test_a_failed_init_container_is_the_end_of_a_pod_that_never_restarts():
    failed = state(container("one", "exited", code=1))
    assert started(pod(init=("one",), restartPolicy="Never"), failed) == []


def test_a_sidecar_does_not_hold_up_the_others_and_is_started_again():
    the_pod = pod(sidecars=("log",))
    assert started(the_pod, state(container("log", "running"))) == ["main"]
    assert started(the_pod, state(container("log", "exited"), container("main", "running"))) == ["log"]
