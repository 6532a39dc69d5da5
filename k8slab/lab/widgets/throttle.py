"""Not more often than ten times a second, and never the last change forgotten.

A cluster changes thousands of times in one command. A browser that is told each time falls behind by seconds, so changes
are gathered: the first is passed on at once, further ones at the latest an interval later, however many they are. A call
that takes long, the layout of a thousand boxes, gets a longer interval: drawing takes a fifth of the time at most.

Two cases are told apart. While a cell runs, the kernel's event loop stands still, so whoever pokes late enough makes the
call; after it, the loop does. Pokes from other threads are handed to the loop. Without a loop (plain Python) nobody is
watching, and whoever wants to see asks by `flush`. k8slab's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from k8slab.clock import Stopwatch

INTERVAL = 0.1
SHARE = 5
"""A call that took a second is made every `SHARE` seconds at most."""


class Timer(Protocol):
    """Where a later call can be ordered."""

    def elsewhere(self) -> bool:
        """Whether the caller is on another thread than the calls are made on."""
        ...

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back on the right thread, from any thread."""
        ...

    def later(self, delay: float, callback: Callable[[], None]) -> bool:
        """Call back after `delay` seconds; False where there is no loop to do so."""
        ...


class KernelTimer:
    """The event loop of the kernel, as a timer. It is the loop that runs when the timer is first used inside one."""

    def __init__(self) -> None:
        self._loop = _running()

    def elsewhere(self) -> bool:
        """Whether the caller is on another thread than the loop."""
        if self._loop is None:
            self._loop = _running()
        return self._loop is not None and _running() is not self._loop

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back on the loop's thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                self._loop.call_soon_threadsafe(callback)

    def later(self, delay: float, callback: Callable[[], None]) -> bool:
        """Call back after `delay` seconds; False where no loop runs."""
        if self._loop is None or self._loop.is_closed():
            return False
        self._loop.call_later(delay, callback)
        return True


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Throttle:
    """Makes a call, but not too often. `elapsed` counts real seconds."""

    def __init__(
        self, call: Callable[[], None], timer: Timer | None = None, elapsed: Callable[[], float] | None = None
    ) -> None:
        self._call = call
        self.timer = timer or KernelTimer()
        self._elapsed = elapsed or Stopwatch().elapsed
        self._next = 0.0
        """When the next call may be made."""
        self._ordered = False
        """Whether a later call is on its way; it will see whatever has changed until then."""
        self._handed_over = False
        """The same for a poke from another thread."""

    def poke(self) -> None:
        """Something has changed: have the call made, now or soon. Cheap, and may be called from any thread."""
        if self.timer.elsewhere():
            if not self._handed_over:
                self._handed_over = True
                self.timer.soon(self._taken_over)
            return
        wait = self._next - self._elapsed()
        if wait <= 0:
            self.flush()
        elif not self._ordered:
            self._ordered = self.timer.later(wait, self._due)

    def flush(self) -> None:
        """Make the call now."""
        start = self._elapsed()
        try:
            self._call()
        finally:
            end = self._elapsed()
            self._next = end + max(INTERVAL, (end - start) * (SHARE - 1))

    def _taken_over(self) -> None:
        self._handed_over = False
        self.poke()

    def _due(self) -> None:
        # A poke during a long cell may have made the call already; one more finds no difference, and sends nothing.
        self._ordered = False
        self.poke()
