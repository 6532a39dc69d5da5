"""The kinds that run to an end: Job, CronJob.

Models: k8s.io/api/batch/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from k8slab.api.core import Condition
from k8slab.apimachinery.meta import no_entries
from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource


class JobSpec(View):
    """What a Job should do."""

    parallelism: int = 1
    completions: int | None = None
    """None: one success is enough."""
    completion_mode: str = "NonIndexed"
    backoff_limit: int = 6
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    suspend: bool = False
    selector: Mapping[str, Any] = no_entries()
    template: JsonObject = no_entries()
    pod_failure_policy: Mapping[str, Any] | None = None
    success_policy: Mapping[str, Any] | None = None
    pod_replacement_policy: str = "TerminatingOrFailed"
    managed_by: str | None = None


class UncountedTerminatedPods(View):
    """UIDs of Pods that have ended, and whose finalizer is about to go: the step between seeing and counting."""

    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class JobCondition(Condition):
    """SuccessCriteriaMet, FailureTarget, Complete, Failed, Suspended."""

    last_probe_time: str | None = None


class JobStatus(View):
    """How far a Job is."""

    active: int = 0
    ready: int | None = None
    terminating: int | None = None
    succeeded: int = 0
    failed: int = 0
    completed_indexes: str = ""
    failed_indexes: str | None = None
    start_time: str | None = None
    completion_time: str | None = None
    uncounted_terminated_pods: UncountedTerminatedPods | None = None
    conditions: tuple[JobCondition, ...] = ()


class Job(KubeObject):
    """Pods that run until so many have succeeded."""

    resource: ClassVar = Resource("batch", "v1", "jobs", "Job")

    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type if it is true, else None."""
        return next((each for each in self.status.conditions if each.type == kind and each.status == "True"), None)

    @property
    def finished(self) -> Condition | None:
        """Complete or Failed; None while it is neither."""
        return self.condition("Complete") or self.condition("Failed")


class CronJobSpec(View):
    """When to start which Job."""

    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = "Allow"
    suspend: bool = False
    job_template: JsonObject = no_entries()
    successful_jobs_history_limit: int = 3
    failed_jobs_history_limit: int = 1


class CronJobStatus(View):
    """What it has started."""

    active: tuple[Mapping[str, str], ...] = ()
    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(KubeObject):
    """A Job on a schedule."""

    resource: ClassVar = Resource("batch", "v1", "cronjobs", "CronJob")

    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()
