"""The kubelet: it makes true on one node what the API server says about its Pods.

Its loop, in every step:

1. the watch: which Pods should be here, and what changed about them;
2. the runtime: which containers are here (*relist*), looked at when something may have changed;
3. for each Pod about which either is news: one pass of `sync_pod.py`, as a job of its own, then its status;
4. now and then: the node's status and its lease.

A Pod's life here has three parts, and never goes back: syncing, terminating, terminated. A kubelet that starts finds the Pods
of the one before it in the runtime, adopts those that should be here, and removes the others. One that does not reach the API
server goes on with the Pods that it knows, and tells later.

Models: pkg/kubelet/kubelet.go (syncLoopIteration), pod_workers.go, pleg/generic.go, status/status_manager.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import orjson

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.cached import Cached
from k8slab.client.client import Client
from k8slab.client.informer import Informer
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock
from k8slab.cri.api import CriError, Runtime
from k8slab.cri.machine import NodeFiles
from k8slab.kubelet import container_gc
from k8slab.kubelet.actions import compute_actions
from k8slab.kubelet.endpoints import answer
from k8slab.kubelet.image_gc import ImageGC
from k8slab.kubelet.image_manager import PULL, ImageManager, Verdict
from k8slab.kubelet.jobs import InlineJobs, Jobs, Outcome
from k8slab.kubelet.node_lease import Heartbeat, NodeLease
from k8slab.kubelet.node_status import NodeStatus
from k8slab.kubelet.pleg import Pleg
from k8slab.kubelet.pod_state import PodState, read_state
from k8slab.kubelet.pod_status import NodeFacts, pod_status
from k8slab.kubelet.server import KubeletServer
from k8slab.kubelet.sync_pod import PodSyncer, Report
from k8slab.kubelet.volumes import Volumes
from k8slab.names import Chance
from k8slab.observer import QUIET, Observer

LEFT_OUT = (
    "Probes are not run: a container that runs is ready.",
    "A pull begins before the sandbox is made; upstream makes the sandbox first.",
    "Static Pods, volumes that have to be mounted, in-place resize and node shutdown are left out.",
    "The tokens in running Pods are not renewed.",
)

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until the API server is asked again after it has not answered, or a runtime that has failed."""
SYNCING, TERMINATING, TERMINATED = "syncing", "terminating", "terminated"


@dataclass(slots=True)
class Worker:
    """One Pod on this node."""

    known: Cached[Pod]
    """The Pod as the watch told of it last."""
    started: float
    phase: str = SYNCING
    waiting: dict[str, tuple[str, str]] = field(default_factory=dict)
    again: float = 0.0
    """When to look again; 0: when something happens."""
    failed: bool = False
    """Whether that is to try again what has failed."""
    written: bytes = b""
    """The status that was written last, as JSON."""
    revision: int = 0
    """The revision of that write."""
    last: JsonObject | None = None
    """The status at its end, once it is terminated: the runtime knows nothing of it any more."""

    @property
    def pod(self) -> Pod:
        """What it should be."""
        return self.known.view()


class Kubelet:
    """The agent of one node."""

    def __init__(
        self,
        node_name: str,
        client: Client,
        clock: Clock,
        chance: Chance,
        runtime: Runtime,
        jobs: Jobs | None = None,
        *,
        wake: Callable[[], None] = lambda: None,
        address: str = "192.168.49.2",
        capacity: Mapping[str, str] | None = None,
        root: Path | None = None,
        disk: NodeFiles | None = None,
        make_lease: Callable[[str, Client, Clock, Chance], Heartbeat] = NodeLease,
    ) -> None:
        self.name = f"kubelet-{node_name}"
        self.node_name, self.client, self.clock, self.runtime = node_name, client, clock, runtime
        self.jobs: Jobs = jobs or InlineJobs(clock)
        self._wake = wake
        self.observer: Observer = QUIET
        self.recorder = EventRecorder(client, clock, "kubelet", node_name)
        self.node = NodeStatus(node_name, client, clock, runtime, self.recorder, address=address, capacity=capacity)
        self.itself: Informer[Node] = Informer(
            client, Node, fields=f"metadata.name={node_name}", on_change=lambda old, new: self.node.see(new), wake=wake
        )
        self.lease = make_lease(node_name, client, clock, chance)
        self.facts = NodeFacts(self.node.runtime_name, address)
        self.volumes = Volumes(client, root, disk)
        self.syncer = PodSyncer(client, clock, runtime, self.recorder, {"address": address}, self.volumes.mounts)
        self.image_gc = ImageGC(runtime, clock)
        self._next_container_gc = clock.now() + container_gc.PERIOD
        self.images = ImageManager(runtime, self.jobs, clock, self.recorder, self._mark)
        self.server = KubeletServer(
            runtime, self._find_state, self._find_waiting, self.look_soon, partial(answer, self)
        )
        self.pods: Informer[Pod] = Informer(
            client, Pod, fields=f"spec.nodeName={node_name}", on_change=self._pod_changed, wake=wake
        )
        self.workers: dict[str, Worker] = {}
        """By UID."""
        self.pleg = Pleg(self.name, runtime, clock, lambda: bool(self.workers))
        self._dirty: dict[str, None] = {}
        """UIDs about which there is news; an ordered set."""
        self._working: Worker | None = None
        """The Pod that is being worked on."""
        # Not after the first moment at which a Pod wants to be looked at again; and of those, for what has failed.
        self._next_again = self._next_retry = NEVER
        # When to try again to reach the API server, if it did not answer.
        self._call_again = NEVER
        self._orphans_checked = False

    # The loop.

    def step(self) -> bool:
        """One round: the watch, the runtime, the Pods, the node."""
        now = self.clock.now()
        if not self.pods.synced:
            self._relist()  # first, so that Pods that have ended are known by what they have left here
        news = self._listen(now)
        for outcome in self.jobs.finished():
            self._finish(outcome)
            self._mark(outcome.key)
            news = True
        if now >= self.pleg.relist_at or (self.pods.synced and not self._orphans_checked):
            news = self._relist() or news
        if self._next_again <= now:
            self._wake_sleepers(now)
        if self._dirty:
            self._sync_dirty()
            news = True
        self._heartbeat(now)
        if now >= self.image_gc.next_run:
            self._collect_images()
        if now >= self._next_container_gc:
            self._collect_containers(now)
        return news

    def next_deadline(self) -> float:
        """The next heartbeat, look at the runtime, end of a back-off or of a job."""
        return min(
            self._next_heartbeat(),
            self.pleg.relist_at,
            self.jobs.next_ready(),
            self._next_again,
            self._call_again,
            self._next_release(),
            self.image_gc.next_run,
            self._next_container_gc,
        )

    def next_work(self) -> float:
        """The end of what is under way, and the next try of what has failed. Back-offs and heartbeats are not work."""
        if self._dirty:
            return self.clock.now()
        ready = self.jobs.next_ready()
        if ready == NEVER and self.jobs.busy:
            return self.clock.now()  # a thread is at it
        return min(ready, self._next_retry, self._call_again, self._next_release())

    def close(self) -> None:
        """Stop watching. Containers go on."""
        self.itself.close()
        self.pods.close()
        self.jobs.close()

    def _next_release(self) -> float:
        return min(self.itself.release, self.pods.release)

    def _next_heartbeat(self) -> float:
        return min(self.lease.next_renewal, self.node.next_report()) if self.node.node is not None else NEVER

    def _heartbeat(self, now: float) -> None:
        if self.node.node is None:
            return
        if now >= self.lease.next_renewal:
            self.lease.renew(self.node.node.uid)
        if now >= self.node.next_report():
            self.node.report()

    def _collect_images(self) -> None:
        if problem := self.image_gc.run():
            self.recorder.event(self.node.reference(), "Warning", "FreeDiskSpaceFailed", problem)

    def _collect_containers(self, now: float) -> None:
        self._next_container_gc = now + container_gc.PERIOD
        going = container_gc.container_gc_candidates(self.pleg.states.values(), now)
        if going:
            self.jobs.start("container-gc", partial(self.syncer.remove_containers, [each.id for each in going]))

    # The watch.

    def _listen(self, now: float) -> bool:
        """Hear what is new, from a server that knows this node. If it does not answer, the Pods that are known go on."""
        if now < self._call_again < NEVER:
            return False
        self._call_again = NEVER
        try:
            if not self.node.registered:
                self.node.register()
            if self.itself.stale or self.itself.release <= now:
                self.itself.drain()
            return self.pods.drain()
        except ApiError as error:
            log.debug("%s: %s", self.name, error.message)
            self._call_again = now + RETRY
            return False

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None:
            worker = self.workers.get(pod.uid)
            if worker is not None:
                # Removed behind our back (force): whatever still runs is stopped all the same.
                self._mark(pod.uid)
                if worker.phase == SYNCING:
                    worker.phase = TERMINATING
            return
        worker, known = self.workers.get(new.uid), self.pods.cached(new.key)
        assert known is not None
        if worker is None:
            if new.finished and new.metadata.deleting is False:
                state = self.pleg.states.get(new.uid)
                if state is None:
                    return  # it ended before we came; nothing to do for it
            worker = self.workers[new.uid] = Worker(known, self.clock.now())
        unchanged = (
            old is not None
            and old.spec == new.spec
            and old.metadata.deletion_timestamp == new.metadata.deletion_timestamp
            and old.finished == new.finished
        )
        worker.known = known
        if new.metadata.deleting and worker.phase == SYNCING:
            worker.phase = TERMINATING
        if worker.written and known.revision > worker.revision and new.ready != _says_ready(worker.written):
            # The control plane took this node for lost: say again what is so.
            worker.written, unchanged = b"", False
        if not unchanged:
            self._mark(new.uid)

    def _mark(self, uid: str) -> None:
        """There is news about a Pod."""
        if uid in self.workers:
            self.observer.queued(self.workers[uid].pod.key)
            self._dirty[uid] = None

    # The runtime.

    def _relist(self) -> bool:
        """Look at the runtime; True if a Pod has changed there."""
        found = self.pleg.relist()
        if found is None:
            return False
        changed = [uid for uid in found if uid in self.workers]
        for uid in changed:
            self._mark(uid)
        if self.pods.synced and not self._orphans_checked:
            self._orphans_checked = True
            self._remove_orphans()
        self.pleg.plan()
        return bool(changed)

    def look_soon(self) -> None:
        """Something may have changed in the runtime by another hand: look at once."""
        self.pleg.look_soon()
        self._wake()

    def _remove_orphans(self) -> None:
        """Containers of Pods that are not to be here: the kubelet before us left them."""
        for uid, state in self.pleg.states.items():
            if uid not in self.workers and not any(pod.uid == uid for pod in self.pods.list()):
                self.jobs.start(f"orphan/{uid}", partial(self.syncer.remove, state))

    def _find_state(self, namespace: str, name: str) -> PodState | None:
        pod = self.pods.get(f"{namespace}/{name}")
        if pod is None:
            return None
        return read_state(self.runtime, pod.uid)

    def _find_waiting(self, namespace: str, name: str, container: str) -> tuple[str, str] | None:
        pod = self.pods.get(f"{namespace}/{name}")
        worker = self.workers.get(pod.uid) if pod else None
        return worker.waiting.get(container) if worker else None

    # The Pods.

    def _look_again(self, worker: Worker, when: float) -> None:
        """Look at a Pod at this moment, if nothing happens before; 0: when something happens."""
        worker.again, worker.failed = when, False
        if when:
            self.observer.queued(worker.pod.key, when - self.clock.now())
            self._next_again = min(self._next_again, when)

    def _try_again(self, worker: Worker) -> None:
        """Something has failed: look at the Pod again soon. Until then it is not done."""
        when = self.clock.now() + RETRY
        self._look_again(worker, when)
        worker.failed = True
        self._next_retry = min(self._next_retry, when)

    def _wake_sleepers(self, now: float) -> None:
        for uid, worker in self.workers.items():
            if worker.again and worker.again <= now:
                worker.again = 0.0
                self.observer.due(worker.pod.key)
                self._dirty[uid] = None
        waiting = [worker for worker in self.workers.values() if worker.again]
        self._next_again = min((worker.again for worker in waiting), default=NEVER)
        self._next_retry = min((worker.again for worker in waiting if worker.failed), default=NEVER)

    def _sync_dirty(self) -> None:
        """A pass over each Pod about which there is news, then a look at what has become of them."""
        todo, self._dirty = self._dirty, {}
        for uid in todo:
            worker = self.workers.get(uid)
            if worker is None:
                continue
            if self.jobs.running(uid):
                self._dirty[uid] = None  # one job at a time
                continue
            with self._working_on(worker):
                self._sync(uid, worker)
        for outcome in self.jobs.finished():
            self._finish(outcome)
            if outcome.key not in todo:
                self._mark(outcome.key)  # a thread was done just now: its Pod's status is still to be told
        for uid in todo:
            if (worker := self.workers.get(uid)) is not None:
                self._write_status(worker)
        # What is still under way reports when it is done.
        self._dirty = {uid: None for uid in self._dirty if not self.jobs.running(uid)}

    def _sync(self, uid: str, worker: Worker) -> None:
        """Begin a pass, if there is something to do."""
        state = self.pleg.states.get(uid) or PodState(uid)
        pod = worker.pod
        if worker.phase == TERMINATING:
            grace = float(pod.metadata.deletion_grace_period_seconds or 0)
            self.jobs.start(uid, lambda: (None, self.syncer.kill(pod, state, grace)))
            return
        if worker.phase == TERMINATED:
            if self._write_status(worker):
                self._let_go(uid, worker)
            return
        if pod.finished:
            if state.ready_sandbox is not None:
                self.jobs.start(uid, partial(self.syncer.stop_sandbox, state.ready_sandbox.id))
            return
        actions = compute_actions(pod, state)
        if not (actions.start or actions.kill or actions.create_sandbox or actions.kill_sandbox):
            worker.waiting = {}
            return
        verdicts: dict[str, Verdict] = {}
        for container in actions.start:
            if not self.syncer.in_crash_backoff(pod, container, state):
                verdicts[container.name] = self.images.ensure(pod, container)
        self.jobs.start(uid, lambda: (self.syncer.sync(pod, state, verdicts), 0.0))

    def _finish(self, outcome: Outcome) -> None:
        """A job has come to an end."""
        worker = self.workers.get(self.images.pulling if outcome.key == PULL else outcome.key)
        with self._working_on(worker):
            if outcome.key == PULL:
                self.images.finish(outcome)
                return
            if outcome.error is not None:
                level = logging.DEBUG if isinstance(outcome.error, ApiError) else logging.WARNING
                log.log(level, "%s: %s: %s", self.name, outcome.key, outcome.error)
            if worker is not None:
                self._take_in(outcome, worker)

    def _take_in(self, outcome: Outcome, worker: Worker) -> None:
        """What a job has done for a Pod."""
        if self.pleg.look_at(outcome.key):
            self._mark(outcome.key)
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
        status, state = self._status_of(worker), self.pleg.states.get(uid)
        try:
            if state is not None:
                self.syncer.remove(state)
        except CriError as error:
            log.warning("%s: cannot remove %s: %s", self.name, worker.pod.key, error)
            self._try_again(worker)
            return
        worker.phase, worker.last = TERMINATED, status
        self.volumes.remove(uid)
        self.images.forget(uid)
        self.syncer.forget(uid)
        if told:
            self._let_go(uid, worker)

    def _let_go(self, uid: str, worker: Worker) -> None:
        """Remove the API object of a Pod of which nothing is left here."""
        try:
            self.client.delete(Pod, worker.pod.name, worker.pod.namespace, uid=uid, grace_period=0)
        except (NotFound, Conflict):
            pass
        except ApiError:
            self._try_again(worker)
            return
        del self.workers[uid]

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
        pod = worker.pod
        state = self.pleg.states.get(pod.uid) or PodState(pod.uid)
        status = pod_status(pod, state, worker.waiting, self.facts, self.clock.now(), worker.started)
        if worker.written and orjson.dumps(status) != worker.written:
            # Times of what has not changed stay those that were written, though the watch may not have told us yet.
            _keep_times(status, orjson.loads(worker.written))
        return status

    def _write_status(self, worker: Worker) -> bool:
        """Say what a Pod is, if that is news. False if it has to be tried again."""
        pod = worker.pod
        if pod.finished and not worker.written:
            return True
        status = worker.last or self._status_of(worker)
        written = bytes(memoryview(orjson.dumps(status)))  # a copy: its own bytes keep the 4 kB of their buffer
        if written == worker.written:
            return True
        try:
            with self._working_on(worker):
                found = self.client.patch_status(Pod, pod.name, pod.namespace, status, uid=pod.uid)
        except (NotFound, Conflict):
            return True  # it has gone
        except ApiError as error:
            log.debug("%s: status of %s: %s", self.name, pod.key, error.message)
            self._try_again(worker)
            return False
        worker.written, worker.revision = written, int(found["metadata"]["resourceVersion"])
        if status["phase"] in ("Succeeded", "Failed"):
            self._mark(pod.uid)
        return True


def _says_ready(status: bytes) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in orjson.loads(status)["conditions"])


def _keep_times(status: JsonObject, written: JsonObject) -> None:
    status["startTime"] = written["startTime"]
    before = {each["type"]: each for each in written["conditions"]}
    for condition in status["conditions"]:
        same = before.get(condition["type"])
        if same is not None and same["status"] == condition["status"]:
            condition["lastTransitionTime"] = same["lastTransitionTime"]
