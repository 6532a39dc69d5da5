"""Back-off: the longer something has failed, the longer until the next try.

10 s, 20 s, 40 s ... 300 s; forgotten after twice the longest without a failure. Two use it: image pulls, and containers that
end as soon as they are started (CrashLoopBackOff).

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
