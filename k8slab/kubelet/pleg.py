"""The pod lifecycle event generator: what the runtime holds of each Pod, and when to look at it again.

A kubelet cannot be told by its runtime; it looks (*relists*), and what is different from the last look is news. A runtime that
knows when its next container may end says so, and is looked at then; one that does not is looked at every second.

Models: pkg/kubelet/pleg/generic.go (Relist).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from k8slab.clock import NEVER, Clock
from k8slab.cri.api import CriError, Runtime
from k8slab.kubelet.jobs import TICK, whole_tick
from k8slab.kubelet.pod_state import PodState, read_state, read_states

log = logging.getLogger(__name__)

RELIST_PERIOD = 1.0


class Pleg:
    """The runtime's Pods, by UID, as of the last look. `watched`: whether there is any Pod to look for."""

    def __init__(self, name: str, runtime: Runtime, clock: Clock, watched: Callable[[], bool]) -> None:
        self.states: dict[str, PodState] = {}
        self.relist_at = clock.now()
        """When to look next."""
        self._name, self._runtime, self._clock, self._watched = name, runtime, clock, watched

    def relist(self) -> list[str] | None:
        """Look at the runtime; the Pods that have changed there, in the runtime's order. None if it could not be looked at."""
        try:
            states = read_states(self._runtime)
        except CriError as error:
            log.warning("%s: cannot list containers: %s", self._name, error)
            self.relist_at = self._clock.now() + RELIST_PERIOD
            return None
        before, self.states = self.states, states
        return [uid for uid in dict.fromkeys([*states, *before]) if states.get(uid) != before.get(uid)]

    def look_at(self, uid: str) -> bool:
        """Look at one Pod, with which something was done. That is no news, unless it has ended already: then True."""
        state = read_state(self._runtime, uid)
        ended = state is not None and state.ended and state != self.states.get(uid)
        if state is not None:
            self.states[uid] = state
        else:
            self.states.pop(uid, None)
        # Never later than planned: of another Pod there may be news that was due, and has not been looked at.
        self.relist_at = min(self.relist_at, self._next_relist())
        return ended

    def look_soon(self) -> None:
        """Something may have changed by another hand: look at once."""
        self.relist_at = self._clock.now()

    def plan(self) -> None:
        """All that the runtime has now is known: look again when it will have news."""
        self.relist_at = self._next_relist()

    def _next_relist(self) -> float:
        change = self._runtime.next_change()
        now = self._clock.now()
        if change is None:
            return now + RELIST_PERIOD if self._watched() else NEVER
        if change == NEVER:
            return NEVER
        # Rounded up to a whole tick, and never now again: a change that is due has been seen, and one that is due a millionth
        # of a second after a whole tick, by a clock that is wrong, is seen at the next.
        when = whole_tick(change)
        return max(when, round(now + TICK, 6)) if min(change, when) <= now else when
