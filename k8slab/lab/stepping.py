"""Stepping: how far one step goes, and what happened in it.

The smallest step is one unit of work of one component: a component cannot be stopped in the middle of it. The larger ones go on
until something of a kind has happened:

- `work`: one unit of work, by whoever is next;
- `component`: until another component has had its turn;
- `reconcile`: until a key has been worked off;
- `request`: until a component has asked something of the API server;
- `write`: until something has changed in the log;
- `event`: until a component has heard of a change.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.clock import EPOCH
from k8slab.lab import records
from k8slab.lab.drawing import Table
from k8slab.lab.records import Record
from k8slab.mistake import Mistake

UNITS: Mapping[str, str] = {
    "work": "",
    "component": "",
    "reconcile": records.WORK,
    "request": records.REQUEST,
    "write": records.COMMIT,
    "event": records.DELIVERY,
}
"""How far a step goes, and the kind of record that ends it."""
MOST_TURNS = 20_000
"""After so many units of work what is waited for will not come: heartbeats alone are that many in a day."""


class NeverCame(TimeoutError):
    """What a step waits for does not come. Shown as its sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Stepped(str):
    """What a step did: the component's name, and what happened. In a notebook it shows as that."""

    happened: tuple[Record, ...]

    def __new__(cls, component: str, happened: tuple[Record, ...] = ()) -> Stepped:
        """`component` is empty if nobody had anything to do."""
        made = super().__new__(cls, component)
        made.happened = happened
        return made

    def of(self, component: str) -> Stepped:
        """What one component did in it, those whose names contain a text."""
        return Stepped(self, tuple(each for each in self.happened if component in each.component))

    @property
    def writes(self) -> Stepped:
        """What was written in it, Events left out."""
        wrote = (each for each in self.happened if each.kind == records.COMMIT and not each.what.startswith("events/"))
        return Stepped(self, tuple(wrote))

    @property
    def table(self) -> Table:
        """The records of the step, those that say something."""
        shown = [each for each in self.happened if each.kind not in (records.DONE, records.QUEUED)]
        rows = [
            (f"+{each.time - EPOCH:.1f}s", each.component, each.kind, each.verb, each.what, each.text) for each in shown
        ]
        return Table(("TIME", "WHO", "KIND", "VERB", "WHAT", "TEXT"), tuple(rows))

    def _repr_html_(self) -> str:
        return f"<p>{self._said()}</p>{self.table._repr_html_()}" if self.happened else f"<p>{self._said()}</p>"

    def _said(self) -> str:
        return str.__str__(self) or "nobody has anything to do"

    def __repr__(self) -> str:
        return f"{self._said()}\n{self.table}" if self.happened else self._said()


def step(turn: Callable[[], str], since: Callable[[], list[Record]], by: str, component: str) -> str:
    """Make turns until the step is as far as asked; the name of the component that had the last one.

    `since` says what was recorded since the step began. Raises ValueError for another unit, and NeverCame where what is
    waited for does not come.
    """
    first = ""
    if by not in UNITS:
        raise Mistake(f"cannot step by {by!r}; by: {', '.join(UNITS)}")
    for _ in range(MOST_TURNS):
        worked = turn()
        if not worked:
            return ""
        if component and worked != component:
            continue
        first = first or worked
        if by == "component" and worked == first:
            continue
        if not UNITS[by]:
            return worked
        # Who renews a lease has no work, and writes: the record says who it was.
        if (end := _end(by, component, since())) is not None:
            return end.component
    raise NeverCame(
        f"no {by} of {component or 'any component'} within {MOST_TURNS} units of work: there is nothing for it to do. "
        "Ask for something first"
    )


def _end(by: str, component: str, happened: list[Record]) -> Record | None:
    """The record that ends a step; None if it has not come."""
    return next(
        (
            each
            for each in happened
            if each.kind == UNITS[by] and component in ("", each.component) and (by != "reconcile" or each.what)
        ),
        None,
    )
