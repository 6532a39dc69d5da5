"""Where a loop can be watched from outside: each turn.

k8slab's own; the shape is trio's `Instrument`: hooks that do nothing, to be overridden.
"""

from __future__ import annotations


class LoopInstrument:
    """Called by a loop, on the thread that works. Does nothing."""

    def turn(self, component: str) -> None:
        """A component is about to do a unit of work."""

    def rest(self, component: str) -> None:
        """It has done it, or found that there was none."""


UNWATCHED = LoopInstrument()
