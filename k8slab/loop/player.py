"""Virtual time that passes by itself: a stepped cluster, played like a film.

A thread moves the clock on, many times a second, by as much as the wall clock moved times the speed. It holds the loop's
lock only while it moves, so that commands come in between.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from k8slab.clock import Stopwatch
from k8slab.mistake import Mistake

log = logging.getLogger(__name__)

FRAME_SECONDS = 0.05
AS_FAST_AS_POSSIBLE = float("inf")
STRIDE_SECONDS = 10.0
"""As fast as possible means: so much virtual time, and again."""


class Playable(Protocol):
    """What can be played."""

    def run_for(self, seconds: float) -> None:
        """Let this much virtual time pass."""
        ...

    @property
    def halt(self) -> object | None:
        """Why it stopped before that; None if it did not."""
        ...


class Player:
    """Plays one loop."""

    def __init__(self, loop: Playable) -> None:
        self._loop = loop
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def play(self, speed: float) -> None:
        """Begin, or go on at another speed; infinity: as fast as possible. Raises ValueError unless `speed` is positive."""
        if not speed > 0:
            raise Mistake(f"cannot play at speed {speed}: use a positive number, such as 1 (real time) or 60")
        self.pause()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(speed, self._stop), name="player", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop, and wait until the frame that is under way is over."""
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self, speed: float, stop: threading.Event) -> None:
        watch = Stopwatch()
        played = 0.0
        hurry = speed == AS_FAST_AS_POSSIBLE
        while not stop.wait(0.0 if hurry else FRAME_SECONDS):
            due = STRIDE_SECONDS if hurry else watch.elapsed() * speed - played
            try:
                self._loop.run_for(due)
            except Exception:
                log.exception("playing stopped")
                return
            if self._loop.halt is not None:
                return
            played += due

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._thread is not None and self._thread.is_alive()
