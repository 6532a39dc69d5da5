"""Who works next, in real time: the same components, one thread each.

A component's thread sleeps until its watch wakes it or its next deadline comes. A component that raises is logged, left
alone for a second, and goes on: what matters is in etcd.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from k8slab.apimachinery.errors import ApiError
from k8slab.clock import NEVER, RealClock, sleep_really, to_rfc3339
from k8slab.loop.component import Component
from k8slab.loop.instrument import UNWATCHED, LoopInstrument
from k8slab.loop.stepped import Halt

log = logging.getLogger(__name__)

PAUSE_AFTER_A_FAULT = 1.0
POLL_SECONDS = 0.02
LOOKS_UNTIL_IDLE = 3
"""At rest means: found at rest so many times, POLL_SECONDS apart. One look can fall between a write and its wake-up."""


@dataclass
class _Worker:
    component: Component
    woken: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    frozen: bool = False
    resting: bool = False
    """Whether it waits, having found nothing to do."""
    work: float = NEVER
    """When it wants a turn for work in progress, as of its last turn."""
    thread: threading.Thread | None = None


class LiveLoop:
    """Runs components on the machine's clock."""

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock
        self.instrument: LoopInstrument = UNWATCHED
        self.halt: Halt | None = None
        """Why somebody paused it in the middle of what it does."""
        self._workers: dict[str, _Worker] = {}
        self._paused = self._closed = False

    @property
    def components(self) -> list[str]:
        """The names of the running components, sorted."""
        return sorted(self._workers)

    def component(self, name: str) -> Component:
        """A running component. Raises KeyError if there is none of that name."""
        return self._workers[name].component

    def add(self, component: Component) -> None:
        """Start a component in a thread of its own."""
        if self._closed:  # a component had begun to start it
            component.close()
            return
        worker = _Worker(component)
        self._workers[component.name] = worker
        thread = threading.Thread(target=self._work, args=(worker,), name=component.name, daemon=True)
        thread.start()
        worker.thread = thread  # only now can it be waited for

    def remove(self, name: str) -> None:
        """Stop a component and wait until its turn is over. Raises KeyError if there is none of that name."""
        worker = self._workers.pop(name)
        self._stop(worker)
        self._join(worker)

    def wake(self, name: str) -> None:
        """Say that a component may have work; from any thread."""
        if worker := self._workers.get(name):
            worker.woken.set()

    @property
    def playing(self) -> bool:
        """Whether it is not paused."""
        return not self._paused

    def pause(self) -> None:
        """Nobody begins another unit of work until `play`."""
        self._paused = True

    def play(self, speed: float) -> None:
        """Go on after a pause. Raises ValueError for another speed than 1: this clock is the machine's."""
        if speed != 1.0:
            raise ValueError("a live cluster runs at the speed of the machine's clock; play a stepped one faster")
        self._paused = False
        for worker in list(self._workers.values()):
            worker.woken.set()

    def hold(self, name: str, seconds: float, until: float = NEVER) -> None:
        """Let the calling component wait, not longer than `until`: it has its thread for itself."""
        sleep_really(max(0.0, min(seconds, until - self.clock.now())))

    def freeze(self, name: str) -> None:
        """The component stands still until `thaw`: it begins no other unit of work."""
        if worker := self._workers.get(name):
            worker.frozen = True

    def thaw(self, name: str) -> None:
        """It goes on."""
        if worker := self._workers.get(name):
            worker.frozen = False
            worker.woken.set()

    @property
    def working(self) -> str:
        """Whose thread this is; empty for nobody's."""
        name = threading.current_thread().name
        return name if name in self._workers else ""

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C may come at any moment: the components run in other threads."""
        yield

    def settle(self) -> None:
        """Nothing to do: everybody works already."""

    def step(self) -> str:
        """Raises RuntimeError: threads cannot be stepped."""
        raise RuntimeError("a live cluster moves by itself; make a stepped one to step: Cluster(mode='stepped')")

    def run_for(self, seconds: float) -> None:
        """Let real time pass."""
        sleep_really(seconds)

    def run_until(self, done: Callable[[], bool], timeout: float) -> None:
        """Wait until `done()`, asked many times a second. Raises TimeoutError after `timeout` seconds."""
        end = self.clock.now() + timeout
        while not done():
            if self.clock.now() > end:
                raise TimeoutError(
                    f"still not so after {timeout:g}s, at {to_rfc3339(self.clock.now())}; "
                    "give a longer timeout, or look at the events: cluster.kubectl('get events')"
                )
            sleep_really(POLL_SECONDS)

    def run_until_idle(self, timeout: float) -> None:
        """Wait until no work is in progress. Raises TimeoutError, which names who is still busy."""
        end = self.clock.now() + timeout
        looks = 0
        while looks < LOOKS_UNTIL_IDLE:
            busy = sorted(name for name, worker in list(self._workers.items()) if not self._at_rest(worker))
            looks = 0 if busy else looks + 1
            if busy and self.clock.now() > end:
                raise TimeoutError(f"still busy after {timeout:g}s: {', '.join(busy)}")
            sleep_really(POLL_SECONDS)

    def close(self) -> None:
        """Stop all components and wait for their threads."""
        self._closed = True
        while self._workers:  # one that was about to be added may come after the first look
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
            worker.resting = False
            worker.woken.clear()
            until = worker.work = NEVER
            try:
                while not (worker.stopped or worker.frozen or self._paused) and self._step(component):
                    pass
                if not (worker.frozen or self._paused):
                    until, worker.work = component.next_deadline(), component.next_work()
            except ApiError as refusal:  # the API server's, in a sentence; such days there are
                log.warning("%s could not go on, and tries again: %s", component.name, refusal)
                until = self.clock.now() + PAUSE_AFTER_A_FAULT
            except Exception:
                log.exception("%s failed, and goes on", component.name)
                until = self.clock.now() + PAUSE_AFTER_A_FAULT
            worker.resting = True
            self.clock.wait(worker.woken, until)

    def _step(self, component: Component) -> bool:
        self.instrument.turn(component.name)
        try:
            return component.step()
        finally:
            self.instrument.rest(component.name)

    @staticmethod
    def _at_rest(worker: _Worker) -> bool:
        return worker.resting and not worker.woken.is_set() and worker.work == NEVER

    def _stop(self, worker: _Worker) -> None:
        worker.stopped = True
        worker.woken.set()

    def _join(self, worker: _Worker) -> None:
        if worker.thread is not None and worker.thread is not threading.current_thread():
            worker.thread.join(timeout=10)
        worker.component.close()
