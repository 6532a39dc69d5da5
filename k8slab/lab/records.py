"""What the trace writes down: one kind of row for everything that happens.

A record names who did what to which object, when, and *because of which earlier records*. Those numbers are the causal graph:
nothing else is needed to say why. So an input has no causes; a write has the unit of work that made it; a unit of work has
the news, or the timer, that queued its key; news has the write that it tells of.

k8slab's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

COMMAND = "command"
"""Somebody outside says what they do: `kubectl create ...`, `run_for('60s')`."""
INPUT = "input"
"""Something from outside happens: a request, a fault."""
REQUEST = "request"
"""The API server has answered."""
COMMIT = "commit"
"""A change was written to the log."""
DELIVERY = "delivery"
"""A component hears of a change."""
QUEUED = "queued"
"""A key is put into a component's queue."""
WORK = "work"
"""A component begins to work: on a key, or on none in particular."""
DONE = "done"
"""It has worked."""
CALL = "call"
"""A kubelet calls its container runtime."""
CLOCK = "clock"
"""The clock has moved."""
START = "start"
"""A component was started."""
STOP = "stop"
"""A component has ended: it crashed, or it was a part of a leader that has lost."""
FAULT = "fault"
"""A fault begins or ends."""

KINDS = (COMMAND, INPUT, REQUEST, COMMIT, DELIVERY, QUEUED, WORK, DONE, CALL, CLOCK, START, STOP, FAULT)


class Record(NamedTuple):
    """One thing that happened."""

    number: int
    """Rises by one with each record, from 1."""
    kind: str
    """One of `KINDS`."""
    time: float
    """Seconds since the Unix epoch, on the cluster's clock."""
    step: int
    """How many steps the cluster had made."""
    component: str = ""
    """Who did it: a component, or the name of a program outside."""
    verb: str = ""
    """create, patch (requests, commits); ADDED, MODIFIED (deliveries); PullImage (calls)."""
    what: str = ""
    """The object, `pods/default/web-abc`, or for a key of a queue the key."""
    revision: int = 0
    """The revision that was written or is told of; 0 for none."""
    read: int = 0
    """The newest revision when a request was made."""
    code: int = 0
    """A request's HTTP code."""
    text: str = ""
    """What else there is to say: a result, an error, a command."""
    causes: tuple[int, ...] = ()
    """The numbers of the records because of which this happened."""

    def as_dict(self) -> dict[str, Any]:
        """The record without its empty fields: as it is exported."""
        return {name: value for name, value in self._asdict().items() if value or name in ("number", "time", "step")}


def object_of(plural: str, key: str) -> str:
    """What a record calls an object: `pods/default/web`, `nodes/node-1`."""
    return f"{plural}/{key}"
