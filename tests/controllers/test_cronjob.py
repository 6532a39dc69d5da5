from __future__ import annotations

import pytest

from k8slab.api.batch import CronJob, Job
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import Invalid
from k8slab.clock import EPOCH
from k8slab.controllers.cronjob import CronJobController
from k8slab.controllers.job import JobController
from k8slab.controllers.ttl_after_finished import TTLAfterFinishedController
from tests.controllers.harness import Workloads

MINUTE = 60.0


class Crons(Workloads):
    """A world with CronJobs, whose Pods end when a test says so."""

    def __init__(self):
        super().__init__(also=[JobController, CronJobController, TTLAfterFinishedController])

    def create(self, schedule="*/5 * * * *", job=None, **spec):
        content = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}
        template = {"spec": {"template": {"spec": content}, **(job or {})}}
        body = {"metadata": {"name": "tick"}, "spec": {"schedule": schedule, "jobTemplate": template, **spec}}
        self.client.create(CronJob, body, "default")
        self.settle()

    def update(self, **spec):
        self.change(spec, "tick", CronJob)
        self.settle()

    def cron(self):
        return self.client.get(CronJob, "tick", "default")

    def jobs(self):
        """After how many minutes each Job that there is was due."""
        start = int(EPOCH) // 60
        return sorted(int(job.name.rpartition("-")[2]) - start for job in self.client.list(Job, "default"))

    def finish(self, phase="Succeeded"):
        for pod in self.pods():
            if pod.active:
                self.client.patch_status(Pod, pod.name, "default", {"phase": phase})
        self.settle()

    def sleep(self, seconds):
        """Time passes, and the controller is away."""
        self.clock.advance_to(self.clock.now() + seconds)


@pytest.fixture
def world():
    return Crons()


def test_starts_a_job_when_it_is_time_and_names_it_by_the_minute(world):
    world.create()
    assert world.jobs() == []
    world.pass_time(11 * MINUTE)
    assert world.jobs() == [5, 10]
    job = world.client.list(Job, "default")[0]
    assert job.metadata.controller.name == "tick"
    assert job.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-01T00:05:00Z"
    assert f"Created job {job.name}" in world.events("SuccessfulCreate")


def test_the_status_tells_what_is_at_work_and_when_it_was_last_started_and_done(world):
    world.create()
    world.pass_time(6 * MINUTE)
    status = world.cron().status
    assert [each["name"] for each in status.active] == [world.client.list(Job, "default")[0].name]
    assert (status.last_schedule_time, status.last_successful_time) == ("2026-01-01T00:05:00Z", None)
    world.finish()
    status = world.cron().status
    assert status.active == ()
    assert status.last_successful_time.startswith("2026-01-01T00:06")
    assert any(text.endswith("condition: Complete") for text in world.events("SawCompletedJob"))


def test_keeps_a_few_that_succeeded_and_fewer_that_failed(world):
    world.create(failedJobsHistoryLimit=1, job={"backoffLimit": 0})
    for outcome in ("Succeeded", "Failed", "Failed", "Succeeded", "Succeeded", "Succeeded"):
        world.pass_time(5 * MINUTE)
        world.finish(outcome)
    assert world.jobs() == [15, 20, 25, 30]


def test_a_job_that_is_still_at_work_forbids_the_next_or_is_replaced_or_is_joined(world):
    world.create(concurrencyPolicy="Forbid")
    world.pass_time(11 * MINUTE)
    assert world.jobs() == [5]
    assert world.events("JobAlreadyActive")
    world.update(concurrencyPolicy="Replace")
    world.pass_time(5 * MINUTE)
    assert world.jobs() == [15]
    world.update(concurrencyPolicy="Allow")
    world.pass_time(5 * MINUTE)
    assert world.jobs() == [15, 20]


def test_a_suspended_one_starts_nothing_and_makes_up_for_the_last_when_it_goes_on(world):
    world.create(suspend=True)
    world.pass_time(12 * MINUTE)
    assert world.jobs() == []
    world.update(suspend=False)
    assert world.jobs() == [10]


def test_a_controller_that_slept_makes_up_for_the_last_time_only(world):
    world.create()
    world.sleep(33 * MINUTE)
    world.settle()
    assert world.jobs() == [30]


def test_it_says_so_when_it_missed_very_many(world):
    world.create("* * * * *")
    world.sleep(101 * MINUTE)
    world.settle()
    assert world.jobs() == [101]
    assert world.events("TooManyMissedTimes") == [
        "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
    ]


def test_what_is_too_late_is_not_started(world):
    world.create(startingDeadlineSeconds=60)
    world.sleep(8 * MINUTE)
    world.settle()
    assert world.jobs() == []
    world.sleep(2.5 * MINUTE)
    world.settle()
    assert world.jobs() == [10]


def test_a_time_zone_counts(world):
    world.create("0 9 * * *", timeZone="Asia/Tokyo")
    world.pass_time(24 * 60 * MINUTE + 1)
    assert world.jobs() == [24 * 60]
    job = world.client.list(Job, "default")[0]
    assert job.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-01-02T09:00:00+09:00"


def test_a_time_zone_that_there_is_not_is_refused(world):
    with pytest.raises(Invalid, match="unknown time zone Europe/Nowhere"):
        world.create(timeZone="Europe/Nowhere")


def test_a_crash_between_a_job_and_the_status_makes_no_second_job(world):
    world.create()
    world.pass_time(6 * MINUTE)
    world.client.patch_status(CronJob, "tick", "default", {"active": [], "lastScheduleTime": None})
    world.settle()
    assert world.jobs() == [5]
    assert len(world.cron().status.active) == 1


def test_a_job_that_was_made_by_hand_is_noticed(world):
    world.create()
    cron = world.cron()
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": cron.uid, "controller": True}
    body = {"metadata": {"name": "by-hand", "ownerReferences": [owner]}, "spec": cron.spec.job_template["spec"]}
    world.client.create(Job, body, "default")
    world.settle()
    assert world.events("UnexpectedJob") == ["Saw a job that the controller did not create or forgot: by-hand"]


def test_a_cluster_that_only_waits_for_a_schedule_is_idle(world):
    world.create()
    before = world.clock.now()
    world.settle()
    assert world.clock.now() == before


def test_a_job_that_ended_goes_when_its_time_is_up(world):
    world.create("0 0 1 1 *", job={"ttlSecondsAfterFinished": 100})
    spec = world.cron().spec.job_template["spec"]
    world.client.create(Job, {"metadata": {"name": "once"}, "spec": spec}, "default")
    world.settle()
    world.finish()
    world.pass_time(98)
    assert world.exists(Job, "once")
    world.pass_time(3)
    assert not world.exists(Job, "once")
    assert world.pods() == []


def test_a_job_that_ended_stays_if_its_limit_was_raised(world):
    world.create("0 0 1 1 *", job={"ttlSecondsAfterFinished": 100})
    spec = world.cron().spec.job_template["spec"]
    world.client.create(Job, {"metadata": {"name": "once"}, "spec": spec}, "default")
    world.settle()
    world.finish()
    world.change({"ttlSecondsAfterFinished": 500}, "once", Job)
    world.pass_time(200)
    assert world.exists(Job, "once")
