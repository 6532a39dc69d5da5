"""What a component knew at a moment: its cache, told again from the news it was given.

A component decides by what it has heard, which may be old: a slow watch, a cut line. Every change that its cache took in is
a DELIVERY in the trace; played again up to a moment, they say what the cache held then. A component that was restarted has
forgotten everything, and lists anew.

Promised: the objects are those that the component had, revision by revision. Not promised: what it did not get from a watch.

k8slab's own.
"""

from __future__ import annotations

from typing import Self

from k8slab.apimachinery.rest import JsonObject
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.pictures.deeds import object_named
from k8slab.lab.trace import Trace


class Heard:
    """The caches of one component. It goes forward through the trace, never back."""

    def __init__(self, engine: Engine, trace: Trace, component: str) -> None:
        self._engine = engine
        self._records = [
            each for each in trace
            if each.component == component and each.kind in (records.START, records.DELIVERY)
        ]  # fmt: skip
        self._next = 0
        self._revisions: dict[str, int] = {}
        self.complete = False
        """Whether the trace goes back to where the component was started: else it may have known more."""

    def until(self, number: int) -> Self:
        """Go on to just before a record."""
        while self._next < len(self._records) and self._records[self._next].number < number:
            record = self._records[self._next]
            self._next += 1
            if record.kind == records.START:
                self._revisions.clear()
                self.complete = True
            elif record.verb == "DELETED":
                self._revisions.pop(record.what, None)
            else:
                self._revisions[record.what] = record.revision
        return self

    def get(self, what: str) -> JsonObject | None:
        """An object as the component knew it; None if it knew of none. `what` is as the trace has it."""
        revision = self._revisions.get(what, 0)
        return object_named(self._engine, what, revision) if revision else None

    def all(self, resource: str) -> list[JsonObject]:
        """All objects of a resource (`pods`) that it knew, by key."""
        found = (self.get(what) for what in sorted(self._revisions) if what.startswith(f"{resource}/"))
        return [obj for obj in found if obj is not None]
