"""The Pods that wait for a node.

*Active*: to be tried now, those of high priority first. *Back-off*: tried in vain, and soon to be tried again.
*Unschedulable*: nothing has changed since they were tried. A change that may help them brings them back: each plugin says what
may change its mind (`wakes_on`). So do five minutes.

Models: pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from k8slab.api.core import Pod
from k8slab.clock import NEVER, Clock
from k8slab.observer import QUIET, Observer

INITIAL_BACKOFF, MAX_BACKOFF = 1.0, 10.0
FLUSH_SECONDS = 300.0


@dataclass(slots=True)
class Waiting:
    """A Pod in the queue."""

    pod: Pod
    since: float
    attempts: int = 0
    tried_at: float = 0.0
    refused_by: frozenset[str] = frozenset()
    """The plugins for whose sake no node would do, last time."""

    @property
    def backoff(self) -> float:
        """How long it waits after a failed attempt: 1, 2, 4, 8, 10 s."""
        return min(INITIAL_BACKOFF * 2.0 ** max(0, min(self.attempts, 10) - 1), MAX_BACKOFF)


class SchedulingQueue:
    """By UID, in three places."""

    def __init__(self, clock: Clock, wakes_on: Mapping[str, frozenset[str]] | None = None) -> None:
        self._clock = clock
        self._wakes_on = wakes_on or {}
        self.observer: Observer = QUIET
        self._pods: dict[str, Waiting] = {}
        self._active: list[tuple[int, float, int, str]] = []
        self._number = 0
        self._backoff: dict[str, float] = {}
        self._unschedulable: dict[str, float] = {}
        self._moves = 0
        """How often the cluster changed: who failed before the last change is tried again."""

    def add(self, pod: Pod) -> None:
        """A new Pod, or one that has changed."""
        waiting = self._pods.get(pod.uid)
        if waiting is None:
            self._pods[pod.uid] = Waiting(pod, self._clock.now())
            self._activate(pod.uid)
            return
        changed = waiting.pod.spec != pod.spec or waiting.pod.metadata.labels != pod.metadata.labels
        waiting.pod = pod
        if changed and self._unschedulable.pop(pod.uid, None) is not None:
            self._back_off(pod.uid)

    def remove(self, uid: str) -> None:
        """It has a node, or is gone."""
        self._pods.pop(uid, None)
        self._backoff.pop(uid, None)
        self._unschedulable.pop(uid, None)

    def pop(self) -> Waiting | None:
        """The next Pod to try; None if there is none now."""
        self._come_due()
        while self._active:
            *_, uid = heapq.heappop(self._active)
            waiting = self._pods.get(uid)
            if waiting is not None and uid not in self._backoff and uid not in self._unschedulable:
                waiting.attempts += 1
                waiting.tried_at = self._clock.now()
                self.observer.began(waiting.pod.key)
                return waiting
        return None

    @property
    def moves(self) -> int:
        """A number that rises when something changes that may help a Pod."""
        return self._moves

    def failed(self, uid: str, moves: int, refused_by: frozenset[str] = frozenset()) -> None:
        """No node would do, for the sake of these plugins. `moves`: what it was when the attempt began."""
        if uid not in self._pods:
            return
        self._pods[uid].refused_by = refused_by
        if moves != self._moves:
            self._back_off(uid)  # something changed meanwhile: worth another try
        else:
            self._unschedulable[uid] = self._clock.now() + FLUSH_SECONDS

    def move_all(self, event: str = "") -> None:
        """Something has changed: whom that may help is tried again, after the back-off. An empty event may help all."""
        self._moves += 1
        for uid in list(self._unschedulable):
            if self._may_help(event, self._pods[uid].refused_by):
                del self._unschedulable[uid]
                self._back_off(uid)

    def _may_help(self, event: str, refused_by: frozenset[str]) -> bool:
        if not event or not refused_by:
            return True
        return any(event in self._wakes_on.get(plugin, (event,)) for plugin in refused_by)

    def depths(self) -> dict[str, int]:
        """How many Pods wait, by where."""
        waiting = len(self._backoff) + len(self._unschedulable)
        return {
            "active": len(self._pods) - waiting, "backoff": len(self._backoff), "unschedulable": len(self._unschedulable)
        }  # fmt: skip

    def retry_later(self, uid: str) -> None:
        """An attempt broke off with an error: again after the back-off."""
        if uid in self._pods:
            self._back_off(uid)

    def next_ready(self) -> float:
        """When the next Pod comes out of its back-off, or is flushed; infinity if none waits."""
        if self._active:
            return self._clock.now()
        return min(self.next_backoff(), min(self._unschedulable.values(), default=NEVER))

    def next_backoff(self) -> float:
        """When the next Pod comes out of its back-off."""
        return min(self._backoff.values(), default=NEVER)

    def _back_off(self, uid: str) -> None:
        waiting = self._pods[uid]
        ends = waiting.tried_at + waiting.backoff
        if ends <= self._clock.now():
            self._activate(uid)
        else:
            self.observer.queued(waiting.pod.key, ends - self._clock.now())
            self._backoff[uid] = ends

    def _activate(self, uid: str) -> None:
        waiting = self._pods[uid]
        self.observer.queued(waiting.pod.key)
        self._number += 1
        heapq.heappush(self._active, (-(waiting.pod.spec.priority or 0), waiting.since, self._number, uid))

    def _come_due(self) -> None:
        now = self._clock.now()
        for table in (self._backoff, self._unschedulable):
            for uid in [uid for uid, when in table.items() if when <= now]:
                del table[uid]
                self.observer.due(self._pods[uid].pod.key)
                self._activate(uid)
