"""Pod GC: Pods that nobody else will ever remove.

Every 20 s it looks for four kinds, and removes them at once, without grace:

1. ended Pods, when there are more than 12,500: those that were evicted first, then the oldest;
2. Pods that are to go, on a node that is not ready and that an administrator has declared *out of service*;
3. Pods of a node that is gone, once it has been gone for 40 s, and the API server says so too;
4. Pods that are to go and were never placed on a node.

In all other cases a Pod's own kubelet removes it, and nobody else: only the kubelet knows that its containers have ended. That
is why Pods on a lost node stay *Terminating*.

Models: pkg/controller/podgc/gc_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import Conflict, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.controller import Controller
from k8slab.client.informer import Informer
from k8slab.clock import NEVER, Clock, to_rfc3339
from k8slab.controllers.node_taints import OUT_OF_SERVICE
from k8slab.names import Chance

LEFT_OUT = ("It looks 20 seconds after the first news, not in a fixed rhythm.",)

CHECK_PERIOD, QUARANTINE = 20.0, 40.0
TERMINATED_THRESHOLD = 12_500
ENDED, GOING, ON = "ended", "going", "on"
ALL = "*"
ORPHANED = {"reason": "DeletionByPodGC", "message": "PodGC: node no longer exists"}


class PodGarbageCollector(Controller):
    """Removes Pods by force. Its keys are Pods."""

    name = "pod-garbage-collector-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        threshold: int = TERMINATED_THRESHOLD,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.threshold = threshold
        # They wake nobody to work: their news waits until the next look.
        self.pods: Informer[Pod] = Informer(
            client, Pod, indexers={ENDED: _ended, GOING: _going, ON: _on}, wake=self._plan
        )
        self.nodes: Informer[Node] = Informer(client, Node, wake=self._plan)
        self._missing: dict[str, float] = {}
        """Until when a node that is not there is in quarantine."""
        self._next_look = clock.now()
        self._doomed: dict[str, tuple[Pod, JsonObject | None]] = {}
        """What is to be removed, by key, with the condition that says why."""

    def step(self) -> bool:
        """Look around, if it is time; else remove what was found."""
        now = self.clock.now()
        if now >= self._next_look:
            self._look_around(now)
            self._next_look = NEVER
            if self._missing or self.pods.release < NEVER or self.nodes.release < NEVER:
                self._plan()
        return super().step()

    def next_deadline(self) -> float:
        """The next look; none while nothing has changed since the last."""
        return min(super().next_deadline(), self._next_look)

    def close(self) -> None:
        """Stop watching."""
        self.pods.close()
        self.nodes.close()

    def reconcile(self, key: str) -> float | None:
        """Remove one Pod: it has failed, if it had not ended; then it goes."""
        if key not in self._doomed:
            return None
        pod, condition = self._doomed[key]
        try:
            if not pod.finished:
                status: JsonObject = {"phase": "Failed"} | ({"conditions": [condition]} if condition else {})
                patch = {"metadata": {"uid": pod.uid}, "status": status}
                self.client.patch(
                    Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC, subresource="status"
                )  # fmt: skip
            self.client.delete(Pod, pod.name, pod.namespace, uid=pod.uid, grace_period=0)
        except (NotFound, Conflict):
            pass  # somebody was faster
        del self._doomed[key]
        return None

    # What is to go.

    def _plan(self) -> None:
        """There is news, or something to wait for: look around soon."""
        if self._next_look == NEVER:
            self._next_look = self.clock.now() + CHECK_PERIOD
            self._wake()

    def _look_around(self, now: float) -> None:
        for informer in (self.pods, self.nodes):
            if informer.stale or informer.release <= now:
                informer.drain()
        self._find_ended()
        self._find_out_of_service()
        self._find_orphans(now)
        for pod in self.pods.by_index(GOING, ""):
            self._doom(pod)

    def _find_ended(self) -> None:
        excess = self.pods.count(ENDED, ALL) - self.threshold
        if excess > 0:
            for pod in sorted(self.pods.by_index(ENDED, ALL), key=_evicted_and_oldest_first)[:excess]:
                self._doom(pod)

    def _find_out_of_service(self) -> None:
        for node in self.nodes.list():
            if node.ready != "True" and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints):
                for pod in self.pods.by_index(GOING, node.name):
                    self._doom(pod)

    def _find_orphans(self, now: float) -> None:
        missing = [node for node in self.pods.values(ON) if self.nodes.get(node) is None]
        self._missing = {node: self._missing.get(node, now + QUARANTINE) for node in missing}
        for node in missing:
            if self._missing[node] > now or self._exists(node):
                continue
            condition = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": to_rfc3339(now)}
            for pod in self.pods.by_index(ON, node):
                self._doom(pod, condition | ORPHANED)

    def _exists(self, node: str) -> bool:
        """Whether the API server knows the node: our cache may be behind."""
        try:
            self.client.get(Node, node)
        except NotFound:
            return False
        return True

    def _doom(self, pod: Pod, condition: JsonObject | None = None) -> None:
        self._doomed[pod.key] = pod, condition
        self.queue.add(pod.key)


def _evicted_and_oldest_first(pod: Pod) -> tuple[bool, str, str]:
    evicted = pod.status.phase == "Failed" and pod.status.reason == "Evicted"
    return not evicted, pod.metadata.creation_timestamp, pod.name


def _ended(pod: Pod) -> list[str]:
    return [ALL] if pod.finished else []


def _going(pod: Pod) -> list[str]:
    return [pod.spec.node_name] if pod.metadata.deleting else []


def _on(pod: Pod) -> list[str]:
    return [pod.spec.node_name] if pod.spec.node_name else []
