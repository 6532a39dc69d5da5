"""The Job controller's control loop.

Each look adds up what there is (`state.py`), makes or deletes Pods (`pods.py`), and then counts those that have ended
(`tracking.py`). A Job that has finished is left alone: its Pods stay, and lose their finalizers.

Models: pkg/controller/job/job_controller.go (syncJob).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.batch import Job
from k8slab.api.core import Pod
from k8slab.apimachinery.labels import from_label_selector
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.client.expectations import TIMEOUT, Expectations
from k8slab.clock import NEVER, Clock
from k8slab.controllers.job.look import Look
from k8slab.controllers.job.pods import JobPods
from k8slab.controllers.job.state import (
    FINALIZER,
    Count,
    Outcome,
    is_complete,
    outcome_of,
    seconds_to_deadline,
)
from k8slab.controllers.job.tracking import Tracking
from k8slab.controllers.ownership import NO_OWNER, OWNER, by_owner, orphan_or_owned_by
from k8slab.controllers.pod_control import PodControl
from k8slab.names import Chance

LEFT_OUT = ()

BATCH_PERIOD = 1.0
"""Seconds for which changes of Pods are gathered: many may end at once."""
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
        self.job_pods = JobPods(client, PodControl(client, self.recorder, self.expectations))
        self.tracking = Tracking(client, clock, self.recorder, self.job_pods)
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
        if job.spec.managed_by not in (None, US):
            return None
        if self.tracking.is_old_news(job):
            self.queue.add_after(key, TIMEOUT + 1, background=True)
            return None
        candidates = self.pods.by_index(OWNER, job.uid) + self.pods.by_index(NO_OWNER, job.namespace)
        pods = claim(self.client, job, from_label_selector(job.spec.selector), candidates)
        count = Count(job, pods, self.job_pods.released)
        settled = self.expectations.satisfied(key)
        if not settled:
            # What a broken watch has missed is never seen: then only time helps.
            self.queue.add_after(key, TIMEOUT + 1, background=True)
        look = Look(count, self.clock.now())
        outcome = outcome_of(count, look.now)
        failure = None
        if outcome is not None:
            failure = self.job_pods.stop(look)
            outcome = outcome if settled and failure is None else None
        else:
            if settled and not job.metadata.deleting:
                failure = self.job_pods.manage(look)
                self.tracking.note_suspension(look)
            if is_complete(count, look.active):
                outcome = REACHED
        self.tracking.track(look, outcome)
        if failure is not None:
            raise failure[1]
        if outcome is not None:
            return None
        waits = [each for each in (seconds_to_deadline(job, look.now), look.again) if each != NEVER]
        return max(0.001, min(waits)) if waits else None

    def _let_go(self, key: str) -> None:
        """Nobody counts these any more: the Job has gone, or has finished."""
        namespace, _, name = key.partition("/")
        orphans = [pod for pod in self.pods.by_index(NO_OWNER, namespace) if pod.metadata.labels.get(JOB_NAME) == name]
        self.job_pods.release([*self.pods.by_index(OWNER_NAME, key), *orphans])

    # What happened.

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        job = new or old
        assert job is not None
        if new is None:
            self.expectations.forget(job.key)
            self.tracking.forget(job)
        self.queue.add(job.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None or FINALIZER not in new.metadata.finalizers:
            self.job_pods.released.discard(pod.uid)
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


def _owner_name(pod: Pod) -> list[str]:
    owner = pod.metadata.controller
    return [f"{pod.namespace}/{owner.name}"] if owner is not None else []
