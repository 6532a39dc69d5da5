"""Time, as an argument.

Every component is given a `Clock` and never reads the machine's. In stepped mode it is a `VirtualClock`, which stands
still until the loop moves it: a test of a five-minute back-off takes a millisecond, and runs the same way twice.
In live mode it is a `RealClock`, which may run at a speed factor.

This is the only module that imports `time`.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

EPOCH = 1_767_225_600.0
"""Where virtual time starts: 2026-01-01T00:00:00Z, in seconds since the Unix epoch."""

NEVER = float("inf")
"""The deadline of someone who waits for nothing but an event."""


class Clock(Protocol):
    """Tells the time, in seconds since the Unix epoch."""

    def now(self) -> float:
        """The time now, in seconds since the Unix epoch."""
        ...


class VirtualClock:
    """A clock that stands still until it is told to advance."""

    def __init__(self, start: float = EPOCH) -> None:
        self._now = start

    def now(self) -> float:
        """The virtual time, in seconds since the Unix epoch."""
        return self._now

    def advance_to(self, when: float) -> None:
        """Move to `when`. Time never runs backwards: an earlier `when` changes nothing."""
        # Not rounded: whoever waits for exactly this moment must find it come.
        self._now = max(self._now, when)


class RealClock:
    """The machine's clock, running `speed` times as fast from the moment it is made."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._wall_start = time.time()
        self._monotonic_start = time.monotonic()

    def now(self) -> float:
        """The time, in seconds since the Unix epoch."""
        return self._wall_start + (time.monotonic() - self._monotonic_start) * self.speed

    def wait(self, event: threading.Event, until: float) -> bool:
        """Block until `event` is set or this clock shows `until`; True if the event was set."""
        if until == NEVER:
            return event.wait()
        return event.wait(max(0.0, (until - self.now()) / self.speed))


class SkewedClock:
    """A clock that is wrong: `ahead` seconds ahead of another one (negative: behind), and from now on `rate` times as fast."""

    def __init__(self, base: Clock, ahead: float = 0.0, rate: float = 1.0) -> None:
        self._base, self.ahead, self.rate = base, ahead, rate
        self._since = base.now()

    def now(self) -> float:
        """The time that it shows, in seconds since the Unix epoch."""
        return self.shown(self._base.now())

    def shown(self, moment: float) -> float:
        """What it shows at a moment of the right clock."""
        if self.rate == 1.0 or moment == NEVER:
            return moment + self.ahead
        return moment + self.ahead + (moment - self._since) * (self.rate - 1.0)

    def moment(self, shown: float) -> float:
        """The moment of the right clock at which it shows a time, or has just passed it: never one at which it is yet to come."""
        if shown == NEVER:
            return NEVER
        right = shown - self.ahead
        found = right if self.rate == 1.0 else self._since + (right - self._since) / self.rate
        while self.shown(found) < shown:
            found = math.nextafter(found, NEVER)
        return found

    def deadline(self, moment: float) -> float:
        """What it shows at a moment, or shortly after it: whoever waits for that waits until the moment has come."""
        found = self.shown(moment)
        while self.moment(found) < moment:
            found = math.nextafter(found, NEVER)
        return found

    @property
    def state(self) -> tuple[float, ...]:
        """All that makes it wrong."""
        return (self.ahead, self.rate, self._since if self.rate != 1.0 else 0.0)


class Stopwatch:
    """Real seconds, whatever the cluster's clock shows: for processes outside the cluster, and for benchmarks."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def elapsed(self) -> float:
        """Real seconds since this stopwatch was made."""
        return time.monotonic() - self._start


def sleep_really(seconds: float) -> None:
    """Block this thread for `seconds` of the machine's time: only for waiting on processes outside the cluster."""
    time.sleep(seconds)


def to_rfc3339(when: float) -> str:
    """`when` as a Kubernetes Time: `2026-01-01T00:00:00Z`, whole seconds."""
    return _whole_second(int(when))


@lru_cache(maxsize=256)
def _whole_second(second: int) -> str:
    # A cluster says the same second thousands of times.
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_rfc3339_micro(when: float) -> str:
    """`when` as a Kubernetes MicroTime: `2026-01-01T00:00:00.000000Z`."""
    return datetime.fromtimestamp(round(when, 6), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_rfc3339(text: str) -> float:
    """The seconds since the Unix epoch that a Time or MicroTime names. Raises ValueError on anything else."""
    return datetime.fromisoformat(text).timestamp()


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | float) -> float:
    """Seconds in a duration such as `60s`, `1m30s`, `250ms`, `2h` or a plain number of seconds.

    Raises ValueError, which names the text, on anything else.
    """
    if isinstance(text, (int, float)):
        return float(text)
    rest, total = text.strip(), 0.0
    try:
        while rest:
            digits = len(rest) - len(rest.lstrip("0123456789."))
            tail = rest[digits:]
            unit = "ms" if tail.startswith("ms") else tail[:1] or "s"
            total += float(rest[:digits]) * _UNITS[unit]
            rest = tail[len(unit) :]
    except (ValueError, KeyError):
        raise ValueError(f"not a duration: {text!r}; write for example '60s', '1m30s', '2h' or a number") from None
    if not text.strip():
        raise ValueError("an empty text is not a duration; write for example '60s'")
    return total
