"""Work that takes time: pulling an image, waiting until a container has stopped.

A kubelet's step may not wait. So it hands such work over, and asks later what has come of it. On a virtual clock nobody can
wait: the call is made at once, and its answer is held back for as long as it says it takes. With a real runtime a pool of
threads makes the calls, and the kubelet goes on renewing its lease meanwhile.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from k8slab.clock import NEVER, Clock

WORKERS = 8
TICK = 0.1
"""On a virtual clock work ends at whole ticks, so that the kubelets of many nodes act together."""

Call = Callable[[], "tuple[Any, float]"]
"""Does the work. Returns what came of it, and how many simulated seconds it takes (0 for real work)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    key: str
    result: Any = None
    error: Exception | None = None


def whole_tick(when: float) -> float:
    """The first whole tick that is not before `when`."""
    return round(ceil(when / TICK - 1e-6) * TICK, 6)


class Jobs(Protocol):
    """Where a kubelet hands work over. One job for a key at a time."""

    def start(self, key: str, call: Call) -> None:
        """Begin."""
        ...

    def running(self, key: str) -> bool:
        """Whether a job of this key is under way."""
        ...

    def finished(self) -> list[Outcome]:
        """What has come to an end since the last look."""
        ...

    def next_ready(self) -> float:
        """When the next one ends, as far as the clock knows; infinity if none is under way, or a thread will tell."""
        ...

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        ...

    def close(self) -> None:
        """Take no more work; what is under way is left to end by itself."""
        ...


class InlineJobs:
    """On a virtual clock: done at once, told later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, Outcome]] = []
        self._keys: set[str] = set()
        self._numbers = itertools.count()

    def start(self, key: str, call: Call) -> None:
        """Make the call; its outcome is told after the seconds that it takes."""
        seconds = 0.0
        try:
            result, seconds = call()
            outcome = Outcome(key, result)
        except Exception as error:
            outcome = Outcome(key, error=error)
        self._keys.add(key)
        now = self._clock.now()
        when = whole_tick(now + seconds) if seconds else now
        heapq.heappush(self._waiting, (when, next(self._numbers), outcome))

    def running(self, key: str) -> bool:
        """Whether its outcome is still held back."""
        return key in self._keys

    def finished(self) -> list[Outcome]:
        """Those whose time has come."""
        found = []
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            outcome = heapq.heappop(self._waiting)[2]
            self._keys.discard(outcome.key)
            found.append(outcome)
        return found

    def next_ready(self) -> float:
        """When the next is told."""
        return self._waiting[0][0] if self._waiting else NEVER

    @property
    def busy(self) -> bool:
        """Whether any is held back."""
        return bool(self._waiting)

    def close(self) -> None:
        """Forget what is held back."""
        self._waiting.clear()
        self._keys.clear()


class ThreadJobs:
    """With a real runtime: threads do the work, and wake the kubelet when it is done."""

    def __init__(self, wake: Callable[[], None], name: str = "kubelet") -> None:
        self._wake = wake
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"{name}-worker")
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._keys: set[str] = set()

    def start(self, key: str, call: Call) -> None:
        """Hand the call to a thread."""
        self._keys.add(key)
        self._pool.submit(self._run, key, call)

    def running(self, key: str) -> bool:
        """Whether its outcome was not asked for yet."""
        return key in self._keys

    def finished(self) -> list[Outcome]:
        """Those that threads have finished."""
        found: list[Outcome] = []
        while True:
            try:
                outcome = self._done.get_nowait()
            except Empty:
                return found
            self._keys.discard(outcome.key)
            found.append(outcome)

    def next_ready(self) -> float:
        """A thread will tell: `wake` is called."""
        return NEVER

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return bool(self._keys)

    def close(self) -> None:
        """Take no more; wait for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: str, call: Call) -> None:
        try:
            result, _ = call()
            self._done.put(Outcome(key, result))
        except Exception as error:
            self._done.put(Outcome(key, error=error))
        self._wake()
