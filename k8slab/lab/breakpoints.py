"""Stopping when something happens: `cluster.break_on(kind="Pod", when=lambda pod: pod.status.phase == "Running")`.

A breakpoint looks at the trace's records as they are written, and stops the loop after the unit of work that wrote the one it
waits for. A live cluster is paused instead: what other threads had begun they finish.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from k8slab.api import apps, coordination, core
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.records import Record
from k8slab.lab.reference import reference_of, resource_named
from k8slab.lab.trace import Trace
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import Halt
from k8slab.mistake import Mistake

FAILED = 400


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """What to wait for: all that is given has to be so."""

    kind: str = ""
    """Changes of this kind of object; `when` is given the object."""
    name: str = ""
    """Only of objects whose names contain this."""
    when: Callable[[Any], bool] | None = field(default=None, compare=False)
    component: str = ""
    """What this component does."""
    reason: str = ""
    """An Event with this reason is written."""
    failed: bool = False
    """A request is answered by an error."""
    code: int = 0
    """A request is answered by this code."""

    def __str__(self) -> str:
        given = {name: getattr(self, name) for name in ("kind", "name", "component", "reason", "failed", "code")}
        told = [f"{name}={value!r}" for name, value in given.items() if value]
        return ", ".join(told + (["when=..."] if self.when else []))

    @property
    def about(self) -> str:
        """Which records it looks at."""
        if self.reason or self.kind or self.when:
            return records.COMMIT
        return records.REQUEST if self.failed or self.code else records.WORK


def breakpoint_of(engine: Engine, **given: Any) -> Breakpoint:
    """A breakpoint, its words checked. Raises ValueError for kinds and components that there are not, and for none at all."""
    made = Breakpoint(**given)
    if made == Breakpoint() and made.when is None:
        raise Mistake(
            "say what to wait for: break_on(kind='Pod'), (component='kube-scheduler'), (reason='BackOff'), (failed=True)"
        )
    if made.kind:
        resource_named(made.kind)
    if made.component and made.component not in engine.processes.components:
        raise Mistake(
            f"unknown component {made.component!r}; there are: {', '.join(sorted(engine.processes.components))}"
        )
    if (made.failed or made.code) and (made.kind or made.reason or made.when):
        raise Mistake("a breakpoint is about requests (failed, code) or about changes (kind, when, reason), not both")
    return made


class Breakpoints:
    """All breakpoints of a cluster. They listen to the trace only while there are any."""

    def __init__(self) -> None:
        self._all: list[Breakpoint] = []
        self._watched: tuple[Engine, Trace] | None = None
        self._leave: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Breakpoint]:
        return iter(self._all)

    def watch(self, engine: Engine, trace: Trace) -> None:
        """From now on this is the engine to stop."""
        self._watched = engine, trace
        self._listen()

    def add(self, wanted: Breakpoint) -> None:
        """Wait for this too."""
        self._all.append(wanted)
        self._listen()

    def remove(self, *which: Breakpoint) -> None:
        """Wait for these no more."""
        self._all = [each for each in self._all if each not in which]
        self._listen()

    def _listen(self) -> None:
        self._leave()
        self._leave = lambda: None
        if self._all and self._watched is not None:
            engine, trace = self._watched
            self._leave = trace.listen(lambda record: self._look(engine, record))

    def _look(self, engine: Engine, record: Record) -> None:
        """Stop the engine if somebody waits for this record."""
        for each in list(self._all):
            try:
                hit = _fits(each, engine, record)
            except Exception as fault:
                self.remove(each)
                _stop(engine, f"the breakpoint ({each}) raised {type(fault).__name__}: {fault}; it is removed")
                continue
            if hit:
                _stop(engine, f"{_said(record)}, at step {record.step} ({each})")


def _fits(wanted: Breakpoint, engine: Engine, record: Record) -> bool:
    if record.kind != wanted.about or wanted.component not in ("", record.component):
        return False
    if wanted.about == records.REQUEST:
        return record.code == wanted.code if wanted.code else record.code >= FAILED
    if wanted.about == records.WORK:
        return wanted.name in record.what
    return _fits_change(wanted, engine, record)


def _fits_change(wanted: Breakpoint, engine: Engine, record: Record) -> bool:
    if wanted.reason and not record.what.startswith("events/"):
        return False
    if wanted.kind and not record.what.startswith(resource_named(wanted.kind).plural + "/"):
        return False
    about = record.what
    if wanted.reason or wanted.when:
        obj = _object(engine, record)
        if obj is None or (wanted.reason and obj.get("reason") != wanted.reason):
            return False
        about = (obj.get("involvedObject") or {}).get("name", "") if wanted.reason else about
        if wanted.when and not wanted.when(_view(obj)):
            return False
    return wanted.name in about


def _object(engine: Engine, record: Record) -> JsonObject | None:
    """What was written; of a deletion, what was deleted."""
    found = reference_of(record.what)
    if found is None:
        return None
    revision = record.revision - 1 if record.verb == "delete" else record.revision
    obj = engine.object_at(found.resource, found.namespace, found.name, revision)
    return obj and {"kind": found.resource.kind, **obj}


def _view(obj: JsonObject) -> Any:
    """The typed view of an object where there is one, else its JSON."""
    view = _views().get(obj["kind"])
    return view.of(obj) if view else obj


@cache
def _views() -> dict[str, type[KubeObject]]:
    return {
        each.__name__: each
        for module in (core, apps, coordination)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, KubeObject) and each is not KubeObject
    }


def _stop(engine: Engine, why: str) -> None:
    if engine.loop.halt is None:  # the first reason counts
        engine.loop.halt = Halt(why)
    if isinstance(engine.loop, LiveLoop):
        engine.loop.pause()


def _said(record: Record) -> str:
    if record.kind == records.REQUEST:
        return f"{record.component}: {record.verb} {record.what} was answered {record.code}"
    if record.kind == records.WORK:
        return f"{record.component} works on {record.what or 'nothing in particular'}"
    return f"{record.component}: {record.verb} {record.what} (revision {record.revision})"
