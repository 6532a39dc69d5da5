"""Back-off: the longer something has failed, the longer until the next try.

10 s, 20 s, 40 s ... 300 s; forgotten after twice the longest without a failure. Image pulls use it, containers that
end as soon as they are started (CrashLoopBackOff), and DaemonSets whose Pods fail (from 1 s to 15 min).

Models: k8s.io/client-go/util/flowcontrol/backoff.go.
"""

from __future__ import annotations

from dataclasses import dataclass

INITIAL, MAXIMUM = 10.0, 300.0


@dataclass(slots=True)
class _Entry:
    delay: float
    updated: float


class Backoff:
    """By key."""

    def __init__(self, initial: float = INITIAL, maximum: float = MAXIMUM) -> None:
        self._initial, self._maximum = initial, maximum
        self._entries: dict[str, _Entry] = {}

    def get(self, key: str) -> float:
        """The present delay in seconds, 0 if the key never failed."""
        entry = self._entries.get(key)
        return entry.delay if entry else 0.0

    def since(self, key: str, now: float) -> float:
        """How many seconds ago it failed last; infinity if it never did."""
        entry = self._entries.get(key)
        return now - entry.updated if entry else float("inf")

    def failed(self, key: str, now: float) -> None:
        """It failed again: twice the delay from now on; the first delay if that was long ago."""
        entry = self._entries.get(key)
        if entry is None or now - entry.updated > 2 * self._maximum:
            self._entries[key] = _Entry(self._initial, now)
        else:
            entry.delay = min(entry.delay * 2, self._maximum)
            entry.updated = now

    def ends(self, key: str, since: float) -> float:
        """Until when to wait after a failure at `since`; `since` itself if the last one was long ago."""
        entry = self._entries.get(key)
        if entry is None or since - entry.updated > 2 * self._maximum:
            return since
        return since + entry.delay

    def forget(self, prefix: str) -> None:
        """Drop the keys that begin so: their Pod has gone."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            del self._entries[key]
