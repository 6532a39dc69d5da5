"""The CronJob controller: Jobs on a schedule.

The Job of a moment has a name of its own, `<cron>-<minutes since 1970>`: so two looks at the same moment make one Job, even
with a crash in between. The Pods are the Job controller's affair.

Models: pkg/controller/cronjob/cronjob_controllerv2.go.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from k8slab.api.batch import CronJob, Job
from k8slab.apimachinery.cron import Schedule, parse_cron
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import reference_to
from k8slab.clock import Clock, from_rfc3339, to_rfc3339
from k8slab.controllers.cron_times import TOO_MANY, due, zone_of
from k8slab.controllers.ownership import OWNER, by_owner
from k8slab.names import Chance

LEFT_OUT = ()

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
DELTA = 0.1
"""Seconds after its time at which a Job is made, so that its time has surely come."""
FORBIDDEN = "Not starting job because prior execution is running and concurrency policy is Forbid"


class CronJobController(Controller):
    """Starts Jobs when it is time."""

    name = "cronjob-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.crons = self.informer(CronJob, on_change=self._cron_changed)
        self.jobs = self.informer(Job, indexers=by_owner(), accept=_is_ours, on_change=self._job_changed)

    def reconcile(self, key: str) -> float | None:
        """Take note of Jobs that have ended, start the one that is due, and forget old ones."""
        cron = self.crons.get(key)
        if cron is None:
            return None
        look = _Look(cron)
        jobs = self.jobs.by_index(OWNER, cron.uid)
        try:
            self._take_note(look, jobs)
            if not cron.metadata.deleting:
                self._forget(look, jobs, "Complete", cron.spec.successful_jobs_history_limit)
                self._forget(look, jobs, "Failed", cron.spec.failed_jobs_history_limit)
                self._start(look)
        finally:
            if look.status != look.before:
                self.client.patch_status(
                    CronJob, cron.name, cron.namespace, {**look.status, "active": look.active or None},
                    uid=cron.uid, resourceVersion=cron.metadata.resource_version,
                )  # fmt: skip
        return None

    def _take_note(self, look: _Look, jobs: list[Job]) -> None:
        """Which of its Jobs are at work, have ended, or have gone."""
        for job in jobs:
            if job.finished is None:
                if not look.knows(job.uid):
                    message = f"Saw a job that the controller did not create or forgot: {job.name}"
                    self.recorder.event(look.cron, "Warning", "UnexpectedJob", message)
                continue
            if look.knows(job.uid):
                look.drop(job.uid)
                message = f"Saw completed job: {job.name}, condition: {job.finished.type}"
                self.recorder.event(look.cron, "Normal", "SawCompletedJob", message)
            look.succeeded(job.status.completion_time)
        present = {job.uid for job in jobs}
        for reference in look.active:
            if reference["uid"] in present:
                continue
            try:  # asked past the cache, which may be behind
                self.client.get(Job, reference["name"], look.cron.namespace)
            except NotFound:
                look.drop(reference["uid"])
                message = f"Active job went missing: {reference['name']}"
                self.recorder.event(look.cron, "Normal", "MissingJob", message)

    def _forget(self, look: _Look, jobs: list[Job], outcome: str, limit: int) -> None:
        """Delete the oldest that came to this, beyond the limit."""
        ended = [job for job in jobs if job.finished is not None and job.finished.type == outcome]
        ended.sort(key=lambda job: (job.status.start_time is None, job.status.start_time or "", job.name))
        for job in ended[: max(0, len(ended) - limit)]:
            self._delete(look, job.name, job.uid)

    def _delete(self, look: _Look, name: str, uid: str) -> None:
        try:
            self.client.delete(Job, name, look.cron.namespace, uid=uid, propagation="Background")
        except NotFound:
            look.drop(uid)
            return
        except ApiError as error:
            self.recorder.event(look.cron, "Warning", "FailedDelete", f"Deleted job: {error.message}")
            raise
        look.drop(uid)
        self.recorder.event(look.cron, "Normal", "SuccessfulDelete", f"Deleted job {name}")

    # Starting.

    def _start(self, look: _Look) -> None:
        cron, now = look.cron, self.clock.now()
        try:
            zone = zone_of(cron)
        except (KeyError, ValueError):
            message = f'invalid timeZone: "{cron.spec.time_zone}": unknown time zone {cron.spec.time_zone}'
            self.recorder.event(cron, "Warning", "UnknownTimeZone", message)
            return
        if cron.spec.suspend:
            return
        try:
            schedule = parse_cron(cron.spec.schedule)
        except ValueError as fault:
            message = f'unparseable schedule: "{cron.spec.schedule}" : {fault}'
            self.recorder.event(cron, "Warning", "UnparseableSchedule", message)
            return
        self._look_again(cron, schedule, zone, now)
        when, missed = due(cron, schedule, zone, now)
        if missed > TOO_MANY:
            message = (
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            )  # fmt: skip
            self.recorder.event(cron, "Warning", "TooManyMissedTimes", message)
        if when is None or not self._may_start(look, when, now):
            return
        if cron.spec.concurrency_policy == "Replace":
            for reference in look.active:
                self._delete(look, reference["name"], reference["uid"])
        self._create(look, when, zone)

    def _look_again(self, cron: CronJob, schedule: Schedule, zone: tzinfo, now: float) -> None:
        following = schedule.next(now, zone)
        if following is not None:
            # In the background: a cluster that only waits for a schedule is idle.
            self.queue.add_after(cron.key, following - now + DELTA, background=True)

    def _may_start(self, look: _Look, when: float, now: float) -> bool:
        cron, deadline = look.cron, look.cron.spec.starting_deadline_seconds
        if deadline is not None and when + deadline < now:
            moment = datetime.fromisoformat(to_rfc3339(when)).strftime("%a, %d %b %Y %H:%M:%S +0000")
            message = f"Missed scheduled time to start a job: {moment}"
            self.recorder.event(cron, "Warning", "MissSchedule", message)
            return False
        if any(each["name"] == job_name(cron, when) for each in look.active) or look.last == to_rfc3339(when):
            return False
        if cron.spec.concurrency_policy == "Forbid" and look.active:
            self.recorder.event(cron, "Normal", "JobAlreadyActive", FORBIDDEN)
            return False
        return True

    def _create(self, look: _Look, when: float, zone: tzinfo) -> None:
        cron = look.cron
        body = job_body(cron, when, zone)
        try:
            job = Job.of(self.client.create(Job, body, cron.namespace))
            self.recorder.event(cron, "Normal", "SuccessfulCreate", f"Created job {job.name}")
        except AlreadyExists:
            # Made before a crash, or before the cache knew: then it is only to be noted.
            job = self.client.get(Job, body["metadata"]["name"], cron.namespace)
            manager = job.metadata.controller
            if manager is None or manager.uid != cron.uid or look.knows(job.uid):
                return
        except ApiError as error:
            self.recorder.event(cron, "Warning", "FailedCreate", f"Error creating job: {error.message}")
            raise
        look.started(job, when)

    # What happened.

    def _cron_changed(self, old: CronJob | None, new: CronJob | None) -> None:
        cron = new or old
        assert cron is not None
        self.queue.add(cron.key)

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        assert job is not None
        owner = job.metadata.controller
        if owner is not None:
            self.queue.add(f"{job.namespace}/{owner.name}")


class _Look:
    """One look at a CronJob, and the status that comes of it."""

    def __init__(self, cron: CronJob) -> None:
        self.cron = cron
        self.before = _as_json(cron)
        self.status = _as_json(cron)

    @property
    def active(self) -> list[dict[str, str]]:
        """References to the Jobs that are at work."""
        return list(self.status["active"])

    @property
    def last(self) -> str | None:
        """The moment of the last Job that was started."""
        moment: str | None = self.status["lastScheduleTime"]
        return moment

    def knows(self, uid: str) -> bool:
        """Whether a Job is among the active ones."""
        return any(each["uid"] == uid for each in self.active)

    def drop(self, uid: str) -> None:
        """It is active no more."""
        self.status["active"] = [each for each in self.active if each["uid"] != uid]

    def started(self, job: Job, when: float) -> None:
        """It is active now."""
        self.status["active"] = [*self.active, job.reference()]
        self.status["lastScheduleTime"] = to_rfc3339(when)

    def succeeded(self, when: str | None) -> None:
        """A Job was completed then."""
        known = self.status["lastSuccessfulTime"]
        if when is not None and (known is None or from_rfc3339(when) > from_rfc3339(known)):
            self.status["lastSuccessfulTime"] = when


def job_name(cron: CronJob, when: float) -> str:
    """The name of the Job of a moment."""
    return f"{cron.name}-{int(when) // 60}"


def job_body(cron: CronJob, when: float, zone: tzinfo) -> JsonObject:
    """The Job of a moment."""
    template: dict[str, Any] = copy_of(dict(cron.spec.job_template))
    meta = template.get("metadata") or {}
    moment = datetime.fromtimestamp(when, zone).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(cron, when),
            "labels": meta.get("labels") or {},
            "annotations": {**(meta.get("annotations") or {}), SCHEDULED_AT: moment},
            "ownerReferences": [reference_to(cron)],
        },
        "spec": template.get("spec") or {},
    }


def _as_json(cron: CronJob) -> dict[str, Any]:
    status = cron.status
    return {
        "active": [dict(each) for each in status.active],
        "lastScheduleTime": status.last_schedule_time,
        "lastSuccessfulTime": status.last_successful_time,
    }


def _is_ours(job: Job) -> bool:
    owner = job.metadata.controller
    return owner is not None and owner.kind == "CronJob"
