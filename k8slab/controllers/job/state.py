"""How far a Job is, and what that means, as pure functions.

A Pod that ended is counted once, even though it may be deleted, and the controller crash, at any moment. A finalizer keeps it
until it is counted: its UID goes into `status.uncountedTerminatedPods`, then the finalizer goes, then the UID becomes part of
the number. `Count` adds up all three.

Models: pkg/controller/job/job_controller.go (syncJob, trackJobStatusAndRemoveFinalizers), backoff_utils.go.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from k8slab.api.batch import Job
from k8slab.api.core import Pod
from k8slab.clock import NEVER, from_rfc3339
from k8slab.controllers.job.indexes import index_of, parse_indexes
from k8slab.controllers.job.policy import match_failure, match_success

FINALIZER = "batch.kubernetes.io/job-tracking"
FIRST_DELAY, LONGEST_DELAY = 10.0, 600.0
"""Seconds until a failed Pod is replaced: doubled with each failure since the last success."""


@dataclass(frozen=True)
class Outcome:
    """A condition that the Job comes to: FailureTarget or SuccessCriteriaMet, and with it Failed or Complete."""

    target: str
    reason: str
    message: str

    @property
    def final(self) -> str:
        """The condition when all Pods have gone."""
        return "Failed" if self.target == "FailureTarget" else "Complete"


@dataclass(frozen=True)
class Count:
    """A Job and its Pods, added up."""

    job: Job
    pods: Sequence[Pod]
    released: Collection[str]
    """UIDs of Pods that have lost their finalizer already, whatever the cache says."""

    def tracked(self, pod: Pod) -> bool:
        """Whether a Pod still has its finalizer."""
        return FINALIZER in pod.metadata.finalizers and pod.uid not in self.released

    def failed(self, pod: Pod) -> bool:
        """Whether a Pod counts as failed; one that is going does, unless only those are replaced that did fail."""
        if pod.status.phase == "Failed":
            return True
        waits = self.job.spec.pod_replacement_policy == "Failed"
        return not waits and pod.metadata.deleting and pod.status.phase != "Succeeded"

    def valid(self, pod: Pod) -> bool:
        """Whether a Pod of an Indexed Job has an index of the Job's; else true."""
        if not self.indexed:
            return True
        index = index_of(pod)
        return index is not None and index < (self.job.spec.completions or 0)

    @property
    def indexed(self) -> bool:
        """Whether each index is to succeed once."""
        return self.job.spec.completion_mode == "Indexed"

    @property
    def active(self) -> list[Pod]:
        """Those that have neither ended nor are going."""
        return [pod for pod in self.pods if pod.active]

    @property
    def terminating(self) -> int:
        """How many are going, and have not ended yet."""
        return sum(pod.metadata.deleting and not pod.finished for pod in self.pods)

    def succeeded_indexes(self) -> frozenset[int]:
        """Those that are done."""
        known = parse_indexes(self.job.status.completed_indexes, self.job.spec.completions or 0)
        new = [pod for pod in self.pods if pod.status.phase == "Succeeded" and self.tracked(pod) and self.valid(pod)]
        return known | {index for pod in new if (index := index_of(pod)) is not None}

    def failed_indexes(self) -> frozenset[int] | None:
        """Those that have failed too often; None if failures are not counted by index."""
        limit = self.job.spec.backoff_limit_per_index
        if limit is None or not self.indexed:
            return None
        known = parse_indexes(self.job.status.failed_indexes, self.job.spec.completions or 0)
        return (
            known | {each for each, number in self._failures().items() if number > limit}
        ) - self.succeeded_indexes()

    def _failures(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for pod in self.pods:
            index = index_of(pod)
            if index is None or not self.valid(pod) or not self.failed(pod):
                continue
            action = match_failure(self.job.spec.pod_failure_policy, pod).action
            found[index] = found.get(index, 0) + {"Ignore": 0, "FailIndex": NEVER}.get(action, 1)
        return found

    def succeeded_pods(self) -> int:
        """How many have succeeded: counted, on the way to be counted, and new."""
        if self.indexed:
            return len(self.succeeded_indexes())
        uncounted = self._uncounted("succeeded")
        new = [pod for pod in self.pods if pod.status.phase == "Succeeded" and self.tracked(pod)]
        return self.job.status.succeeded + len(uncounted) + sum(pod.uid not in uncounted for pod in new)

    def failed_pods(self) -> int:
        """How many have failed, in the same way; without those that the failure policy ignores."""
        uncounted = self._uncounted("failed")
        new = [
            pod for pod in self.pods
            if self.failed(pod) and self.tracked(pod) and self.valid(pod) and pod.uid not in uncounted
            and match_failure(self.job.spec.pod_failure_policy, pod).action != "Ignore"
        ]  # fmt: skip
        return self.job.status.failed + len(uncounted) + len(new)

    def _uncounted(self, which: str) -> Collection[str]:
        found = self.job.status.uncounted_terminated_pods
        uids: Collection[str] = getattr(found, which) if found is not None else ()
        return uids


def outcome_of(count: Count, now: float) -> Outcome | None:
    """What the Job has come to, before its Pods are looked after; None if it goes on."""
    job = count.job
    for kind in ("SuccessCriteriaMet", "FailureTarget"):
        if (said := job.condition(kind)) is not None:
            return Outcome(kind, said.reason, said.message)
    return _failure(count, now) or _early_success(count)


def _failure(count: Count, now: float) -> Outcome | None:
    spec = count.job.spec
    for pod in count.pods:
        if count.failed(pod) and (matched := match_failure(spec.pod_failure_policy, pod)).action == "FailJob":
            return Outcome("FailureTarget", "PodFailurePolicy", matched.message)
    if count.failed_pods() > spec.backoff_limit or _restarts_too_often(count):
        return Outcome("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if seconds_to_deadline(count.job, now) <= 0:
        return Outcome("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
    failed = count.failed_indexes()
    if failed:
        most = spec.max_failed_indexes
        if most is not None and len(failed) > most:
            message = "Job has exceeded the specified maximal number of failed indexes"
            return Outcome("FailureTarget", "MaxFailedIndexesExceeded", message)
        if len(failed) + len(count.succeeded_indexes()) >= (spec.completions or 0):
            return Outcome("FailureTarget", "FailedIndexes", "Job has failed indexes")
    return None


def _early_success(count: Count) -> Outcome | None:
    spec = count.job.spec
    if not count.indexed or spec.success_policy is None:
        return None
    message = match_success(spec.success_policy, spec.completions or 0, count.succeeded_indexes())
    return Outcome("SuccessCriteriaMet", "SuccessPolicy", message) if message else None


def is_complete(count: Count, active: int) -> bool:
    """Whether enough have succeeded, and none is at work any more."""
    wanted = count.job.spec.completions
    return active == 0 and count.succeeded_pods() >= (1 if wanted is None else wanted)


def wanted_active(count: Count) -> int:
    """How many Pods should be at work now."""
    spec, succeeded = count.job.spec, count.succeeded_pods()
    if spec.suspend:
        return 0
    if spec.completions is None:
        # One success is enough: those at work may end, and no more are made.
        return min(len(count.active), spec.parallelism) if succeeded else spec.parallelism
    failed = len(count.failed_indexes() or ())
    return max(0, min(spec.completions - succeeded - failed, spec.parallelism))


def _restarts_too_often(count: Count) -> bool:
    """Where the kubelet restarts containers (OnFailure), their restarts are the failures."""
    if (count.job.spec.template.get("spec") or {}).get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        status.restart_count
        for pod in count.pods if pod.status.phase in ("Running", "Pending")
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
    )  # fmt: skip
    limit = count.job.spec.backoff_limit
    return restarts > 0 if limit == 0 else restarts >= limit


def seconds_to_deadline(job: Job, now: float) -> float:
    """How long the Job may still run; infinity if nobody said."""
    limit, began = job.spec.active_deadline_seconds, job.status.start_time
    if limit is None or began is None or job.spec.suspend:
        return NEVER
    return from_rfc3339(began) + limit - now


def seconds_to_next_pod(count: Count, now: float, index: int | None = None) -> float:
    """How long to wait before a Pod is made, for it followed a failure; 0 or less: no longer. Of one index, or of all.

    Upstream keeps the number of failures in memory. Here it is read off the Pods, which stay until the Job goes.
    """
    pods = [pod for pod in count.pods if index is None or index_of(pod) == index]
    last_success = max((ended_at(pod) for pod in pods if pod.status.phase == "Succeeded"), default=0.0)
    failures = [
        ended_at(pod) for pod in pods
        if count.failed(pod) and match_failure(count.job.spec.pod_failure_policy, pod).action != "Ignore"
    ]  # fmt: skip
    since = [when for when in failures if when > last_success]
    if not since:
        return 0.0
    doublings = min(len(since) - 1, 10)
    return max(since) + min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY) - now


def ended_at(pod: Pod) -> float:
    """When a Pod ended: when its last container did, or when it was no longer ready, or when it was deleted or made."""
    ends = [
        status.state.terminated.finished_at
        for status in pod.status.container_statuses
        if status.state.terminated is not None and status.state.terminated.finished_at
    ]
    if ends and len(ends) == len(pod.status.container_statuses):
        return max(from_rfc3339(each) for each in ends)
    ready = pod.condition("Ready")
    if ready is not None and ready.status == "False" and ready.last_transition_time:
        return from_rfc3339(ready.last_transition_time)
    if pod.metadata.deletion_timestamp:
        return from_rfc3339(pod.metadata.deletion_timestamp) - (pod.metadata.deletion_grace_period_seconds or 0)
    return from_rfc3339(pod.metadata.creation_timestamp)
