"""For tests of threads and processes, which no virtual clock rules."""

from __future__ import annotations

from collections.abc import Callable

from k8slab.clock import Stopwatch, sleep_really


def eventually(condition: Callable[[], object], within: float = 20.0) -> bool:
    """Whether the condition comes true: asked often, given up only after a time that no healthy machine needs."""
    watch = Stopwatch()
    while not condition():
        if watch.elapsed() > within:
            return False
        sleep_really(0.005)
    return True
