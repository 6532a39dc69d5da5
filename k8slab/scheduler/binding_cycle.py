"""The second half of an attempt: a node is chosen, and the Pod is bound to it, if all who have a say agree.

Reserve, Permit, PreBind, Bind, PostBind: whoever refuses ends it, and what was reserved is given back. A plugin may let a
Pod wait for its permission; meanwhile the Pod counts as placed, and the scheduler goes on with others.

Models: pkg/scheduler/schedule_one.go (assumeAndReserve, bindingCycle), framework/runtime/waiting_pods_map.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock
from k8slab.scheduler.cache import Cache
from k8slab.scheduler.framework import Plugin
from k8slab.scheduler.node_info import NodeInfo, PodInfo
from k8slab.scheduler.queue import SchedulingQueue


@dataclass(slots=True)
class Permitted:
    """A Pod that has its node, and waits for a plugin's permission."""

    pod: PodInfo
    node: str
    until: float
    plugin: str
    allowed: bool = False


class BindingCycle:
    """Binds Pods to the nodes that were chosen for them."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        recorder: EventRecorder,
        queue: SchedulingQueue,
        cache: Cache,
        points: Mapping[str, Sequence[Plugin]],
        wake: Callable[[], None],
    ) -> None:
        self.client, self.clock, self.recorder = client, clock, recorder
        self.queue, self.cache = queue, cache
        self.waiting: dict[str, Permitted] = {}
        """Pods that wait for permission, by UID."""
        self._points, self._wake = points, wake

    def take(self, pod: PodInfo, node: NodeInfo) -> str:
        """The node is chosen: ask those who have a say in it, and bind."""
        for plugin in self._points["reserve"]:
            if why := plugin.reserve(pod, node.name):
                return self._give_up(pod, node.name, f'running Reserve plugin "{plugin.name}": {why}')
        for plugin in self._points["permit"]:
            answer = plugin.permit(pod, node.name)
            if isinstance(answer, str) and answer:
                return self._give_up(pod, node.name, answer)
            if not isinstance(answer, str):
                self.cache.place(pod.pod, node.name)
                until = self.clock.now() + answer
                self.waiting[pod.pod.uid] = Permitted(pod, node.name, until, plugin.name)
                return "waiting for permission"
        return self._bind(pod, node.name)

    def _bind(self, pod: PodInfo, node: str) -> str:
        meta = pod.pod.metadata
        for plugin in self._points["pre_bind"]:
            if why := plugin.pre_bind(pod, node):
                return self._give_up(pod, node, f'running PreBind plugin "{plugin.name}": {why}')
        try:
            any(plugin.bind(self.client, pod, node) for plugin in self._points["bind"])
        except (NotFound, Conflict):
            self._unreserve(pod, node)
            self.queue.remove(meta.uid)  # gone, or bound by somebody else: the watch will tell
            return "gone, or bound already"
        except ApiError as error:
            return self._give_up(pod, node, f"binding rejected: {error.message}")
        self.queue.remove(meta.uid)
        self.cache.nominated.pop(meta.uid, None)
        self.cache.place(pod.pod, node)
        message = f"Successfully assigned {meta.namespace}/{meta.name} to {node}"
        self.recorder.event(pod.pod, "Normal", "Scheduled", message)
        for plugin in self._points["post_bind"]:
            plugin.post_bind(pod, node)
        return ""

    def _give_up(self, pod: PodInfo, node: str, why: str) -> str:
        """A node was chosen, and it came to nothing."""
        self._unreserve(pod, node)
        self.recorder.event(pod.pod, "Warning", "FailedScheduling", why)
        self.queue.retry_later(pod.pod.uid)
        return why

    def _unreserve(self, pod: PodInfo, node: str) -> None:
        self.cache.leave(pod.pod.uid)
        for plugin in reversed(self._points["unreserve"]):
            plugin.unreserve(pod, node)

    def allow(self, uid: str) -> None:
        """Give a Pod the permission that it waits for. One that does not wait is fine."""
        if uid in self.waiting:
            self.waiting[uid].allowed = True
            self._wake()

    def settle_waiting(self) -> bool:
        """Go on with one Pod that has its permission, or has waited for too long. False if there is none."""
        for uid, each in self.waiting.items():
            if each.allowed or each.until <= self.clock.now():
                del self.waiting[uid]
                self.queue.observer.began(each.pod.pod.key)
                late = f"pod {each.pod.pod.key!r} was not permitted in time by plugin {each.plugin!r}"
                result = self._bind(each.pod, each.node) if each.allowed else self._give_up(each.pod, each.node, late)
                self.queue.observer.ended(each.pod.pod.key, result)
                return True
        return False

    def next_permission(self) -> float:
        """When a Pod that waits goes on, or is given up; infinity if none waits."""
        return min((0.0 if each.allowed else each.until for each in self.waiting.values()), default=NEVER)
