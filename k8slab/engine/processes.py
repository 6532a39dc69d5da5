"""The components of a cluster as processes: each can be killed at any moment, and made again.

A process has a line to the API server and a clock, and nothing else in common with the others. Of one that was killed nothing
is kept but how it is made. What can be wrong with a process is wrong here, outside of it: its line is cut, its clock is ahead,
it stands still.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from k8slab.apimachinery.rest import Transport, UserInfo
from k8slab.client.client import Client
from k8slab.client.line import Line
from k8slab.clock import NEVER, Clock, SkewedClock
from k8slab.engine.candidates import PART, Candidate, process_of
from k8slab.engine.instrument import Instrument
from k8slab.engine.skewed import Skewed
from k8slab.loop.component import Component
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop
from k8slab.names import Chance

Make = Callable[[], Component]


class Processes:
    """All components of a cluster, those that run and those that do not. `transport` leads to the API server."""

    def __init__(
        self, loop: SteppedLoop | LiveLoop, transport: Transport, clock: Clock, chance: Chance, instrument: Instrument
    ) -> None:
        self.components: dict[str, Make] = {}
        """How each component is made, by name: one that crashed can be made again."""
        self.running: dict[str, Component] = {}
        """Those that run, as they were made."""
        self.candidates: dict[str, Candidate] = {}
        """Those who stand for election, by name; also those that do not run at the moment."""
        self.lines: dict[str, Line] = {}
        """The line of each process to the API server."""
        self.skews: dict[str, SkewedClock] = {}
        """The clocks of processes whose clock is wrong."""
        self._loop, self._transport, self._clock, self._chance = loop, transport, clock, chance
        self._instrument = instrument

    # What one is given when it is made.

    def client(self, process: str, user: UserInfo, agent: str = "") -> Client:
        """A client over the line of a process; `agent` is what it calls itself, if it is only a part of that."""
        if process not in self.lines:
            wait = partial(self._wait, process)
            self.lines[process] = Line(self._transport, self._clock, self._chance, process, wait)
        return Client(self.lines[process], user, agent or process)

    def clock(self, process: str) -> Clock:
        """What a process takes for the time."""
        return self.skews.get(process, self._clock)

    def waker(self, name: str) -> Callable[[], None]:
        """What a component is woken with."""
        return partial(self._loop.wake, name)

    # Life and death.

    def add(self, name: str, make: Make) -> None:
        """Put a component in, and start it."""
        self.components[name] = make
        self.start(name)

    def start(self, name: str) -> None:
        """Start a component that does not run; it learns all it must know from the API server and the runtime."""
        component = self.components[name]()
        self.running[name] = component
        if isinstance(component, Candidate):
            self.candidates[name] = component
        self._instrument.component(component)
        wrong = self.skews.get(process_of(name))
        self._loop.add(Skewed(component, wrong) if wrong else component)

    def crash(self, name: str) -> None:
        """Stop a component as a crash would, with its parts: nothing is said to anyone."""
        self._remove(name)
        self.end_parts(name)
        if line := self.lines.get(name):
            line.thaw()

    def stop(self, name: str) -> None:
        """Stop a component in good order: a leader gives its lease back, when its parts have ended."""
        self.crash(name)
        if candidate := self.candidates.get(name):
            candidate.elector.release()

    def freeze(self, name: str) -> None:
        """Let a process stand still, all of it."""
        self.lines[name].frozen = True
        for each in (name, *self.parts_of(name)):
            self._loop.freeze(each)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        self.lines[name].thaw()
        for each in (name, *self.parts_of(name)):
            self._loop.thaw(each)

    def runs(self, name: str) -> bool:
        """Whether a component runs."""
        return name in self.running

    def parts_of(self, name: str) -> list[str]:
        """What runs inside a process because it leads."""
        return sorted(each for each in list(self.running) if each.startswith(name + PART))

    def end_parts(self, name: str) -> None:
        """Throw them away: it does not lead any more."""
        for part in self.parts_of(name):
            self._remove(part)

    def _remove(self, name: str) -> None:
        self._loop.remove(name)
        del self.running[name]
        self._instrument.ended(name)

    def _wait(self, process: str, seconds: float) -> None:
        """Whoever of a process is at work waits for an answer; who leads does not wait for one longer than it leads."""
        worker = self._loop.working or process
        candidate = self.candidates.get(worker)
        until = candidate.elector.deadline if candidate is not None else NEVER
        wrong = self.skews.get(process)
        self._loop.hold(worker, seconds, wrong.moment(until) if wrong is not None else until)
