"""The scheduler: a node for each Pod that has none.

Take the first Pod of the queue. Ask every filter about every node (about some, where there are more than a hundred). Score
those that are left, take the best; between equals chance decides. Say so to the API server: `POST pods/<name>/binding` is all
that the scheduler ever says of where a Pod goes (`binding_cycle.py`). The kubelet of that node sees the Pod come.

What it considers is in its plugins (`framework.py`, `plugins/`): put in your own by `Scheduler(..., plugins=(*PLUGINS, Mine()))`.

Models: pkg/scheduler/scheduler.go, schedule_one.go (schedulingCycle, handleSchedulingFailure).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from k8slab.api.core import Namespace, Node, Pod
from k8slab.api.policy import PodDisruptionBudget
from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.informer import Informer
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock, to_rfc3339
from k8slab.names import Chance
from k8slab.scheduler.binding_cycle import BindingCycle
from k8slab.scheduler.cache import Cache, in_turn
from k8slab.scheduler.event_handlers import EventHandlers
from k8slab.scheduler.fit_error import fit_error
from k8slab.scheduler.framework import (
    POINTS,
    Plugin,
    Rescue,
    State,
    Verdict,
    filter_nodes,
    score_nodes,
    takes_part,
    totals,
)
from k8slab.scheduler.node_info import NodeInfo, PodInfo
from k8slab.scheduler.plugins import PLUGINS
from k8slab.scheduler.preemption import Budget, Candidate
from k8slab.scheduler.queue import SchedulingQueue

LEFT_OUT = (
    "Volumes and dynamic resources are not considered: a Pod with a claim is placed as if it had none.",
    "There is one profile, and no extenders; webhooks are plugins here.",
    "Filters and scores run one after the other, not 16 nodes at once; a binding is waited for.",
    "Plugins say which kinds of events may help a Pod (`wakes_on`); upstream's hints look at the objects too.",
)

SCHEDULER_NAME = "default-scheduler"
ALL_UP_TO, LOWEST_SHARE = 100, 5
"""So many nodes are all asked about; of more, a share that falls to so many per cent."""


RESULTS = {"": "scheduled", "waiting for permission": "scheduled", "unschedulable": "unschedulable"}
"""What came of an attempt, as it is counted; whatever else is an error."""


class Scheduler:
    """Places Pods."""

    name = "kube-scheduler"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        wake: Callable[[], None] = lambda: None,
        plugins: Sequence[Plugin] = PLUGINS,
        scheduler_name: str = SCHEDULER_NAME,
    ) -> None:
        """`scheduler_name`: of the Pods that it is for (`spec.schedulerName`)."""
        self.client, self.clock, self.chance, self.plugins = client, clock, chance, plugins
        self.scheduler_name = scheduler_name
        self.recorder = EventRecorder(client, clock, scheduler_name)
        self.queue = SchedulingQueue(clock, {plugin.name: plugin.wakes_on for plugin in plugins})
        self.cache = Cache()
        self.attempts: Counter[str] = Counter()
        """How often a Pod was tried, by what came of it."""
        self._start = 0
        self._points = {point: [each for each in plugins if takes_part(each, point)] for point in POINTS}
        self.binding = BindingCycle(client, clock, self.recorder, self.queue, self.cache, self._points, wake)
        self.waiting = self.binding.waiting
        self.news = news = EventHandlers(
            scheduler_name, self.queue, self.cache, self.waiting, self._points["pre_enqueue"]
        )  # fmt: skip
        self.nodes: Informer[Node] = Informer(client, Node, on_change=news.node_changed, wake=wake)
        self.pods: Informer[Pod] = Informer(client, Pod, on_change=news.pod_changed, wake=wake)
        self.namespaces: Informer[Namespace] = Informer(client, Namespace, on_change=news.namespace_changed, wake=wake)
        self.disruption_budgets: Informer[PodDisruptionBudget] = Informer(client, PodDisruptionBudget, wake=wake)
        self._informers: Sequence[Informer[Any]] = (self.nodes, self.pods, self.namespaces, self.disruption_budgets)

    def step(self) -> bool:
        """Place one Pod."""
        news = [
            informer.drain() for informer in self._informers if informer.stale or informer.release <= self.clock.now()
        ]
        if self.binding.settle_waiting():
            return True
        waiting = self.queue.pop()
        if waiting is None:
            return any(news)
        result = self._schedule(PodInfo.of(waiting.pod))
        self.attempts[RESULTS.get(result, "error")] += 1
        self.queue.observer.ended(waiting.pod.key, result)
        return True

    def allow(self, uid: str) -> None:
        """Give a Pod the permission that it waits for. One that does not wait is fine."""
        self.binding.allow(uid)

    def next_deadline(self) -> float:
        """When a Pod comes out of its back-off, or a watch brings news that it held back."""
        return min(self.queue.next_ready(), self._next_release(), self.binding.next_permission())

    def next_work(self) -> float:
        """The same: a Pod in back-off will be tried, whatever comes of it. One that is unschedulable only waits."""
        return min(self.queue.next_backoff(), self._next_release(), self.binding.next_permission())

    def close(self) -> None:
        """Stop watching."""
        for informer in self._informers:
            informer.close()

    # One Pod.

    def _schedule(self, pod: PodInfo) -> str:
        """One cycle; what came of it, if it was not a node."""
        moves = self.queue.moves
        state = self.cache.state(self.news.labels)
        verdict = self._look(state, pod)
        if verdict.fitting:
            return self.binding.take(pod, self._choose(state, pod, verdict.fitting))
        rescue = self._make_room(state, pod, verdict) if state.nodes else Rescue()
        self._refuse(pod.pod, verdict, moves, fit_error(verdict, len(state.nodes), rescue.message), rescue.node)
        return "unschedulable"

    def _look(self, state: State, pod: PodInfo) -> Verdict:
        """Which nodes will do, of enough of them. Where room is made for others, it is theirs."""
        expected = self.cache.expecting(state, pod)
        nodes = in_turn(expected.nodes, self._start)
        found = filter_nodes(self.plugins, expected, pod, nodes, enough_of(len(nodes)))
        if nodes and found.looked_at < len(nodes):
            self._start = (self._start + found.looked_at) % len(nodes)
        if expected is state or not found.fitting:
            return found
        # Those for whom room is made may never come: the node has to do without them too.
        real = [self.cache.nodes[node.name] for node in found.fitting]
        return filter_nodes(self.plugins, state, pod, real)

    def _choose(self, state: State, pod: PodInfo, nodes: Sequence[NodeInfo]) -> NodeInfo:
        if len(nodes) == 1:
            return nodes[0]
        nominated = pod.pod.status.nominated_node_name
        if nominated and any(node.name == nominated for node in nodes):
            return self.cache.nodes[nominated]
        scores = totals(score_nodes(self.plugins, state, pod, nodes), len(nodes))
        best = max(scores)
        equal = [node for node, score in zip(nodes, scores, strict=True) if score == best]
        return equal[self.chance.integer("schedule", pod.pod.uid) % len(equal)]

    def _refuse(self, pod: Pod, verdict: Verdict, moves: int, message: str, nominated: str) -> None:
        self.queue.failed(pod.uid, moves, verdict.refused_by)
        self.recorder.event(pod, "Warning", "FailedScheduling", message)
        before = pod.condition("PodScheduled")
        known = before is not None and (before.reason, before.message) == ("Unschedulable", message)
        if known and nominated == pod.status.nominated_node_name:
            return
        since = before.last_transition_time if before is not None and before.status == "False" else None
        condition = _condition(pod, "PodScheduled", "False", "Unschedulable", message, since or self._now())
        status: JsonObject = {"conditions": [condition]}
        if nominated or pod.status.nominated_node_name:
            status["nominatedNodeName"] = nominated or None
        with suppress(ApiError):  # it has gone, or will be tried again
            self._patch_status(pod, status)

    def _patch_status(self, pod: Pod, status: JsonObject) -> None:
        """Merge into a Pod's status: other conditions stay as they are."""
        body = {"metadata": {"uid": pod.uid}, "status": status}
        self.client.patch(Pod, pod.name, pod.namespace, body, content_type=STRATEGIC, subresource="status")

    # Making room.

    def _make_room(self, state: State, pod: PodInfo, verdict: Verdict) -> Rescue:
        expected = self.cache.expecting(state, pod)
        for plugin in self._points["post_filter"]:
            rescue = plugin.post_filter(self, expected, pod, verdict)
            if rescue.node:
                self.cache.nominated[pod.pod.uid] = (rescue.node, pod)
                return rescue
            if rescue.message:
                self.cache.nominated.pop(pod.pod.uid, None)
                return rescue
        return Rescue()

    def preempt(self, pod: PodInfo, candidate: Candidate) -> None:
        """Have the victims go, and say why."""
        told = f"{self.scheduler_name}: preempting to accommodate a higher priority pod"
        for victim in candidate.victims:
            found = self.pods.get(f"{victim.namespace}/{victim.name}")
            if found is None or found.uid != victim.uid:
                continue
            condition = _condition(found, "DisruptionTarget", "True", "PreemptionByScheduler", told, self._now())
            with suppress(ApiError):  # whatever goes wrong: the Pod will be tried again
                self._patch_status(found, {"conditions": [condition]})
                self.client.delete(Pod, found.name, found.namespace, uid=found.uid)
            message = f"Preempted by pod {pod.pod.uid} on node {candidate.node}"
            self.recorder.event(found, "Normal", "Preempted", message)
        for uid, (node, other) in list(self.cache.nominated.items()):
            if node == candidate.node and other.priority < pod.priority:
                del self.cache.nominated[uid]  # it has to look for another place

    def budgets(self) -> list[Budget]:
        """The disruption budgets, and what they allow now."""
        return [Budget.of(each) for each in self.disruption_budgets.list()]

    def _next_release(self) -> float:
        return min(informer.release for informer in self._informers)

    def _now(self) -> str:
        return to_rfc3339(self.clock.now())


def enough_of(nodes: int) -> int:
    """After how many fitting nodes the search ends; 0: it goes on to the last. Models: numFeasibleNodesToFind."""
    if nodes < ALL_UP_TO:
        return 0
    return max(ALL_UP_TO, nodes * max(50 - nodes // 125, LOWEST_SHARE) // 100)


def _condition(pod: Pod, kind: str, status: str, reason: str, message: str, since: str) -> JsonObject:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": pod.metadata.generation,
        "lastTransitionTime": since,
    }
