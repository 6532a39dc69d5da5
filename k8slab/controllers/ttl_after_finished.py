"""The TTL-after-finished controller: Jobs that have ended go after a while, if they say so.

Models: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.batch import Job
from k8slab.apimachinery.errors import NotFound
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock, from_rfc3339
from k8slab.names import Chance

LEFT_OUT = ()


class TTLAfterFinishedController(Controller):
    """Deletes Jobs, with their Pods, `ttlSecondsAfterFinished` after their end."""

    name = "ttl-after-finished-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.jobs = self.informer(Job, accept=_may_expire, on_change=self._job_changed)

    def reconcile(self, key: str) -> float | None:
        """Delete the Job if its time has come; else wait for it in the background."""
        job = self.jobs.get(key)
        if job is None:
            return None
        left = expires_at(job) - self.clock.now()
        if left > 0:
            self.queue.add_after(key, left, background=True)
            return None
        try:
            fresh = self.client.get(Job, job.name, job.namespace)  # the limit may have been raised meanwhile
        except NotFound:
            return None
        if fresh.uid == job.uid and _may_expire(fresh) and expires_at(fresh) <= self.clock.now():
            self.client.delete(Job, job.name, job.namespace, uid=job.uid, propagation="Foreground")
        return None

    def _job_changed(self, old: Job | None, new: Job | None) -> None:
        if new is not None:
            self.queue.add(new.key)


def expires_at(job: Job) -> float:
    """When a Job that has ended is to go, in seconds since the epoch."""
    ended = job.finished
    assert ended is not None
    assert ended.last_transition_time is not None
    return from_rfc3339(ended.last_transition_time) + (job.spec.ttl_seconds_after_finished or 0)


def _may_expire(job: Job) -> bool:
    return job.spec.ttl_seconds_after_finished is not None and job.finished is not None and not job.metadata.deleting
