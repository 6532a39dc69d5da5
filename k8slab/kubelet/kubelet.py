"""The kubelet: it makes true on one node what the API server says about its Pods.

Its loop, in every step:

1. the watch: which Pods should be here, and what changed about them;
2. the runtime: which containers are here (*relist*), looked at when something may have changed;
3. for each Pod about which either is news: one pass, then its status (`pod_workers.py`);
4. now and then: the node's status and its lease.

A kubelet that starts finds the Pods of the one before it in the runtime, adopts those that should be here, and removes the
others. One that does not reach the API server goes on with the Pods that it knows, and tells later.

Models: pkg/kubelet/kubelet.go (syncLoopIteration).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.client.client import Client
from k8slab.client.informer import Informer
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock
from k8slab.cri.api import Runtime
from k8slab.cri.machine import NodeFiles
from k8slab.kubelet import container_gc
from k8slab.kubelet.endpoints import answer
from k8slab.kubelet.image_gc import ImageGC
from k8slab.kubelet.jobs import InlineJobs, Jobs
from k8slab.kubelet.node_lease import Heartbeat, NodeLease
from k8slab.kubelet.node_status import NodeStatus
from k8slab.kubelet.pleg import Pleg
from k8slab.kubelet.pod_state import PodState, read_state
from k8slab.kubelet.pod_status import NodeFacts
from k8slab.kubelet.pod_workers import PodWorkers
from k8slab.kubelet.server import KubeletServer
from k8slab.kubelet.volumes import Volumes
from k8slab.names import Chance

LEFT_OUT = (
    "Probes are not run: a container that runs is ready.",
    "A pull begins before the sandbox is made; upstream makes the sandbox first.",
    "Static Pods, volumes that have to be mounted, in-place resize and node shutdown are left out.",
    "The tokens in running Pods are not renewed.",
)

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until the API server is asked again after it has not answered."""


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
        self.recorder = EventRecorder(client, clock, "kubelet", node_name)
        self.node = NodeStatus(node_name, client, clock, runtime, self.recorder, address=address, capacity=capacity)
        self.itself: Informer[Node] = Informer(
            client, Node, fields=f"metadata.name={node_name}", on_change=lambda old, new: self.node.see(new), wake=wake
        )
        self.lease = make_lease(node_name, client, clock, chance)
        self.pleg = Pleg(self.name, runtime, clock, lambda: bool(self.workers.by_uid))
        volumes, facts = Volumes(client, root, disk), NodeFacts(self.node.runtime_name, address)
        self.workers = PodWorkers(
            self.name, client, clock, runtime, self.jobs, self.recorder, self.pleg, volumes, facts
        )
        self.image_gc = ImageGC(runtime, clock)
        self._next_container_gc = clock.now() + container_gc.PERIOD
        self.server = KubeletServer(
            runtime, self._find_state, self._find_waiting, self.look_soon, partial(answer, self)
        )
        self.pods: Informer[Pod] = Informer(
            client, Pod, fields=f"spec.nodeName={node_name}", on_change=self._pod_changed, wake=wake
        )
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
        news = self.workers.finish_jobs() or news
        if now >= self.pleg.relist_at or (self.pods.synced and not self._orphans_checked):
            news = self._relist() or news
        news = self.workers.sync(now) or news
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
            self.workers.next_again,
            self._call_again,
            self._next_release(),
            self.image_gc.next_run,
            self._next_container_gc,
        )

    def next_work(self) -> float:
        """The end of what is under way, and the next try of what has failed. Back-offs and heartbeats are not work."""
        return min(self.workers.next_work(), self._call_again, self._next_release())

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
            self.jobs.start("container-gc", partial(self.workers.syncer.remove_containers, [each.id for each in going]))

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
        if new is not None:
            known = self.pods.cached(new.key)
            assert known is not None
            self.workers.see(known, old)
        elif old is not None:
            self.workers.lose(old.uid)

    # The runtime.

    def _relist(self) -> bool:
        """Look at the runtime; True if a Pod has changed there."""
        found = self.pleg.relist()
        if found is None:
            return False
        changed = [uid for uid in found if uid in self.workers.by_uid]
        for uid in changed:
            self.workers.mark(uid)
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
            if uid not in self.workers.by_uid and not any(pod.uid == uid for pod in self.pods.list()):
                self.jobs.start(f"orphan/{uid}", partial(self.workers.syncer.remove, state))

    def _find_state(self, namespace: str, name: str) -> PodState | None:
        pod = self.pods.get(f"{namespace}/{name}")
        if pod is None:
            return None
        return read_state(self.runtime, pod.uid)

    def _find_waiting(self, namespace: str, name: str, container: str) -> tuple[str, str] | None:
        pod = self.pods.get(f"{namespace}/{name}")
        worker = self.workers.by_uid.get(pod.uid) if pod else None
        return worker.waiting.get(container) if worker else None
