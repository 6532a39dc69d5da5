"""Who has ended is counted once: UIDs into the status, then the finalizers go, then the UIDs become numbers.

Each step is safe to repeat, so that a crash between any two loses nothing and counts nothing twice. A status is written over
the version that was read, never over a newer one.

Models: pkg/controller/job/job_controller.go (trackJobStatusAndRemoveFinalizers, flushUncountedAndRemoveFinalizers).
"""

from __future__ import annotations

from k8slab.api.batch import Job
from k8slab.client.client import Client
from k8slab.client.expectations import TIMEOUT
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock, to_rfc3339
from k8slab.controllers.job.look import Look
from k8slab.controllers.job.pods import JobPods
from k8slab.controllers.job.policy import match_failure
from k8slab.controllers.job.state import Outcome

MAX_UNCOUNTED = 500


class Tracking:
    """Counts the Pods that have ended, and writes the status of Jobs."""

    def __init__(self, client: Client, clock: Clock, recorder: EventRecorder, pods: JobPods) -> None:
        self.client, self.clock, self.recorder, self.pods = client, clock, recorder, pods
        self._written: dict[str, tuple[int, float]] = {}
        """The revision of the last status that we wrote, and when, by UID, until the cache knows."""

    def is_old_news(self, job: Job) -> bool:
        """Whether the cache has yet to learn of a status that we wrote: by the old one, a Pod would go uncounted."""
        revision, when = self._written.get(job.uid, (0, 0.0))
        if int(job.metadata.resource_version) >= revision:
            self.forget(job)
            return False
        return self.clock.now() - when <= TIMEOUT

    def forget(self, job: Job) -> None:
        """What we wrote is known, or no longer matters."""
        self._written.pop(job.uid, None)

    def note_suspension(self, look: Look) -> None:
        """Suspended or resumed: said once. A Job that is resumed begins anew."""
        job = look.job
        if job.spec.suspend:
            if look.condition("Suspended", "True", "JobSuspended", "Job suspended"):
                self.recorder.event(job, "Normal", "Suspended", "Job suspended")
        elif look.has("Suspended") and look.condition("Suspended", "False", "JobResumed", "Job resumed"):
            self.recorder.event(job, "Normal", "Resumed", "Job resumed")
            look.status["startTime"] = to_rfc3339(look.now)

    def track(self, look: Look, outcome: Outcome | None) -> None:
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
        self.pods.release(removable)
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

    def _flush(self, look: Look) -> None:
        """Write the status, if it differs from the last one written or read. Raises Conflict where that was old."""
        if look.changed():
            job = look.job
            written = self.client.patch_status(
                Job, job.name, job.namespace, look.patch(), uid=job.uid, resourceVersion=look.revision
            )  # fmt: skip
            look.written(written)
            self._written[job.uid] = int(look.revision), look.now
