"""The Job controller: Pods that run to an end, and are counted once each.

Each look adds up what there is (`job_state.py`), makes or deletes Pods, and then counts those that have ended: note their
UIDs in the status, take their finalizers away, add them to the numbers. Each step is safe to repeat, so that a crash between
any two loses nothing and counts nothing twice. A status is written over the version that was read, never over a newer one.

Models: pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from k8slab.api.batch import Job
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.client.expectations import TIMEOUT, Expectations
from k8slab.clock import NEVER, Clock, to_rfc3339
from k8slab.controllers.job_indexes import format_indexes, index_of, pending_indexes, surplus_of
from k8slab.controllers.job_pod import job_pod
from k8slab.controllers.job_policy import match_failure
from k8slab.controllers.job_state import (
    FINALIZER,
    Count,
    Outcome,
    is_complete,
    outcome_of,
    seconds_to_deadline,
    seconds_to_next_pod,
    wanted_active,
)
from k8slab.controllers.ownership import NO_OWNER, OWNER, by_owner, orphan_or_owned_by
from k8slab.controllers.pod_control import BURST, Failure, PodControl
from k8slab.controllers.pod_ranking import rank_for_deletion
from k8slab.names import Chance

BATCH_PERIOD = 1.0
"""Seconds for which changes of Pods are gathered: many may end at once."""
MAX_UNCOUNTED = 500
JOB_NAME = "batch.kubernetes.io/job-name"
OWNER_NAME = "owner-name"
REACHED = Outcome("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
US = "kubernetes.io/job-controller"


class JobController(Controller):
    """Runs Jobs to their end."""

    name = "job-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.expectations = Expectations(clock)
        self.pod_control = PodControl(client, self.recorder, self.expectations)
        # UIDs of Pods that have lost their finalizer, until the cache knows.
        self._released: set[str] = set()
        # The revision of the last status that we wrote, and when, by UID, until the cache knows.
        self._written: dict[str, tuple[int, float]] = {}
        self.jobs = self.informer(Job, on_change=self._job_changed)
        self.pods = self.informer(
            Pod, indexers={**by_owner(), OWNER_NAME: _owner_name},
            accept=orphan_or_owned_by("Job"), on_change=self._pod_changed,
        )  # fmt: skip

    def reconcile(self, key: str) -> float | None:
        """Make or delete Pods, count those that have ended, and say how far the Job is."""
        job = self.jobs.get(key)
        if job is None or job.finished:
            self._let_go(key)
            return None
        if job.spec.managed_by not in (None, US) or self._is_old_news(job):
            return None
        candidates = self.pods.by_index(OWNER, job.uid) + self.pods.by_index(NO_OWNER, job.namespace)
        pods = claim(self.client, job, from_label_selector(job.spec.selector), candidates)
        count = Count(job, pods, self._released)
        settled = self.expectations.satisfied(key)
        if not settled:
            # What a broken watch has missed is never seen: then only time helps.
            self.queue.add_after(key, TIMEOUT + 1, background=True)
        look = _Look(count, self.clock.now())
        outcome = outcome_of(count, look.now)
        failure = None
        if outcome is not None:
            failure = self._stop(look)
            outcome = outcome if settled and failure is None else None
        else:
            if settled and not job.metadata.deleting:
                failure = self._manage(look)
                self._note_suspension(look)
            if is_complete(count, look.active):
                outcome = REACHED
        self._track(look, outcome)
        if failure is not None:
            raise failure[1]
        if outcome is not None:
            return None
        waits = [each for each in (seconds_to_deadline(job, look.now), look.again) if each != NEVER]
        return max(0.001, min(waits)) if waits else None

    def _is_old_news(self, job: Job) -> bool:
        """Whether the cache has yet to learn of a status that we wrote: by the old one, a Pod would go uncounted."""
        revision, when = self._written.get(job.uid, (0, 0.0))
        if int(job.metadata.resource_version) >= revision:
            self._written.pop(job.uid, None)
            return False
        self.queue.add_after(job.key, TIMEOUT + 1, background=True)
        return self.clock.now() - when <= TIMEOUT

    # Pods.

    def _stop(self, look: _Look) -> Failure | None:
        """The Job is over: whoever is at work ends. Their finalizers go when they are counted."""
        active = look.count.active
        failure = self.pod_control.delete(look.job, active) if active else None
        if failure is None:
            look.went(active)
        return failure

    def _manage(self, look: _Look) -> Failure | None:
        count, active, wanted = look.count, look.count.active, wanted_active(look.count)
        surplus, kept = surplus_of(active, look.job.spec.completions or 0) if count.indexed else ([], active)
        more = max(0, len(active) - wanted - len(surplus))
        doomed = active if look.job.spec.suspend else [*surplus, *rank_for_deletion(kept, kept, look.now)[:more]]
        if doomed:
            doomed = doomed[:BURST]
            self._release(doomed)  # one that is taken away has not failed
            failure = self.pod_control.delete(look.job, doomed)
            if failure is None:
                look.went(doomed)
            return failure
        going = count.terminating if look.job.spec.pod_replacement_policy == "Failed" else 0
        missing = min(wanted - going - len(active), BURST)
        if missing <= 0:
            return None
        indexes = self._indexes(look, missing)
        if not indexes:
            return None
        failure = self.pod_control.create(look.job, [job_pod(look.job, index) for index in indexes])
        if failure is None:
            look.active += len(indexes)
        return failure

    def _indexes(self, look: _Look, missing: int) -> Sequence[int | None]:
        """For which indexes to make Pods now; as many times None where there are none. Fewer while a failure is recent."""
        count, per_index = look.count, look.job.spec.backoff_limit_per_index is not None
        if not per_index and (wait := seconds_to_next_pod(count, look.now)) > 0:
            look.again = wait
            return ()
        if not count.indexed:
            return [None] * missing
        busy = {index_of(pod) for pod in count.active}
        if look.job.spec.pod_replacement_policy == "Failed":
            busy |= {index_of(pod) for pod in count.pods if pod.metadata.deleting and not pod.finished}
        taken = (
            {each for each in busy if each is not None} | count.succeeded_indexes() | (count.failed_indexes() or set())
        )
        found = pending_indexes(look.job.spec.completions or 0, taken, missing)
        if not per_index:
            return found
        waits = {index: seconds_to_next_pod(count, look.now, index) for index in found}
        look.again = min((wait for wait in waits.values() if wait > 0), default=NEVER)
        return [index for index, wait in waits.items() if wait <= 0]

    def _release(self, pods: Iterable[Pod]) -> None:
        """Take the finalizers away."""
        for pod in pods:
            if FINALIZER in pod.metadata.finalizers and pod.uid not in self._released:
                patch: JsonObject = {"metadata": {"uid": pod.uid, "$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
                with suppress(NotFound):
                    self.client.patch(Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC)
                self._released.add(pod.uid)

    def _let_go(self, key: str) -> None:
        """Nobody counts these any more: the Job has gone, or has finished."""
        namespace, _, name = key.partition("/")
        orphans = [pod for pod in self.pods.by_index(NO_OWNER, namespace) if pod.metadata.labels.get(JOB_NAME) == name]
        self._release([*self.pods.by_index(OWNER_NAME, key), *orphans])

    # The status.

    def _note_suspension(self, look: _Look) -> None:
        """Suspended or resumed: said once. A Job that is resumed begins anew."""
        job = look.job
        if job.spec.suspend:
            if look.condition("Suspended", "True", "JobSuspended", "Job suspended"):
                self.recorder.event(job, "Normal", "Suspended", "Job suspended")
        elif look.has("Suspended") and look.condition("Suspended", "False", "JobResumed", "Job resumed"):
            self.recorder.event(job, "Normal", "Resumed", "Job resumed")
            look.status["startTime"] = to_rfc3339(look.now)

    def _track(self, look: _Look, outcome: Outcome | None) -> None:
        """Count the Pods that have ended: UIDs first, then finalizers, then numbers; then what the Job has come to."""
        count, job = look.count, look.job
        look.settle_counted()
        removable = [
            pod for pod in count.pods
            if count.tracked(pod)
            and (job.metadata.deleting or outcome is not None or pod.status.phase == "Succeeded" or count.failed(pod))
        ][:MAX_UNCOUNTED]  # fmt: skip
        failing = outcome is not None and outcome.target == "FailureTarget"
        for pod in removable:
            if not count.valid(pod):
                continue
            ignored = match_failure(job.spec.pod_failure_policy, pod).action == "Ignore"
            if pod.status.phase == "Succeeded":
                look.note("succeeded", pod)
            elif (count.failed(pod) or failing) and not ignored:
                look.note("failed", pod)
        look.numbers()
        if outcome is not None and not job.condition(outcome.target):
            look.condition(outcome.target, "True", outcome.reason, outcome.message)
        self._flush(look)
        self._release(removable)
        look.settle_counted()
        finished = outcome is not None and not look.uncounted and not look.terminating
        if finished and outcome is not None:
            look.condition(outcome.final, "True", outcome.reason, outcome.message)
            if outcome.final == "Complete":
                look.status["completionTime"] = to_rfc3339(look.now)
        self._flush(look)
        if finished and outcome is not None:
            done = outcome.final == "Complete"
            reason, message = ("Completed", "Job completed") if done else (outcome.reason, outcome.message)
            self.recorder.event(job, "Normal" if done else "Warning", reason, message)

    def _flush(self, look: _Look) -> None:
        """Write the status, if it differs from the last one written or read. Raises Conflict where that was old."""
        if look.changed():
            job = look.job
            written = self.client.patch_status(
                Job, job.name, job.namespace, look.patch(), uid=job.uid, resourceVersion=look.revision
            )  # fmt: skip
            look.written(written)
            self._written[job.uid] = int(look.revision), look.now

    # What happened.

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        assert job is not None
        if new is None:
            self.expectations.forget(job.key)
            self._written.pop(job.uid, None)
        self.queue.add(job.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None or FINALIZER not in new.metadata.finalizers:
            self._released.discard(pod.uid)
        owner = pod.metadata.controller
        if owner is None:
            if FINALIZER in pod.metadata.finalizers and (name := pod.metadata.labels.get(JOB_NAME)):
                self.queue.add(f"{pod.namespace}/{name}")
            return
        key = f"{pod.namespace}/{owner.name}"
        if old is None:
            self.expectations.creation_observed(key)
        if new is None or new.metadata.deleting:
            self.expectations.deletion_observed(key, pod.uid)
        self.queue.add_after(key, BATCH_PERIOD)


class _Look:
    """One look at a Job: what is counted, and the status that comes of it."""

    def __init__(self, count: Count, now: float) -> None:
        self.count, self.now, self.job = count, now, count.job
        self.again = NEVER
        """In how many seconds there is more to do."""
        self.active = len(count.active)
        self.ready = sum(pod.ready for pod in count.active)
        self.terminating = count.terminating
        self.revision = count.job.metadata.resource_version
        seen = count.job.status
        self._before: JsonObject = _as_json(seen.model_dump(by_alias=True, exclude_none=True))
        self.status: dict[str, Any] = _as_json(seen.model_dump(by_alias=True, exclude_none=True))
        self.status.setdefault("uncountedTerminatedPods", {})
        if "startTime" not in self.status and not count.job.spec.suspend:
            self.status["startTime"] = to_rfc3339(now)

    @property
    def uncounted(self) -> int:
        """How many UIDs wait to be counted."""
        return sum(len(uids) for uids in self.status["uncountedTerminatedPods"].values())

    def went(self, pods: Sequence[Pod]) -> None:
        """These were active, and are going now."""
        self.active -= len(pods)
        self.ready -= sum(pod.ready for pod in pods)
        self.terminating += sum(bool(pod.spec.node_name) for pod in pods)  # others are gone at once

    def note(self, which: str, pod: Pod) -> None:
        """A Pod has ended, and is to be counted."""
        if which == "succeeded" and self.count.indexed:
            return  # its index tells
        uncounted = self.status["uncountedTerminatedPods"]
        if pod.uid not in [uid for uids in uncounted.values() for uid in uids]:
            uncounted[which] = [*uncounted.get(which, ()), pod.uid]

    def settle_counted(self) -> None:
        """Those that have lost their finalizer become part of the numbers."""
        waiting = {pod.uid for pod in self.count.pods if self.count.tracked(pod)}
        uncounted = self.status["uncountedTerminatedPods"]
        for which in [*uncounted]:
            left = [uid for uid in uncounted[which] if uid in waiting]
            self.status[which] = self.status.get(which, 0) + len(uncounted[which]) - len(left)
            uncounted[which] = left
            if not left:
                del uncounted[which]

    def numbers(self) -> None:
        """What is there now."""
        self.status |= {"active": self.active, "ready": self.ready, "terminating": self.terminating}
        if self.count.indexed:
            done = self.count.succeeded_indexes()
            self.status |= {"succeeded": len(done), "completedIndexes": format_indexes(done)}
            failed = self.count.failed_indexes()
            if failed is not None:
                self.status["failedIndexes"] = format_indexes(failed)

    def has(self, kind: str) -> bool:
        """Whether there is a condition of this type."""
        return any(each["type"] == kind for each in self.status.get("conditions") or ())

    def condition(self, kind: str, status: str, reason: str, message: str) -> bool:
        """Say something; False if it was said already."""
        conditions = [dict(each) for each in self.status.get("conditions") or ()]
        said = next((each for each in conditions if each["type"] == kind), None)
        if said is not None and (said["status"], said["reason"], said["message"]) == (status, reason, message):
            return False
        now = to_rfc3339(self.now)
        new = {"type": kind, "status": status, "reason": reason, "message": message}
        new |= {"lastProbeTime": now, "lastTransitionTime": now}
        self.status["conditions"] = [*(each for each in conditions if each["type"] != kind), new]
        return True

    def changed(self) -> bool:
        """Whether there is something to write."""
        return _as_json(self.status) != self._before

    def patch(self) -> JsonObject:
        """The status as a merge patch: what is 0 or empty is left out, as upstream does."""
        now = _as_json(self.status)
        gone = {name: None for name in self._before if name not in now}
        old = self._before.get("uncountedTerminatedPods") or {}
        uncounted = {name: now["uncountedTerminatedPods"].get(name) for name in ("succeeded", "failed")}
        kept = {name: uids for name, uids in uncounted.items() if uids or name in old}
        return {**gone, **now, "uncountedTerminatedPods": kept}

    def written(self, job: JsonObject) -> None:
        """It is stored now."""
        self._before = _as_json(self.status)
        self.revision = job["metadata"]["resourceVersion"]


_LEFT_OUT_IF_ZERO = ("active", "succeeded", "failed", "completedIndexes")


def _as_json(status: dict[str, Any]) -> dict[str, Any]:
    """A status in the form in which it is stored."""
    found = {name: value for name, value in status.items() if value or name not in _LEFT_OUT_IF_ZERO}
    if "uncountedTerminatedPods" in found:
        uncounted = found["uncountedTerminatedPods"]
        found["uncountedTerminatedPods"] = {name: list(uids) for name, uids in uncounted.items() if uids}
    if "conditions" in found:
        found["conditions"] = [dict(each) for each in found["conditions"]]
        if not found["conditions"]:
            del found["conditions"]
    return found


def _owner_name(pod: Pod) -> list[str]:
    owner = pod.metadata.controller
    return [f"{pod.namespace}/{owner.name}"] if owner is not None else []
