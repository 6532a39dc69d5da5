"""What the watches tell the scheduler: who waits for a node, who has one, and what may help those who were refused.

Models: pkg/scheduler/eventhandlers.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Namespace, Node, Pod
from k8slab.scheduler.cache import Cache
from k8slab.scheduler.framework import NODE, POD_CHANGED, POD_GONE, POD_PLACED, Plugin
from k8slab.scheduler.node_info import PodInfo
from k8slab.scheduler.queue import SchedulingQueue


class EventHandlers:
    """Keeps the queue and the cache up to date."""

    def __init__(
        self,
        scheduler_name: str,
        queue: SchedulingQueue,
        cache: Cache,
        waiting: dict[str, Any],
        pre_enqueue: Sequence[Plugin],
    ) -> None:
        """`waiting`: who waits for permission, by UID. `pre_enqueue`: who says whether a Pod may wait for a node at all."""
        self.queue, self.cache = queue, cache
        self.labels: dict[str, Mapping[str, str]] = {}
        """Of namespaces, by name."""
        self._scheduler_name, self._waiting, self._pre_enqueue = scheduler_name, waiting, pre_enqueue

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        """A node came, changed, or went."""
        if new is None:
            assert old is not None
            self.cache.remove_node(old.name)
        elif self.cache.set_node(new):
            self.queue.move_all(NODE)

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """A Pod came, changed, or went."""
        pod = new or old
        assert pod is not None
        if new is None or new.finished:
            self._forget(pod.uid)
            if self.cache.leave(pod.uid):
                self.queue.move_all(POD_GONE)
        elif new.spec.node_name:
            known = new.uid in self.cache
            self._forget(new.uid)
            if not known or old is None or _matters(old, new):
                self.cache.place(new, new.spec.node_name)
            if not known:
                self.queue.move_all(POD_PLACED)
            elif old is not None and old.metadata.labels != new.metadata.labels:
                self.queue.move_all(POD_CHANGED)
        elif new.metadata.deleting or any(plugin.pre_enqueue(new) for plugin in self._pre_enqueue):
            self._forget(new.uid)
        elif new.spec.scheduler_name == self._scheduler_name and new.uid not in self.cache:
            self.queue.add(new)  # one that is placed and comes without a node is old news
            if new.status.nominated_node_name:
                self.cache.nominated.setdefault(new.uid, (new.status.nominated_node_name, PodInfo.of(new)))

    def namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        """A namespace came, changed, or went."""
        if new is not None:
            self.labels[new.name] = new.metadata.labels
        elif old is not None:
            self.labels.pop(old.name, None)

    def _forget(self, uid: str) -> None:
        self.queue.remove(uid)
        self._waiting.pop(uid, None)
        self.cache.nominated.pop(uid, None)


def _matters(old: Pod, new: Pod) -> bool:
    """Whether something has changed of a Pod that others have to reckon with."""
    return (
        (old.metadata.labels, old.metadata.deleting) != (new.metadata.labels, new.metadata.deleting)
        or old.status.start_time != new.status.start_time
        or old.spec != new.spec
    )
