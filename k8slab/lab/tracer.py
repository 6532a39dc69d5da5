"""The tracer: it sits at the joints of an engine, and writes down what passes.

The joints are requests (the API server's observers), commits (the store's subscription), news, keys and units of work (the
components' observers, `watching.py`), calls to container runtimes (a runtime around the runtime), inputs and moves of the clock
(the engine's instrument). A component's code knows nothing of it, and the history is byte-equal with and without.

What is being worked on is kept for each thread: in stepped mode all work is done on one, in live mode each component has its
own.

k8slab's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from k8slab.apiserver.audit import AuditRecord
from k8slab.clock import EPOCH
from k8slab.cri.api import Runtime
from k8slab.engine.candidates import process_of
from k8slab.engine.engine import Engine, LogEntry
from k8slab.engine.inputs import Fault, Input, Passed
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import Command
from k8slab.kubelet.jobs import Jobs
from k8slab.lab import records
from k8slab.lab.trace import Trace
from k8slab.lab.traced_runtime import TracedJobs, traced_runtime
from k8slab.lab.watching import Watching
from k8slab.loop.component import Component
from k8slab.observer import Observer


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


class Tracer(Instrument):
    """Writes the trace of one engine."""

    def __init__(self, trace: Trace | None = None) -> None:
        self.trace = trace if trace is not None else Trace()
        self._engine: Engine | None = None
        self._threads = _Threads()
        self._command = 0
        self._outsider = "k8slab"
        """Who writes if no component does: at first what makes the cluster, then whoever holds it."""
        self._clock = 0
        self._watching: dict[str, Watching] = {}

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
        self._engine, self.trace.tell_time = engine, engine.clock.now
        self._command = self.trace.add(records.COMMAND, text="the cluster is made", component="k8slab")
        engine.store.subscribe(self._committed)
        engine.server.observers["trace"] = self._requested

    def component(self, component: Component) -> None:
        """Attach to a component, and to whatever of it can be observed."""
        name = component.name
        started = self.trace.add(records.START, component=name, causes=self._working())
        observer = self._watching[name] = Watching(self, name, started)
        for part in (component, *_parts(component)):
            if isinstance(getattr(part, "observer", None), Observer):
                part.observer = observer

    def ended(self, name: str) -> None:
        """A component has ended."""
        self.trace.add(records.STOP, component=name, causes=self._working())

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
            self.trace.step = self._engine.steps
        if watching := self._watching.get(component):
            watching.turn()

    def rest(self, component: str) -> None:
        """A component's turn is over."""
        now = self._threads.now
        if now.unit:
            self.trace.add(records.DONE, component=component, causes=(now.unit,))
        now.component, now.unit, now.keyed = "", 0, False
        if self.trace.onlookers:
            self.trace.show()

    def said(self, command: Command) -> None:
        """Somebody outside says what they do."""
        self._outsider = "you"
        self._command = self.trace.add(records.COMMAND, component="you", text=command.said) if command.said else 0

    def took(self, given: Input, step: int) -> None:
        """Something comes from outside."""
        self.trace.step = step
        if isinstance(given, Passed):
            self._clock = self.trace.add(records.CLOCK, text=f"+{given.to - EPOCH:.1f}s", causes=self._command_causes())
        else:
            kind = records.FAULT if isinstance(given, Fault) else records.INPUT
            number = self._threads.now.asked = self.trace.add(
                kind, component="you", text=str(given), causes=self._command_causes()
            )
            if isinstance(given, Fault):
                met = (given.arguments.get("component"), f"kubelet-{given.arguments.get('node')}")
                for name, watching in self._watching.items():
                    if process_of(name) in met:
                        watching.disturbed(number)

    def applied(self, given: Input) -> None:
        """It has come."""
        self._threads.now.asked = 0
        if not self._threads.now.component:
            self.trace.show()

    # The joints.

    def _committed(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            what = entry.key.removeprefix("/registry/")
            verb = "delete" if entry.deleted else "create" if entry.version == 1 else "update"
            now = self._threads.now
            causes = (now.unit,) if now.unit else self._working()
            self.trace.add_commit(now.component or self._outsider, verb, what, entry.revision, causes)

    def _requested(self, audit: AuditRecord) -> None:
        now = self._threads.now
        if now.looking:
            return
        who = now.component or audit.user_agent.partition("/")[0]
        causes = (now.unit,) if now.unit else self._working()
        self.trace.add(
            records.REQUEST, who, audit.verb, _named(audit), audit.revision, audit.read, audit.code, causes=causes
        )  # fmt: skip

    def _called(self, component: str, verb: str, what: str, text: str) -> None:
        now = self._threads.now
        if now.component or now.unit:  # else somebody outside looks: that is no work of the kubelet's
            self.trace.add(records.CALL, component=component, verb=verb, what=what, text=text, causes=self._working())

    def _working(self) -> tuple[int, ...]:
        """The cause of what is done now: the work under way, begun at the latest here; or the input being applied."""
        now = self._threads.now
        if now.unit:
            return (now.unit,)
        if not now.component:
            return self._outside()
        watching = self._watching.get(now.component)
        reasons = watching.reasons() if watching else self.waited()
        now.unit = self.trace.add(records.WORK, component=now.component, causes=reasons)
        return (now.unit,)

    def _outside(self) -> tuple[int, ...]:
        return (self._threads.now.asked,) if self._threads.now.asked else self._command_causes()

    def _command_causes(self) -> tuple[int, ...]:
        return (self._command,) if self._command else ()

    def waited(self) -> tuple[int, ...]:
        """The cause of what nothing but time brought: the clock's last move; real time is always moving."""
        if self._engine is not None and self._engine.spec.mode == "live":
            return (self.trace.add(records.CLOCK, text="real time passes"),)
        return (self._clock,) if self._clock else self._command_causes()

    # For the components' observers.

    @property
    def work_on_key(self) -> int:
        """The number of the work under way, if it is for a key; else 0."""
        now = self._threads.now
        return now.unit if now.keyed else 0

    def begin_work(self, component: str, key: str, causes: tuple[int, ...]) -> int:
        """Work on a key begins; its number."""
        now = self._threads.now
        now.unit, now.keyed = self.trace.add(records.WORK, component=component, what=key, causes=causes), True
        return now.unit

    def end_work(self, component: str, key: str, result: str) -> None:
        """It is over."""
        now = self._threads.now
        self.trace.add(records.DONE, component=component, what=key, text=result, causes=(now.unit,) if now.unit else ())
        now.unit, now.keyed = 0, False

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


def _parts(component: Component) -> Iterator[Any]:
    for value in vars(component).values():
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _named(audit: AuditRecord) -> str:
    if audit.namespace and audit.name and not audit.subresource:
        return f"{audit.plural}/{audit.namespace}/{audit.name}"  # nearly always
    parts = (audit.plural, audit.namespace, audit.name, audit.subresource)
    return "/".join(part for part in parts if part) or audit.path
