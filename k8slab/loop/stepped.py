"""Who works next, in virtual time.

Components work in a seeded order until none has anything to do; only then, and only if someone asked for time to pass,
the clock jumps to the next deadline. Which component is next depends on the seed and on the store's revision alone, never
on a stream of random numbers: a read, which moves no revision, disturbs nothing.

The one invariant: the same seed and the same inputs give the same log, byte for byte.
A component's turn lasts until it has nothing left to do, so that many events make one reconcile. One whose step raises loses
nothing but a second: what matters is in etcd.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush

from k8slab.apimachinery.errors import ApiError
from k8slab.clock import NEVER, VirtualClock, to_rfc3339
from k8slab.loop.component import Component
from k8slab.loop.garbage import rare_collections
from k8slab.loop.instrument import UNWATCHED, LoopInstrument
from k8slab.loop.interrupts import deferred_interrupts
from k8slab.loop.player import Player
from k8slab.names import Chance

log = logging.getLogger(__name__)

PAUSE_AFTER_A_FAULT = 1.0
MAX_TURNS = 200_000
"""Units of work at one moment: far more than any cluster of a lab needs, unless two components undo each other's work."""


@dataclass(frozen=True)
class Halt:
    """Why a loop has stopped before it was done. In a notebook it shows as its sentence."""

    why: str

    def __str__(self) -> str:
        return f"stopped: {self.why}"

    __repr__ = __str__


class SteppedLoop:
    """Runs components on a virtual clock. `lock` is held while anything moves."""

    def __init__(self, clock: VirtualClock, chance: Chance, revision: Callable[[], int]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        # Called between two jumps of the clock, where everything is at rest: the place to raise a noted interrupt.
        self.checkpoint: Callable[[], None] = lambda: None
        self.instrument: LoopInstrument = UNWATCHED
        self.on_advance: Callable[[float], None] = lambda when: None
        """Called before each move of the clock."""
        self.turns = 0
        """How many units of work were done; a look around that found none counts too."""
        self.halt: Halt | None = None
        """Somebody asked to stop: then nothing moves on, until whoever asks for the next move takes this away."""
        self._player = Player(self)
        self._chance = chance
        self._revision = revision
        self._components: dict[str, Component] = {}
        # Those that may have work now. A dict used as an ordered set: only its sorted keys are ever looked at.
        self._ready: dict[str, None] = {}
        # Of those, the ones whose timer has just rung: they come first, so that what happens at one moment on many nodes
        # is one piece of news to the others.
        self._due: dict[str, None] = {}
        # The component whose turn it is, while it has work left.
        self._current = ""
        # (when, name), with stale entries: an entry counts only if it is still what `_deadlines` says.
        self._heap: list[tuple[float, str]] = []
        self._deadlines: dict[str, float] = {}
        self._work: dict[str, float] = {}
        # Who gets no turn before when.
        self._held: dict[str, float] = {}
        # Who stands still, and whether it had something in hand, or was called meanwhile.
        self._frozen: dict[str, bool] = {}
        self.working = ""
        """Who is in the middle of a unit of work."""

    @property
    def components(self) -> list[str]:
        """The names of the running components, sorted."""
        return sorted(self._components)

    def component(self, name: str) -> Component:
        """A running component. Raises KeyError if there is none of that name."""
        return self._components[name]

    def add(self, component: Component) -> None:
        """Start a component: it gets a turn at once."""
        self._components[component.name] = component
        self._ready[component.name] = None

    def remove(self, name: str) -> None:
        """Stop a component, as a crash would. Raises KeyError if there is none of that name."""
        component = self._components.pop(name)
        for table in (self._ready, self._due, self._deadlines, self._work, self._held, self._frozen):
            table.pop(name, None)
        if self._current == name:
            self._current = ""
        component.close()

    def wake(self, name: str) -> None:
        """Say that a component may have work. Safe for one that is gone."""
        if name in self._frozen:
            self._frozen[name] = True
        elif name in self._components and name not in self._held:
            self._ready[name] = None

    def hold(self, name: str, seconds: float, until: float = NEVER) -> None:
        """The component gets no turn before so many seconds have passed, or before `until`; several holds add up."""
        if name in self._components:
            self._held[name] = min(max(self._held.get(name, 0.0), self.clock.now()) + seconds, until)

    def freeze(self, name: str) -> None:
        """The component stands still until `thaw`, and notices nothing of it."""
        if name in self._components and name not in self._frozen:
            self._frozen[name] = name in self._ready
            for table in (self._ready, self._due, self._deadlines, self._work, self._held):
                table.pop(name, None)

    def thaw(self, name: str) -> None:
        """It goes on. What was in its hands comes first, before anybody's timer rings."""
        if (busy := self._frozen.pop(name, None)) is not None:
            self._ready[name] = None
            if busy:
                self._due[name] = None

    def next_component(self) -> str:
        """Whose turn it is; empty if nobody has work at this moment."""
        if self._current in self._ready:
            return self._current
        if not self._ready:
            return ""
        names = sorted(self._due) or sorted(self._ready)
        if len(names) > 1:
            return names[self._chance.integer("loop", self._revision()) % len(names)]
        return names[0]

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it, Ctrl-C waits until nobody is in the middle of something, and is raised then."""
        with deferred_interrupts() as checkpoint:
            before, self.checkpoint = self.checkpoint, checkpoint
            try:
                yield
            finally:
                self.checkpoint = before

    def play(self, speed: float) -> None:
        """Let time pass by itself, `speed` times as fast as real time. Raises ValueError unless `speed` is positive."""
        self._player.play(speed)

    @property
    def playing(self) -> bool:
        """Whether time passes by itself."""
        return self._player.playing

    def pause(self) -> None:
        """End `play`."""
        self._player.pause()

    def step(self) -> str:
        """One unit of work of one component, and its name. If nobody has work now, time moves to when someone has.

        Empty if nobody will ever have work.
        """
        with self.lock:
            while not (worked := self.turn()):
                if self.next_deadline() == NEVER:
                    return ""
                self.advance_to(self.next_deadline())
            return worked

    def turn(self) -> str:
        """One unit of work of one component; its name, or empty if nobody has work at this moment."""
        with self.lock:
            asked = False
            while name := self.next_component():
                self._current = name
                component = self._components[name]
                self._ready.pop(name)
                self._due.pop(name, None)
                self.instrument.turn(name)
                self.working = name
                worked = self._step(component)
                self.working = ""
                self.instrument.rest(name)
                if name not in self._components:
                    pass  # it was stopped in its own turn
                elif name in self._frozen:
                    self._frozen[name] = worked
                elif name in self._held:
                    self._wait_until(name, self._held[name])
                elif worked:
                    self._ready[name] = None
                else:
                    self._note_deadlines(component)
                asked = True
                if worked:
                    self.turns += 1
                    return name
            # Whoever was asked, and has no work, may have renewed a lease all the same.
            self.turns += asked
            self._current = ""
            return ""

    def _step(self, component: Component) -> bool:
        try:
            return component.step()
        except ApiError as error:
            log.debug("%s: %s", component.name, error.message)
        except Exception:
            log.exception("%s failed, and goes on", component.name)
        self.hold(component.name, PAUSE_AFTER_A_FAULT)
        return True

    @rare_collections()
    def settle(self) -> None:
        """Let everybody work until nobody has anything to do. No time passes. Raises RuntimeError if there is no end to it."""
        with self.lock:
            for _ in range(MAX_TURNS):
                if self.halt or not (worked := self.turn()):
                    return
            raise RuntimeError(
                f"the cluster does not come to rest: after {MAX_TURNS} units of work at the same moment, {worked} still has "
                "some; does its reconcile write something new each time?"
            )

    def next_deadline(self) -> float:
        """When the first component wants a turn; infinity if none ever does."""
        while self._heap and self._deadlines.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER

    def next_work(self) -> float:
        """The same, counting only work in progress."""
        return min(self._work.values(), default=NEVER)

    def jump(self, limit: float = NEVER) -> bool:
        """Move the clock to the next deadline, not past `limit`, and settle. False if no deadline came before it."""
        with self.lock:
            when = min(self.next_deadline(), limit)
            if when == NEVER:
                return False
            self.checkpoint()
            due = self.advance_to(when)
            self.settle()
            return due

    @rare_collections()
    def run_for(self, seconds: float) -> None:
        """Let this much virtual time pass."""
        with self.lock:
            self.settle()
            end = self.clock.now() + seconds
            while self.next_deadline() <= end and not self.halt:
                self.jump(end)
            if not self.halt:
                self.advance_to(end)

    @rare_collections()
    def run_until(self, done: Callable[[], bool], timeout: float) -> None:
        """Let time pass until `done()`, asked whenever nobody has work. Raises TimeoutError after `timeout` seconds."""
        with self.lock:
            self.settle()
            end = self.clock.now() + timeout
            while not self.halt and not done():
                if self.next_deadline() > end:
                    self.advance_to(end)
                    raise TimeoutError(
                        f"still not so after {timeout:g}s of virtual time, at {to_rfc3339(self.clock.now())}; "
                        "give a longer timeout, or look at the events: cluster.kubectl('get events')"
                    )
                self.jump(end)

    @rare_collections()
    def run_until_idle(self, timeout: float) -> None:
        """Let time pass until no work is in progress: what is left are heartbeats and back-offs.

        Raises TimeoutError, which names who is still busy, after `timeout` seconds.
        """
        with self.lock:
            self.settle()
            end = self.clock.now() + timeout
            while not self.halt and (work := self.next_work()) < NEVER:
                if work > end:
                    busy = sorted(name for name, when in self._work.items() if when < NEVER)
                    self.advance_to(end)
                    raise TimeoutError(f"still busy after {timeout:g}s of virtual time: {', '.join(busy)}")
                self.jump(end)

    def close(self) -> None:
        """Stop all components."""
        self.pause()
        with self.lock:
            for name in self.components:
                self.remove(name)

    def advance_to(self, when: float) -> bool:
        """Move the clock; whoever wanted a turn by then is ready, and works in the next turn. False if nobody was."""
        if when <= self.clock.now() < self.next_deadline():
            return False
        self.on_advance(when)
        self.clock.advance_to(when)
        due = False
        while self.next_deadline() <= self.clock.now():
            _, name = heappop(self._heap)
            del self._deadlines[name]
            self._held.pop(name, None)
            self._ready[name] = self._due[name] = None
            due = True
        return due

    def _wait_until(self, name: str, when: float) -> None:
        """The component has work, and has to wait with it."""
        self._deadlines[name] = self._work[name] = when
        heappush(self._heap, (when, name))

    def _note_deadlines(self, component: Component) -> None:
        name = component.name
        when = component.next_deadline()
        if when != self._deadlines.get(name):
            if when == NEVER:
                self._deadlines.pop(name, None)
            else:
                self._deadlines[name] = when
                heappush(self._heap, (when, name))
        work = component.next_work()
        if work == NEVER:
            self._work.pop(name, None)
        else:
            self._work[name] = work
