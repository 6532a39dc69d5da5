"""Telling onlookers that a cluster has changed: whichever engine it holds, and only while somebody looks.

They are told between two units of work, so they may look at the cluster at once. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.lab.trace import Trace


class Changes:
    """The onlookers of one cluster."""

    def __init__(self) -> None:
        self._onlookers: list[Callable[[], None]] = []
        self._trace: Trace | None = None
        self._leave: Callable[[], None] = lambda: None

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after every change, from any thread; what comes back ends that."""
        self._onlookers.append(callback)
        self._attach()

        def leave() -> None:
            if callback in self._onlookers:
                self._onlookers.remove(callback)
                self._attach()

        return leave

    def watch(self, trace: Trace) -> None:
        """Another engine, with another trace: that is a change too."""
        self._trace = trace
        self._attach()
        self.tell()

    def tell(self) -> None:
        """Something has changed."""
        for callback in tuple(self._onlookers):
            callback()

    def _attach(self) -> None:
        self._leave()
        self._leave = lambda: None
        if self._onlookers and self._trace is not None:
            self._leave = self._trace.look_on(self.tell)
