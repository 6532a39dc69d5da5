"""The trace: everything that happens in a cluster, in one order, each with its cause.

It sits at the joints and nowhere else: requests (the API server's observers), commits (the store's subscription), news, keys
and units of work (the components' observers), calls to container runtimes (a runtime around the runtime), inputs and moves of
the clock (the engine's instrument). A component's code knows nothing of it, and the history is byte-equal with and without.

What is being worked on is kept for each thread: in stepped mode all work is done on one, in live mode each component has its
own. Memory is bounded: the oldest records go first. A trace that raises is switched off, and says so.

k8slab's own.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from k8slab.apiserver.audit import AuditRecord
from k8slab.cri.api import Runtime
from k8slab.engine.engine import Engine, LogEntry
from k8slab.engine.inputs import Fault, Input, Passed
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import Command
from k8slab.kubelet.jobs import Jobs
from k8slab.lab import records
from k8slab.lab.records import Record, object_of
from k8slab.lab.traced_runtime import TracedJobs, traced_runtime
from k8slab.loop.component import Component
from k8slab.observer import Observer, Told

log = logging.getLogger(__name__)

CAPACITY = 200_000
"""Records that are kept."""
KEYS_REMEMBERED = 10_000
"""Of how many keys a component's last work is known: where it goes on later, that is its cause."""


_new_tuple = tuple.__new__
_NONE = (0, "")


class _Now:
    """What a thread is doing."""

    __slots__ = ("asked", "component", "keyed", "looking", "unit")

    def __init__(self) -> None:
        self.component = ""
        self.unit = 0
        """The number of the record of the work under way; 0: none yet."""
        self.keyed = False
        """Whether that work is for a key."""
        self.asked = 0
        """The number of the input that is being applied."""
        self.looking = False
        """Whether an instrument looks at the cluster: what it asks for is not part of what happens."""


class _Threads(threading.local):
    """One `_Now` for each thread."""

    def __init__(self) -> None:
        self.now = _Now()


class Trace(Instrument):
    """Records of one engine. `capacity`: how many are kept."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.records: deque[Record] = deque(maxlen=capacity)
        self.broken = ""
        """Why the trace was switched off; empty while it runs."""
        self._last = 0
        self._lock = threading.Lock()
        self._threads = _Threads()
        self._listeners: list[Callable[[Record], None]] = []
        self._onlookers: list[Callable[[], None]] = []
        self._seen = 0
        self._engine: Engine | None = None
        self._tell_time: Callable[[], float] = lambda: 0.0
        self._step = 0
        self._command = 0
        self._clock = 0
        # The newest commit of each object, and the commit of each revision that is still kept.
        self._commit_of: dict[str, int] = {}
        self._commit_at: dict[int, tuple[int, str]] = {}
        self._watching: dict[str, Watching] = {}

    # Reading.

    def __len__(self) -> int:
        return len(self.records)

    @property
    def last(self) -> int:
        """The number of the newest record."""
        return self._last

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self.records))  # a copy: a live cluster's threads go on writing

    def get(self, number: int) -> Record | None:
        """The record of a number; None if it is not kept any more."""
        if not self.records:
            return None
        place = number - self.records[0].number
        return self.records[place] if 0 <= place < len(self.records) else None

    def since(self, number: int) -> list[Record]:
        """The records after a number."""
        if not self.records:
            return []
        first = max(0, number + 1 - self.records[0].number)
        return list(islice(self.records, first, None))

    def select(
        self, *, kind: str = "", component: str = "", what: str = "", start: float = 0.0, end: float = float("inf")
    ) -> list[Record]:
        """The records of a kind, of components and of objects whose names contain a text, and between two moments."""
        return [
            each
            for each in self
            if (not kind or each.kind == kind)
            and component in each.component
            and what in each.what
            and start <= each.time <= end
        ]

    def commit_at(self, revision: int) -> Record | None:
        """The commit of a revision; of several in one transaction, the last."""
        return self.get(self._commit_at.get(revision, _NONE)[0])

    def last_commit(self, what: str) -> Record | None:
        """The newest commit of an object that is still kept."""
        return self.get(self._commit_of.get(what, 0))

    def listen(self, on_record: Callable[[Record], None]) -> Callable[[], None]:
        """Call a function with each record from now on. Returns what ends that."""
        self._listeners.append(on_record)
        return lambda: self._listeners.remove(on_record) if on_record in self._listeners else None

    def look_on(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call a function between two units of work, or after an input, if something was recorded. Returns what ends that.

        Unlike a listener, it may look at the cluster: nobody is in the middle of something.
        """
        self._onlookers.append(on_change)
        return lambda: self._onlookers.remove(on_change) if on_change in self._onlookers else None

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Within it, this thread's requests are not recorded: an instrument looks, and nobody asked for anything."""
        now = self._threads.now
        before, now.looking = now.looking, True
        try:
            yield
        finally:
            now.looking = before

    # The engine.

    def begin(self, engine: Engine) -> None:
        """Attach to the control plane's centre."""
        self._engine, self._tell_time = engine, engine.clock.now
        self.add(records.COMMAND, text="the cluster is made", component="k8slab")
        self._command = self._last
        engine.store.subscribe(self._committed)
        engine.server.observers["trace"] = self._requested

    def component(self, component: Component) -> None:
        """Attach to a component, and to whatever of it can be observed."""
        name = component.name
        started = self.add(records.START, component=name, causes=self._outside())
        observer = self._watching[name] = Watching(self, name, started)
        for part in (component, *_parts(component)):
            if isinstance(getattr(part, "observer", None), Observer):
                part.observer = observer

    def runtime(self, node: str, runtime: Runtime) -> Runtime:
        """Go around a kubelet's runtime."""
        return traced_runtime(runtime, lambda verb, what, text: self._called(f"kubelet-{node}", verb, what, text))

    def jobs(self, component: str, jobs: Jobs) -> Jobs:
        """Go around a kubelet's jobs: work that another thread does is done for the same Pod."""
        return TracedJobs(jobs, self._carried)

    def turn(self, component: str) -> None:
        """A component's turn begins."""
        now = self._threads.now
        now.component, now.unit, now.keyed = component, 0, False
        if self._engine is not None:
            self._step = self._engine.steps
        if watching := self._watching.get(component):
            watching.turn()

    def rest(self, component: str) -> None:
        """A component's turn is over."""
        now = self._threads.now
        if now.unit:
            self.add(records.DONE, component=component, causes=(now.unit,))
        now.component, now.unit, now.keyed = "", 0, False
        if self._onlookers:
            self._show()

    def said(self, command: Command) -> None:
        """Somebody outside says what they do."""
        self._command = self.add(records.COMMAND, component="you", text=command.said) if command.said else 0

    def took(self, given: Input, step: int) -> None:
        """Something comes from outside."""
        self._step = step
        if isinstance(given, Passed):
            self._clock = self.add(records.CLOCK, text=f"{given.to:.3f}", causes=self._command_causes())
        else:
            kind = records.FAULT if isinstance(given, Fault) else records.INPUT
            number = self._threads.now.asked = self.add(
                kind, component="you", text=str(given), causes=self._command_causes()
            )
            if isinstance(given, Fault):
                for name in (given.arguments.get("component"), f"kubelet-{given.arguments.get('node')}"):
                    if watching := self._watching.get(name or ""):
                        watching.disturbed(number)

    def applied(self, given: Input) -> None:
        """It has come."""
        self._threads.now.asked = 0
        if self._onlookers:
            self._show()

    def _show(self) -> None:
        if self._seen == self._last or self._threads.now.component:
            return
        self._seen = self._last
        for look in tuple(self._onlookers):
            try:
                look()
            except Exception:
                self._onlookers.remove(look)
                log.exception("an onlooker of the trace failed, and sees no more")

    # The joints.

    def _committed(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            what = entry.key.removeprefix("/registry/")
            verb = "delete" if entry.value is None else "create" if entry.version == 1 else "update"
            number = self.add(
                records.COMMIT, component=self._threads.now.component or "you", verb=verb, what=what, revision=entry.revision,
                causes=self._working(),
            )  # fmt: skip
            self._commit_of[what] = number
            self._commit_at[entry.revision] = number, what

    def _requested(self, audit: AuditRecord) -> None:
        if self._threads.now.looking:
            return
        self.add(
            records.REQUEST, component=self._threads.now.component or audit.user_agent.partition("/")[0], verb=audit.verb,
            what=_named(audit), revision=audit.revision, read=audit.read, code=audit.code, causes=self._working(),
        )  # fmt: skip

    def _called(self, component: str, verb: str, what: str, text: str) -> None:
        if (
            self._threads.now.component or self._threads.now.unit
        ):  # else somebody outside looks: that is no work of the kubelet's
            self.add(records.CALL, component=component, verb=verb, what=what, text=text, causes=self._working())

    def _working(self) -> tuple[int, ...]:
        """The cause of what is done now: the work under way, begun at the latest here; or the input being applied."""
        now = self._threads.now
        if now.unit:
            return (now.unit,)
        if not now.component:
            return self._outside()
        watching = self._watching.get(now.component)
        reasons = watching.reasons() if watching else self.waited()
        now.unit = self.add(records.WORK, component=now.component, causes=reasons)
        return (now.unit,)

    def _outside(self) -> tuple[int, ...]:
        return (self._threads.now.asked,) if self._threads.now.asked else self._command_causes()

    def _command_causes(self) -> tuple[int, ...]:
        return (self._command,) if self._command else ()

    def waited(self) -> tuple[int, ...]:
        """The cause of what nothing but time brought: the clock's last move; real time is always moving."""
        if self._engine is not None and self._engine.spec.mode == "live":
            return (self.add(records.CLOCK, text="real time passes"),)
        return (self._clock,) if self._clock else self._command_causes()

    # For the components' observers.

    @property
    def time(self) -> float:
        """The cluster's time."""
        return self._tell_time()

    @property
    def work_on_key(self) -> int:
        """The number of the work under way, if it is for a key; else 0."""
        return self._threads.now.unit if self._threads.now.keyed else 0

    def commit_of(self, what: str, revision: int) -> int:
        """The number of an object's commit at a revision, or else of its newest one; 0 if none is kept."""
        number, committed = self._commit_at.get(revision, _NONE)
        return number if committed == what else self._commit_of.get(what, 0)

    def begin_work(self, component: str, key: str, causes: tuple[int, ...]) -> int:
        """Work on a key begins; its number."""
        now = self._threads.now
        now.unit, now.keyed = self.add(records.WORK, component=component, what=key, causes=causes), True
        return now.unit

    def end_work(self, component: str, key: str, result: str) -> None:
        """It is over."""
        now = self._threads.now
        self.add(records.DONE, component=component, what=key, text=result, causes=(now.unit,) if now.unit else ())
        now.unit, now.keyed = 0, False

    def switch_off(self, fault: Exception) -> None:
        """The trace itself has failed: it records no more, and the cluster goes on."""
        if not self.broken:
            self.broken = f"{type(fault).__name__}: {fault}"
            log.exception("the trace failed, and is switched off")

    def _carried(self, call: Callable[[], Any]) -> Callable[[], Any]:
        component, unit, keyed = self._threads.now.component, self._threads.now.unit, self._threads.now.keyed

        def carried() -> Any:
            now = self._threads.now
            before = now.component, now.unit, now.keyed
            now.component, now.unit, now.keyed = component, unit, keyed
            try:
                return call()
            finally:
                now.component, now.unit, now.keyed = before

        return carried

    def add(
        self,
        kind: str,
        component: str = "",
        verb: str = "",
        what: str = "",
        revision: int = 0,
        read: int = 0,
        code: int = 0,
        text: str = "",
        causes: tuple[int, ...] = (),
    ) -> int:
        """Write a record down; its number, 0 if the trace is switched off. Never raises: then it is switched off."""
        if self.broken:
            return 0
        try:
            return self._write(kind, component, verb, what, revision, read, code, text, causes)
        except Exception as fault:
            self.switch_off(fault)
            return 0

    def _write(self, kind: str, *rest: Any) -> int:
        kept = self.records
        with self._lock:
            self._last = number = self._last + 1
            if number > self.capacity:
                self._forget(kept[0])
            # Seventy records a Pod: the tuple is made without a call of NamedTuple's own __new__.
            record = _new_tuple(Record, (number, kind, self._tell_time(), self._step, *rest))
            kept.append(record)
        if self._listeners:
            for listener in tuple(self._listeners):
                self._tell(listener, record)
        return number

    def _tell(self, listener: Callable[[Record], None], record: Record) -> None:
        try:
            listener(record)
        except Exception:
            self._listeners.remove(listener)
            log.exception("a listener of the trace failed, and hears no more")

    def _forget(self, oldest: Record) -> None:
        if oldest.kind == records.COMMIT:
            if self._commit_at.get(oldest.revision, _NONE)[0] == oldest.number:
                del self._commit_at[oldest.revision]
            if self._commit_of.get(oldest.what) == oldest.number:
                del self._commit_of[oldest.what]


class Watching(Observer):
    """What one component does at its joints."""

    def __init__(self, trace: Trace, name: str, started: int) -> None:
        self._trace, self._name = trace, name
        # Until its first work, that it was started is reason enough; and later, that a fault has met it.
        self._started = started
        # The news that is being taken in; 0: none.
        self._news = 0
        # The news of this turn, for work that is for no key.
        self._heard: list[int] = []
        # By key: the numbers of the records that say why it is to be worked on; and later; and its last work.
        self._waiting: dict[str, list[int]] = {}
        self._later: dict[str, int] = {}
        self._worked: OrderedDict[str, int] = OrderedDict()

    def turn(self) -> None:
        """A turn begins."""
        self._heard.clear()

    def disturbed(self, fault: int) -> None:
        """A fault has met the component: its next work may be because of that, and no news will tell."""
        self._started = fault

    def told(self, resource: str, key: str, event: Told) -> None:
        """News."""
        trace = self._trace
        what = object_of(resource, key)
        commit = trace.commit_of(what, event.revision)
        self._news = trace.add(
            records.DELIVERY, component=self._name, verb=event.type, what=what, revision=event.revision,
            causes=(commit,) if commit else (self._started,) if self._started else (),
        )  # fmt: skip
        self._heard.append(self._news)

    def taken_in(self) -> None:
        """It has been taken in."""
        self._news = 0

    def queued(self, key: str, seconds: float = 0.0) -> None:
        """A key, now or later."""
        trace = self._trace
        unit = trace.work_on_key
        causes = (unit,) if unit else (self._news,) if self._news else self._going_on(key)
        text = f"in {seconds:.3f}s" if seconds > 0 else ""
        number = trace.add(records.QUEUED, component=self._name, what=key, text=text, causes=causes)
        if seconds > 0:
            self._later[key] = number
        else:
            self._waiting.setdefault(key, []).append(number)

    def due(self, key: str) -> None:
        """The time of a key has come."""
        number = self._later.pop(key, 0)
        causes = (number, *self._trace.waited()) if number else self._going_on(key)
        text = "its time has come"
        self._waiting.setdefault(key, []).append(
            self._trace.add(records.QUEUED, component=self._name, what=key, text=text, causes=causes)
        )

    def began(self, key: str) -> None:
        """Work on a key."""
        causes = tuple(self._waiting.pop(key, ())) or self._going_on(key)
        unit = self._trace.begin_work(self._name, key, causes)
        self._worked[key] = unit
        self._worked.move_to_end(key)
        if len(self._worked) > KEYS_REMEMBERED:
            self._worked.popitem(last=False)

    def ended(self, key: str, result: str = "") -> None:
        """The work on a key is over."""
        self._trace.end_work(self._name, key, result)

    def reasons(self) -> tuple[int, ...]:
        """Why there is work for no key: that the component was just started, or news, or time."""
        started, self._started = self._started, 0
        if started:
            return (started,)
        heard, self._heard = tuple(self._heard), []
        return heard or self._trace.waited()

    def _going_on(self, key: str) -> tuple[int, ...]:
        """Why there is work for a key that nobody asked for: it is the rest of earlier work, for which time was needed."""
        before = self._worked.get(key, 0)
        if not before:
            return self.reasons()
        found = self._trace.get(before)
        same_moment = found is not None and found.time == self._trace.time
        return (before,) if same_moment else (before, *self._trace.waited())


def _parts(component: Component) -> Iterator[Any]:
    for value in vars(component).values():
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _named(audit: AuditRecord) -> str:
    return (
        "/".join(part for part in (audit.plural, audit.namespace, audit.name, audit.subresource) if part) or audit.path
    )
