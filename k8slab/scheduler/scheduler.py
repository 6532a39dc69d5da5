"""The scheduler: a node for each Pod that has none.

Take the first Pod of the queue. Ask every filter about every node. Score those that are left, take the best; between equals
chance decides. Say so to the API server: `POST pods/<name>/binding` is all that the scheduler ever changes. The kubelet of
that node sees the Pod come.

A Pod that was bound counts on its node at once (it is *assumed*), without waiting for the watch.

Models: pkg/scheduler/schedule_one.go, backend/cache/cache.go, eventhandlers.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.client.client import Client
from k8slab.client.informer import Informer
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock, to_rfc3339
from k8slab.names import Chance
from k8slab.scheduler.node_info import NodeInfo, PodInfo
from k8slab.scheduler.plugins import PLUGINS, Plugin, Verdict, filter_nodes, fit_error, score_nodes
from k8slab.scheduler.queue import SchedulingQueue

SCHEDULER_NAME = "default-scheduler"


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
    ) -> None:
        self.client, self.clock, self.chance, self.plugins = client, clock, chance, plugins
        self.recorder = EventRecorder(client, clock, SCHEDULER_NAME)
        self.queue = SchedulingQueue(clock)
        self.cache: dict[str, NodeInfo] = {}
        """The nodes by name, with what is on them."""
        self._where: dict[str, str] = {}
        # Pods on nodes that are not known (yet), by node.
        self._homeless: dict[str, dict[str, PodInfo]] = {}
        self._order: list[NodeInfo] = []
        self.nodes: Informer[Node] = Informer(client, Node, on_change=self._node_changed, wake=wake)
        self.pods: Informer[Pod] = Informer(client, Pod, on_change=self._pod_changed, wake=wake)

    def step(self) -> bool:
        """Place one Pod."""
        news = self.nodes.drain()
        news = self.pods.drain() or news
        waiting = self.queue.pop()
        if waiting is None:
            return news
        moves = self.queue.moves
        pod = PodInfo.of(waiting.pod)
        verdict = filter_nodes(self.plugins, pod, self._order)
        if not verdict.fitting:
            self._refuse(pod.pod, verdict, moves)
        else:
            self._bind(pod, self._choose(pod, verdict.fitting))
        self.queue.observer.ended(pod.pod.key, "" if verdict.fitting else "unschedulable")
        return True

    def next_deadline(self) -> float:
        """When a Pod comes out of its back-off, or a watch brings news that it held back."""
        return min(self.queue.next_ready(), self._next_release())

    def next_work(self) -> float:
        """The same: a Pod in back-off will be tried, whatever comes of it. One that is unschedulable only waits."""
        return min(self.queue.next_backoff(), self._next_release())

    def close(self) -> None:
        """Stop watching."""
        self.nodes.close()
        self.pods.close()

    def _choose(self, pod: PodInfo, nodes: Sequence[NodeInfo]) -> NodeInfo:
        if len(nodes) == 1:
            return nodes[0]
        scores = score_nodes(self.plugins, pod, nodes)
        best = max(scores)
        equal = [node for node, score in zip(nodes, scores, strict=True) if score == best]
        return equal[self.chance.integer("schedule", pod.pod.uid) % len(equal)]

    def _bind(self, pod: PodInfo, node: NodeInfo) -> None:
        meta = pod.pod.metadata
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "target": {"kind": "Node", "name": node.name},
        }
        try:
            self.client.raw("POST", Pod.resource.path(meta.namespace, meta.name, "binding"), body=binding)
        except (NotFound, Conflict):
            self.queue.remove(meta.uid)  # gone, or bound by somebody else: the watch will tell
            return
        except ApiError as error:
            self.recorder.event(pod.pod, "Warning", "FailedScheduling", f"binding rejected: {error.message}")
            self.queue.retry_later(meta.uid)
            return
        self.queue.remove(meta.uid)
        self._place(pod, node.name)
        message = f"Successfully assigned {meta.namespace}/{meta.name} to {node.name}"
        self.recorder.event(pod.pod, "Normal", "Scheduled", message)

    def _refuse(self, pod: Pod, verdict: Verdict, moves: int) -> None:
        message = fit_error(verdict, len(self._order))
        self.queue.failed(pod.uid, moves)
        self.recorder.event(pod, "Warning", "FailedScheduling", message)
        before = pod.condition("PodScheduled")
        if before is not None and (before.reason, before.message) == ("Unschedulable", message):
            return
        since = before.last_transition_time if before is not None and before.status == "False" else None
        condition: dict[str, Any] = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "observedGeneration": pod.metadata.generation,
            "lastTransitionTime": since or to_rfc3339(self.clock.now()),
        }
        others = [
            each.model_dump(by_alias=True, exclude_none=True)
            for each in pod.status.conditions
            if each.type != "PodScheduled"
        ]
        try:
            self.client.patch_status(Pod, pod.name, pod.namespace, {"conditions": [*others, condition]}, uid=pod.uid)
        except ApiError:
            return  # it has gone, or will be tried again

    def _next_release(self) -> float:
        return min(self.nodes.release, self.pods.release)

    # The cache.

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        before = self.cache.get(node.name)
        if new is None:
            self.cache.pop(node.name, None)
            if before is not None and before.pods:
                self._homeless[node.name] = before.pods
        else:
            pods = before.pods if before is not None else self._homeless.pop(node.name, {})
            self.cache[node.name] = NodeInfo.of(new, pods.values())
            if old is None or _matters(old, new):
                self.queue.move_all()
        self._order = [self.cache[name] for name in sorted(self.cache)]

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None or new.finished:
            self.queue.remove(pod.uid)
            if self._leave(pod.uid):
                self.queue.move_all()
        elif new.spec.node_name:
            self.queue.remove(new.uid)
            if self._where.get(new.uid) != new.spec.node_name:
                self._leave(new.uid)
                self._place(PodInfo.of(new), new.spec.node_name)
        elif new.metadata.deleting or new.spec.scheduling_gates:
            self.queue.remove(new.uid)
        elif new.spec.scheduler_name == SCHEDULER_NAME and new.uid not in self._where:
            self.queue.add(new)  # one that is placed and comes without a node is old news

    def _place(self, pod: PodInfo, node: str) -> None:
        self._where[pod.pod.uid] = node
        if node in self.cache:
            self.cache[node].add(pod)
        else:
            self._homeless.setdefault(node, {})[pod.pod.uid] = pod

    def _leave(self, uid: str) -> bool:
        node = self._where.pop(uid, None)
        if node is None:
            return False
        if node in self.cache:
            self.cache[node].remove(uid)
        else:
            self._homeless.get(node, {}).pop(uid, None)
        return True


def _matters(old: Node, new: Node) -> bool:
    """Whether a change of a node can make a Pod fit: a heartbeat cannot."""
    return (
        old.spec.taints != new.spec.taints
        or old.spec.unschedulable != new.spec.unschedulable
        or old.status.allocatable != new.status.allocatable
        or old.metadata.labels != new.metadata.labels
    )
