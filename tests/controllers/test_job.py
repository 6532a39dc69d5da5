from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.batch import Job
from k8slab.api.core import Pod
from k8slab.client.slow_watch import SlowWatch
from k8slab.clock import to_rfc3339
from k8slab.controllers.job import JobController
from k8slab.controllers.job.indexes import INDEX, index_of
from k8slab.controllers.job.state import FINALIZER
from tests.controllers.harness import Workloads


class Jobs(Workloads):
    """A world with Jobs."""

    def __init__(self, wrap=None):
        super().__init__(wrap=wrap, also=[JobController])

    def create(self, policy="Never", name="work", **spec):
        content = {"restartPolicy": policy, "containers": [{"name": "main", "image": "busybox"}]}
        body = {"metadata": {"name": name}, "spec": {"template": {"spec": content}, **spec}}
        return self.client.create(Job, body, "default")

    def end(self, phase, *pods, code=0):
        """What a kubelet says of Pods that have ended."""
        now = to_rfc3339(self.clock.now())
        state = {"terminated": {"exitCode": code, "finishedAt": now}}
        for pod in pods:
            statuses = [
                {"name": "main", "image": "busybox", "imageID": "", "restartCount": 0, "ready": False, "state": state}
            ]
            self.client.patch_status(Pod, pod.name, "default", {"phase": phase, "containerStatuses": statuses})

    def active(self):
        return [pod for pod in self.pods() if pod.active]

    def finish(self, phase="Succeeded", code=0):
        """All that are at work end, and what comes of it happens."""
        self.end(phase, *self.active(), code=code)
        self.settle()

    def job(self, name="work"):
        return self.client.get(Job, name, "default")

    def said(self):
        return [(each.type, each.reason) for each in self.job().status.conditions if each.status == "True"]

    def counts(self):
        status = self.job().status
        return status.active, status.succeeded, status.failed

    def update(self, **spec):
        self.change(spec, "work", Job)


@pytest.fixture
def world():
    return Jobs()


def test_runs_one_pod_to_its_end(world):
    world.create()
    world.settle()
    assert world.counts() == (1, 0, 0)
    [pod] = world.pods()
    assert pod.metadata.finalizers == (FINALIZER,)
    assert pod.metadata.labels["batch.kubernetes.io/job-name"] == "work"
    world.finish()
    assert world.counts() == (0, 1, 0)
    assert world.said() == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert world.pods()[0].metadata.finalizers == ()
    assert world.events("Completed") == ["Job completed"]
    assert world.job().status.completion_time


def test_no_more_at_a_time_than_it_is_told_and_no_more_than_are_missing(world):
    world.create(completions=5, parallelism=2)
    world.settle()
    seen = []
    while world.active():
        seen.append(len(world.active()))
        world.finish()
    assert seen == [2, 2, 1]
    assert world.counts() == (0, 5, 0)


def test_without_completions_one_success_is_enough(world):
    world.create(parallelism=3)
    world.settle()
    world.end("Succeeded", world.active()[0])
    world.settle()
    assert len(world.active()) == 2
    assert world.said() == []
    world.finish()
    assert world.said()[-1] == ("Complete", "CompletionsReached")


def test_a_pod_that_fails_is_replaced_later_and_later(world):
    world.create(backoffLimit=3)
    world.settle()
    made = []
    for _ in range(4):
        made.append(world.clock.now())
        world.finish("Failed")
    # Each ran for a second.
    assert [round(after - before) for before, after in pairwise(made)] == [11, 21, 41]
    assert world.said() == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert world.counts() == (0, 0, 4)
    assert world.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_a_success_ends_the_back_off(world):
    world.create(completions=3)
    world.settle()
    world.finish("Failed")
    world.finish()
    begun = world.clock.now()
    assert len(world.active()) == 1
    world.finish("Failed")
    assert round(world.clock.now() - begun) == 11


def test_where_containers_are_restarted_restarts_are_failures(world):
    world.create("OnFailure", backoffLimit=2)
    world.settle()
    status = {"name": "main", "image": "busybox", "imageID": "", "ready": False, "restartCount": 2}
    patch = {"phase": "Running", "containerStatuses": [status]}
    world.client.patch_status(Pod, world.pods()[0].name, "default", patch)
    world.settle()
    assert ("Failed", "BackoffLimitExceeded") in world.said()
    assert world.active() == []


def test_a_job_that_takes_too_long_fails(world):
    world.create(activeDeadlineSeconds=60)
    world.settle()
    world.pass_time(59)
    world.pass_time(2)
    assert ("Failed", "DeadlineExceeded") in world.said()
    assert world.active() == []
    assert world.events("DeadlineExceeded") == ["Job was active longer than specified deadline"]


def test_a_suspended_job_runs_nothing_and_begins_anew_when_it_is_resumed(world):
    world.create(parallelism=2, completions=2)
    world.settle()
    world.update(suspend=True)
    world.settle()
    assert (world.active(), world.said(), world.counts()) == ([], [("Suspended", "JobSuspended")], (0, 0, 0))
    world.clock.advance_to(world.clock.now() + 100)
    world.update(suspend=False)
    world.settle()
    assert len(world.active()) == 2
    assert world.job().status.start_time == world.active()[0].metadata.creation_timestamp
    assert world.events("Suspended") == ["Job suspended"]
    assert world.events("Resumed") == ["Job resumed"]


def test_what_was_said_keeps_the_time_at_which_it_was_looked_at(world):
    world.create(suspend=True)
    world.settle()
    world.update(suspend=False)
    world.settle()
    world.update(parallelism=2)
    world.settle()
    [said] = world.job().status.conditions
    assert said.last_probe_time == said.last_transition_time


def test_less_parallelism_takes_pods_away_and_nobody_has_failed(world):
    world.create(parallelism=3, completions=5)
    world.settle()
    world.update(parallelism=1)
    world.settle()
    assert world.counts() == (1, 0, 0)


def test_each_index_is_done_once(world):
    world.create(completions=3, parallelism=3, completionMode="Indexed")
    world.settle()
    pods = {index_of(pod): pod for pod in world.pods()}
    assert sorted(pods) == [0, 1, 2]
    assert pods[1].name.startswith("work-1-")
    assert pods[1].metadata.labels[INDEX] == "1"
    raw = world.client.raw("GET", Pod.resource.path("default", pods[1].name))
    assert raw["spec"]["hostname"] == "work-1"
    assert raw["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
    world.end("Succeeded", pods[0], pods[2])
    world.settle()
    assert (world.job().status.completed_indexes, world.counts()) == ("0,2", (1, 2, 0))
    world.end("Failed", pods[1])
    world.settle()
    assert [index_of(pod) for pod in world.active()] == [1]
    world.finish()
    assert world.job().status.completed_indexes == "0-2"
    assert world.said()[-1] == ("Complete", "CompletionsReached")


def test_an_index_may_fail_alone(world):
    world.create(completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0)
    world.settle()
    pods = {index_of(pod): pod for pod in world.pods()}
    world.end("Failed", pods[1])
    world.settle()
    assert world.job().status.failed_indexes == "1"
    world.finish()
    assert (world.job().status.completed_indexes, world.counts()) == ("0,2", (0, 2, 1))
    assert world.said() == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]


def test_the_failure_policy_can_end_it_at_once_or_look_away(world):
    rules = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}},
    ]
    world.create(backoffLimit=0, podFailurePolicy={"rules": rules})
    world.settle()
    world.finish("Failed", code=7)
    assert (world.counts(), world.said()) == ((1, 0, 0), [])
    [pod] = world.active()
    world.finish("Failed", code=42)
    message = f"Container main for pod default/{pod.name} failed with exit code 42 matching FailJob rule at index 0"
    assert world.events("PodFailurePolicy") == [message]
    assert world.said() == [("FailureTarget", "PodFailurePolicy"), ("Failed", "PodFailurePolicy")]


def test_the_success_policy_can_end_it_early(world):
    policy = {"rules": [{"succeededIndexes": "0"}]}
    world.create(completions=3, parallelism=3, completionMode="Indexed", successPolicy=policy)
    world.settle()
    world.end("Succeeded", next(pod for pod in world.pods() if index_of(pod) == 0))
    world.settle()
    assert world.said() == [("SuccessCriteriaMet", "SuccessPolicy"), ("Complete", "SuccessPolicy")]
    assert (world.active(), world.counts()) == ([], (0, 1, 0))


def test_a_pod_that_is_deleted_counts_as_failed(world):
    world.create()
    world.settle()
    world.client.delete(Pod, world.pods()[0].name, "default")
    world.settle()
    assert world.counts() == (1, 0, 1)
    assert len(world.pods()) == 1


def test_a_job_that_is_deleted_lets_its_pods_go(world):
    world.create(parallelism=2)
    world.settle()
    world.client.delete(Job, "work", "default", propagation="Background")
    world.settle()
    assert world.pods() == []


def test_pods_that_outlive_their_job_are_held_by_nobody(world):
    world.create()
    world.settle()
    world.client.delete(Job, "work", "default", propagation="Orphan")
    world.settle()
    [pod] = world.pods()
    assert pod.metadata.finalizers == ()


def test_a_job_of_somebody_else_is_left_alone(world):
    world.create(managedBy="example.com/mine")
    world.settle()
    assert world.pods() == []


def slow(seed):
    return lambda world, transport, name: SlowWatch(
        transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1
    )


@settings(max_examples=25)
@given(
    st.integers(0, 100),
    st.integers(1, 5),
    st.integers(1, 3),
    st.lists(st.booleans(), max_size=4),
    st.integers(0, 30),
    st.sampled_from(["Indexed", "NonIndexed"]),
)
def test_each_end_is_counted_once_whatever_the_watches_do_and_whenever_it_crashes(
    seed, completions, parallelism, ends, crash, mode
):
    world = Jobs(wrap=slow(seed))
    world.create(completions=completions, parallelism=parallelism, backoffLimit=99, completionMode=mode)
    ended = {"Succeeded": 0, "Failed": 0}
    for turn in range(400):
        for component in world.components:
            component.step()
        if turn == crash:
            world.components[-1].close()
            world.components[-1] = JobController(world.connect(), world.clock, world.chance)
        if turn % 5 == 4:
            for pod in world.active()[:1]:
                phase = "Succeeded" if not ends or ends.pop() else "Failed"
                ended[phase] += 1
                world.end(phase, pod)
        world.clock.advance_to(world.clock.now() + 1)
    status = world.job().status
    assert (status.succeeded, status.failed) == (completions, ended["Failed"])
    assert ended["Succeeded"] == completions
    assert world.said()[-1] == ("Complete", "CompletionsReached")
    assert all(pod.metadata.finalizers == () for pod in world.pods())
