"""Ctrl-C, at a moment when it does no harm.

An interrupt in the middle of a component's turn would leave the cluster half moved. So while the cluster moves, an interrupt
is only noted, and raised at the next checkpoint: between two jumps of the clock, or between two requests.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], None]]:
    """Within it, Ctrl-C waits for a call of the function it gives; what was noted is raised at the end at the latest.

    Elsewhere than on the main thread there are no interrupts, and this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed = 0

    def note(signum: int, frame: Any) -> None:
        nonlocal pressed
        pressed += 1

    def checkpoint() -> None:
        nonlocal pressed
        if pressed:
            pressed = 0
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield checkpoint
        checkpoint()
    finally:
        signal.signal(signal.SIGINT, before)
