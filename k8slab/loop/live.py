"""Who works next, in real time: the same components, one thread each.

A component's thread sleeps until its watch wakes it or its next deadline comes. A component that raises is logged, left
alone for a second, and goes on: what matters is in etcd.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from k8slab.clock import NEVER, RealClock
from k8slab.loop.component import Component

log = logging.getLogger(__name__)

PAUSE_AFTER_A_FAULT = 1.0


@dataclass
class _Worker:
    component: Component
    woken: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    thread: threading.Thread | None = None


class LiveLoop:
    """Runs components on the machine's clock."""

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock
        self._workers: dict[str, _Worker] = {}
        self._paused = False

    @property
    def components(self) -> list[str]:
        """The names of the running components, sorted."""
        return sorted(self._workers)

    def add(self, component: Component) -> None:
        """Start a component in a thread of its own."""
        worker = _Worker(component)
        self._workers[component.name] = worker
        worker.thread = threading.Thread(target=self._work, args=(worker,), name=component.name, daemon=True)
        worker.thread.start()

    def remove(self, name: str) -> None:
        """Stop a component and wait until its turn is over. Raises KeyError if there is none of that name."""
        worker = self._workers.pop(name)
        self._stop(worker)
        self._join(worker)

    def wake(self, name: str) -> None:
        """Say that a component may have work; from any thread."""
        if worker := self._workers.get(name):
            worker.woken.set()

    def pause(self) -> None:
        """Nobody begins another unit of work until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        for worker in list(self._workers.values()):
            worker.woken.set()

    def close(self) -> None:
        """Stop all components and wait for their threads."""
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            self._stop(worker)
        for worker in workers:
            self._join(worker)

    def _work(self, worker: _Worker) -> None:
        component = worker.component
        while not worker.stopped:
            # Cleared before the work, not after it: who is woken meanwhile looks again.
            worker.woken.clear()
            until = NEVER
            try:
                while not (worker.stopped or self._paused) and component.step():
                    pass
                if not self._paused:
                    until = component.next_deadline()
            except Exception:
                log.exception("%s failed, and goes on", component.name)
                until = self.clock.now() + PAUSE_AFTER_A_FAULT
            self.clock.wait(worker.woken, until)

    def _stop(self, worker: _Worker) -> None:
        worker.stopped = True
        worker.woken.set()

    def _join(self, worker: _Worker) -> None:
        if worker.thread is not None and worker.thread is not threading.current_thread():
            worker.thread.join(timeout=10)
        worker.component.close()
