"""A Pod in the words of the API."""

import pytest

from k8slab.kubelet.pod_state import PodState
from k8slab.kubelet.pod_status import NodeFacts, pod_status
from tests.kubelet.builders import container, pod, state

NODE = NodeFacts("simulated", "192.168.49.2")
RUNNING, EXITED, FAILED = ("running", 0), ("exited", 0), ("exited", 1)


def status(pod, state, waiting=None):
    return pod_status(pod, state, waiting or {}, NODE, 120.0, 100.0)


def conditions(status):
    return {each["type"]: each["status"] for each in status["conditions"]}


@pytest.mark.parametrize(
    ("policy", "containers", "phase"),
    [
        ("Always", [], "Pending"),
        ("Always", [RUNNING], "Running"),
        ("Always", [EXITED], "Running"),
        ("Never", [EXITED], "Succeeded"),
        ("Never", [FAILED], "Failed"),
        ("Never", [RUNNING, FAILED], "Running"),
        ("OnFailure", [EXITED, EXITED], "Succeeded"),
        ("OnFailure", [EXITED, FAILED], "Running"),
    ],
)
def test_the_phase_follows_from_containers_and_restart_policy(policy, containers, phase):
    names = [f"c{number}" for number in range(max(len(containers), 1))]
    there = [container(name, how, code=code) for name, (how, code) in zip(names, containers, strict=False)]
    assert status(pod(*names, restartPolicy=policy), state(*there))["phase"] == phase


def test_a_failed_init_container_fails_a_pod_that_never_restarts():
    there = state(container("one", "exited", code=3))
    assert status(pod(init=("one",), restartPolicy="Never"), there)["phase"] == "Failed"


def test_a_running_pod_is_ready_and_has_an_address():
    found = status(pod(), state(container("main", "running")))
    assert set(conditions(found).values()) == {"True"}
    assert (found["podIP"], found["hostIP"]) == ("10.0.0.1", "192.168.49.2")
    [main] = found["containerStatuses"]
    assert main["containerID"] == "simulated://main-0"
    assert main["state"] == {"running": {"startedAt": "1970-01-01T00:01:40Z"}}


def test_a_pod_whose_containers_are_being_made_says_so():
    found = status(pod(), PodState("u1"))
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert conditions(found)["Ready"] == "False"
    ready = next(each for each in found["conditions"] if each["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [main]"


def test_containers_wait_for_the_init_containers():
    found = status(pod(init=("one",)), state(container("one", "running")))
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert conditions(found)["Initialized"] == "False"


def test_a_container_that_crashed_waits_and_remembers_how_it_ended():
    waiting = {"main": ("CrashLoopBackOff", "back-off 10s")}
    [main] = status(pod(), state(container("main", "exited", 2, code=1)), waiting)["containerStatuses"]
    assert main["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    assert main["lastState"]["terminated"]["exitCode"] == 1
    assert (main["restartCount"], main["ready"]) == (2, False)


def test_a_completed_pod_is_not_ready_because_it_has_completed():
    found = status(pod(restartPolicy="Never"), state(container("main", "exited")))
    ready = next(each for each in found["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")


def test_the_time_of_a_condition_moves_only_with_its_status():
    before = pod()
    first = status(before, state(container("main", "running")))
    later = before.model_copy(update={"status": type(before.status).model_validate(first)})
    again = pod_status(later, state(container("main", "running")), {}, NODE, 500.0, 100.0)
    assert again == first
