"""The queue of keys that a controller works off.

A key is in the queue at most once, however often it was added: many events make one reconcile. While a key is being worked
on, adding it again does not start a second worker; it comes back when the first is done. A key that failed comes back later
and later.

Models: k8s.io/client-go/util/workqueue (queue.go, delaying_queue.go, rate_limiting_queue.go, default_rate_limiters.go).
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque

from k8slab.clock import NEVER, Clock
from k8slab.metrics import Histogram
from k8slab.observer import QUIET, Observer

BASE_DELAY = 0.005
MAX_DELAY = 1000.0
QPS, BURST = 10.0, 100


DURATIONS = tuple(10.0**power for power in range(-8, 4))
"""Seconds, as the buckets of upstream's histograms."""


class QueueMeasures:
    """What a queue counts."""

    def __init__(self) -> None:
        self.adds = self.retries = 0
        self.waited, self.worked = Histogram(DURATIONS), Histogram(DURATIONS)
        """How long keys waited to be worked on, and how long that took."""


class WorkQueue:
    """Keys, in the order in which they were added."""

    def __init__(self, clock: Clock, name: str = "") -> None:
        self.name = name
        self.observer: Observer = QUIET
        self.longest_delay = MAX_DELAY
        """The longest that a key waits that fails again and again, in seconds."""
        self._clock = clock
        self._queue: deque[str] = deque()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        # (when, number, key, background): the number keeps the order of adding among equals.
        self._waiting: list[tuple[float, int, str, bool]] = []
        self._due: dict[tuple[str, bool], float] = {}
        self._numbers = itertools.count()
        self._failures: dict[str, int] = {}
        self._bucket = _Bucket(clock)
        self.measures = QueueMeasures()
        # Since when a key waits, or is worked on.
        self._added: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def __len__(self) -> int:
        self._collect()
        return len(self._queue)

    def add(self, key: str) -> None:
        """Queue a key, unless it is queued already."""
        self.observer.queued(key)
        self._add(key)

    def _add(self, key: str) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        self.measures.adds += 1
        self._added[key] = self._clock.now()
        if key not in self._processing:
            self._queue.append(key)

    def add_after(self, key: str, seconds: float, background: bool = False) -> None:
        """Queue a key when `seconds` have passed; the earliest of several wins.

        `background`: nobody waits for it. A cluster that only waits for such keys is idle.
        """
        if seconds <= 0:
            self.add(key)
            return
        when = self._clock.now() + seconds
        if when < self._due.get((key, background), NEVER):
            self.observer.queued(key, seconds)
            self._due[key, background] = when
            heapq.heappush(self._waiting, (when, next(self._numbers), key, background))

    def add_rate_limited(self, key: str, background: bool = False) -> None:
        """Queue a key that failed: after 5 ms, 10 ms, 20 ms ... 1,000 s, and not more than 10 a second of all keys."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.measures.retries += 1
        delay = min(BASE_DELAY * 2 ** min(failures, 40), self.longest_delay)
        self.add_after(key, max(delay, self._bucket.delay()), background)

    def failures(self, key: str) -> int:
        """How often a key failed since it was last forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """The key succeeded: the next failure is the first again."""
        self._failures.pop(key, None)

    def get(self) -> str | None:
        """The next key, None if there is none now. To be followed by `done`."""
        self._collect()
        if not self._queue:
            return None
        key = self._queue.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        now = self._began[key] = self._clock.now()
        self.measures.waited.observe(now - self._added.pop(key, now))
        self.observer.began(key)
        return key

    def done(self, key: str, result: str = "") -> None:
        """The work on a key is over, with this result; if it was added meanwhile, it is queued now."""
        self.observer.ended(key, result)
        self._processing.discard(key)
        now = self._clock.now()
        self.measures.worked.observe(now - self._began.pop(key, now))
        if key in self._dirty:
            self._queue.append(key)

    def next_ready(self) -> float:
        """When there will be a key, on the clock; infinity if none waits."""
        return self._next((False, True))

    def next_work(self) -> float:
        """The same without the background."""
        return self._next((False,))

    def _next(self, which: tuple[bool, ...]) -> float:
        if self._queue:
            return self._clock.now()
        return min((when for (_, background), when in self._due.items() if background in which), default=NEVER)

    def _collect(self) -> None:
        """Queue what has come due."""
        now = self._clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            when, _, key, background = heapq.heappop(self._waiting)
            if self._due.get((key, background)) == when:
                del self._due[key, background]
                self.observer.due(key)
                self._add(key)


class _Bucket:
    """So many a second, and a burst: for all keys together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens, self._since = float(BURST), clock.now()

    def delay(self) -> float:
        """Takes a token; the seconds until it is there."""
        now = self._clock.now()
        self._tokens = min(float(BURST), self._tokens + (now - self._since) * QPS)
        self._since = now
        self._tokens -= 1
        return 0.0 if self._tokens >= 0 else -self._tokens / QPS
