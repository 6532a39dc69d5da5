"""What a kubelet does about its Pods, one pass for each about which there is news.

A pass is a job of its own (`jobs.py`): with Docker it takes time, and the other Pods do not wait for it. For one Pod one job
is under way at a time; what happens meanwhile is looked at when it is done. After each pass the Pod's status is told.

A Pod's life here has three parts, and never goes back: syncing, terminating, terminated.

Models: pkg/kubelet/pod_workers.go (UpdatePod, podWorkerLoop).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.cached import Cached
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock
from k8slab.cri.api import CriError, Runtime
from k8slab.kubelet.actions import compute_actions
from k8slab.kubelet.image_manager import PULL, ImageManager, Verdict
from k8slab.kubelet.jobs import Jobs, Outcome
from k8slab.kubelet.pleg import Pleg
from k8slab.kubelet.pod_state import PodState
from k8slab.kubelet.pod_status import NodeFacts
from k8slab.kubelet.status_manager import StatusManager
from k8slab.kubelet.sync_pod import PodSyncer, Report
from k8slab.kubelet.volumes import Volumes
from k8slab.kubelet.worker import SYNCING, TERMINATED, TERMINATING, Worker
from k8slab.observer import QUIET, Observer

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until what has failed is tried again."""


class PodWorkers:
    """The Pods of one node."""

    def __init__(
        self,
        name: str,
        client: Client,
        clock: Clock,
        runtime: Runtime,
        jobs: Jobs,
        recorder: EventRecorder,
        pleg: Pleg,
        volumes: Volumes,
        facts: NodeFacts,
    ) -> None:
        self._name, self._client, self._clock, self._jobs = name, client, clock, jobs
        self._pleg, self._volumes = pleg, volumes
        self.observer: Observer = QUIET
        self.by_uid: dict[str, Worker] = {}
        self.syncer = PodSyncer(client, clock, runtime, recorder, {"address": facts.address}, volumes.mounts)
        self._images = ImageManager(runtime, jobs, clock, recorder, self.mark)
        self._status = StatusManager(client, clock, facts)
        self._dirty: dict[str, None] = {}
        """UIDs about which there is news; an ordered set."""
        self._working: Worker | None = None
        """The Pod that is being worked on."""
        # Not after the first moment at which a Pod wants to be looked at again; and of those, for what has failed.
        self.next_again = self._next_retry = NEVER

    # What the kubelet's loop does with them.

    def see(self, known: Cached[Pod], old: Pod | None) -> None:
        """A Pod is to be here, or to be otherwise."""
        new = known.view()
        worker = self.by_uid.get(new.uid)
        if worker is None:
            if new.finished and not new.metadata.deleting and new.uid not in self._pleg.states:
                return  # it ended before we came; nothing to do for it
            worker = self.by_uid[new.uid] = Worker(known, self._clock.now())
        unchanged = (
            old is not None
            and old.spec == new.spec
            and old.metadata.deletion_timestamp == new.metadata.deletion_timestamp
            and old.finished == new.finished
        )
        worker.known = known
        if new.metadata.deleting and worker.phase == SYNCING:
            worker.phase = TERMINATING
        if self._status.is_denied(worker):
            worker.written, unchanged = None, False  # say again what is so
        if not unchanged:
            self.mark(new.uid)

    def lose(self, uid: str) -> None:
        """A Pod was removed behind our back (force): whatever still runs is stopped all the same."""
        worker = self.by_uid.get(uid)
        if worker is not None:
            self.mark(uid)
            if worker.phase == SYNCING:
                worker.phase = TERMINATING

    def mark(self, uid: str) -> None:
        """There is news about a Pod."""
        if uid in self.by_uid:
            self.observer.queued(self.by_uid[uid].pod.key)
            self._dirty[uid] = None

    def finish_jobs(self) -> bool:
        """Take in what has ended; whether anything had."""
        ended = self._jobs.finished()
        for outcome in ended:
            self._finish(outcome)
            self.mark(outcome.key)
        return bool(ended)

    def sync(self, now: float) -> bool:
        """A pass over each Pod about which there is news, or whose time has come; whether there was one."""
        if self.next_again <= now:
            self._wake_sleepers(now)
        if not self._dirty:
            return False
        self._sync_dirty()
        return True

    def next_work(self) -> float:
        """The end of what is under way, and the next try of what has failed. Back-offs are not work."""
        if self._dirty:
            return self._clock.now()
        ready = self._jobs.next_ready()
        if ready == NEVER and self._jobs.busy:
            return self._clock.now()  # a thread is at it
        return min(ready, self._next_retry)

    # When to look again.

    def _look_again(self, worker: Worker, when: float) -> None:
        """Look at a Pod at this moment, if nothing happens before; 0: when something happens."""
        worker.again, worker.failed = when, False
        if when:
            self.observer.queued(worker.pod.key, when - self._clock.now())
            self.next_again = min(self.next_again, when)

    def _try_again(self, worker: Worker) -> None:
        """Something has failed: look at the Pod again soon. Until then it is not done."""
        when = self._clock.now() + RETRY
        self._look_again(worker, when)
        worker.failed = True
        self._next_retry = min(self._next_retry, when)

    def _wake_sleepers(self, now: float) -> None:
        for uid, worker in self.by_uid.items():
            if worker.again and worker.again <= now:
                worker.again = 0.0
                self.observer.due(worker.pod.key)
                self._dirty[uid] = None
        waiting = [worker for worker in self.by_uid.values() if worker.again]
        self.next_again = min((worker.again for worker in waiting), default=NEVER)
        self._next_retry = min((worker.again for worker in waiting if worker.failed), default=NEVER)

    # A pass.

    def _sync_dirty(self) -> None:
        """A pass over each Pod about which there is news, then a look at what has become of them."""
        todo, self._dirty = self._dirty, {}
        for uid in todo:
            worker = self.by_uid.get(uid)
            if worker is None:
                continue
            if self._jobs.running(uid):
                self._dirty[uid] = None  # one job at a time
                continue
            with self._working_on(worker):
                self._sync(uid, worker)
        for outcome in self._jobs.finished():
            self._finish(outcome)
            if outcome.key not in todo:
                self.mark(outcome.key)  # a thread was done just now: its Pod's status is still to be told
        for uid in todo:
            if (worker := self.by_uid.get(uid)) is not None:
                self._write_status(worker)
        # What is still under way reports when it is done.
        self._dirty = {uid: None for uid in self._dirty if not self._jobs.running(uid)}

    def _sync(self, uid: str, worker: Worker) -> None:
        """Begin a pass, if there is something to do."""
        state = self._pleg.states.get(uid) or PodState(uid)
        pod = worker.pod
        if worker.phase == TERMINATING:
            grace = float(pod.metadata.deletion_grace_period_seconds or 0)
            self._jobs.start(uid, lambda: (None, self.syncer.kill(pod, state, grace)))
            return
        if worker.phase == TERMINATED:
            if self._write_status(worker):
                self._let_go(uid, worker)
            return
        if pod.finished:
            if state.ready_sandbox is not None:
                self._jobs.start(uid, partial(self.syncer.stop_sandbox, state.ready_sandbox.id))
            return
        actions = compute_actions(pod, state)
        if not (actions.start or actions.kill or actions.create_sandbox or actions.kill_sandbox):
            worker.waiting = {}
            return
        verdicts: dict[str, Verdict] = {}
        for container in actions.start:
            if not self.syncer.in_crash_backoff(pod, container, state):
                verdicts[container.name] = self._images.ensure(pod, container)
        self._jobs.start(uid, lambda: (self.syncer.sync(pod, state, verdicts), 0.0))

    def _finish(self, outcome: Outcome) -> None:
        """A job has come to an end."""
        worker = self.by_uid.get(self._images.pulling if outcome.key == PULL else outcome.key)
        with self._working_on(worker):
            if outcome.key == PULL:
                self._images.finish(outcome)
                return
            if outcome.error is not None:
                level = logging.DEBUG if isinstance(outcome.error, ApiError) else logging.WARNING
                log.log(level, "%s: %s: %s", self._name, outcome.key, outcome.error)
            if worker is not None:
                self._take_in(outcome, worker)

    def _take_in(self, outcome: Outcome, worker: Worker) -> None:
        """What a job has done for a Pod."""
        if self._pleg.look_at(outcome.key):
            self.mark(outcome.key)
        if outcome.error is not None:
            self._try_again(worker)
        elif isinstance(outcome.result, Report):
            worker.waiting = outcome.result.waiting
            self._look_again(worker, outcome.result.again)
        elif worker.phase == TERMINATING:
            self._terminate(outcome.key, worker)

    def _terminate(self, uid: str, worker: Worker) -> None:
        """All containers have stopped: say so, remove everything, and let the API object go."""
        told = self._write_status(worker)
        status, state = self._status_of(worker), self._pleg.states.get(uid)
        try:
            if state is not None:
                self.syncer.remove(state)
        except CriError as error:
            log.warning("%s: cannot remove %s: %s", self._name, worker.pod.key, error)
            self._try_again(worker)
            return
        worker.phase, worker.last = TERMINATED, status
        self._volumes.remove(uid)
        self._images.forget(uid)
        self.syncer.forget(uid)
        if told:
            self._let_go(uid, worker)

    def _let_go(self, uid: str, worker: Worker) -> None:
        """Remove the API object of a Pod of which nothing is left here."""
        try:
            self._client.delete(Pod, worker.pod.name, worker.pod.namespace, uid=uid, grace_period=0)
        except (NotFound, Conflict):
            pass
        except ApiError:
            self._try_again(worker)
            return
        del self.by_uid[uid]

    @contextmanager
    def _working_on(self, worker: Worker | None) -> Iterator[None]:
        """What is done within it is done for this Pod."""
        if worker is None or self._working is worker:
            yield
            return
        self._working = worker
        self.observer.began(worker.pod.key)
        try:
            yield
        finally:
            self._working = None
            self.observer.ended(worker.pod.key)

    # The status.

    def _status_of(self, worker: Worker) -> JsonObject:
        uid = worker.pod.uid
        return self._status.status_of(worker, self._pleg.states.get(uid) or PodState(uid))

    def _write_status(self, worker: Worker) -> bool:
        """Say what a Pod is, if that is news. False if it has to be tried again."""
        pod = worker.pod
        if pod.finished and worker.written is None:
            return True
        status = worker.last or self._status_of(worker)
        if not self._status.is_news(worker, status):
            return True
        try:
            with self._working_on(worker):
                self._status.write(worker, status)
        except (NotFound, Conflict):
            return True  # it has gone
        except ApiError as error:
            log.debug("%s: status of %s: %s", self._name, pod.key, error.message)
            self._try_again(worker)
            return False
        if status["phase"] in ("Succeeded", "Failed"):
            self.mark(pod.uid)
        return True
