"""The past, to look at: a cluster as it was at a revision, or at a moment.

    past = cluster.at("+90s")
    past.kubectl("get pods -o wide")
    past.client.list(Pod)

Everything that only reads works as it did then: kubectl, the client, ages in tables. What would change something is refused;
to go back, and on from there another way, is `cluster.goto`. The cluster goes on meanwhile and does not notice; nor does the
past: it stays as it is, whatever is written, compacted or closed.

Nothing listens, and no key is made, before kubectl is first used. A past that is closed, or that nobody holds any more, or
whose cluster is closed, leaves nothing behind.

k8slab's own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Self

from k8slab.clock import to_rfc3339
from k8slab.cluster import Cluster
from k8slab.engine.engine import Engine, LogEntry
from k8slab.engine.past import PastServer
from k8slab.lab.moments import Moment, Moments
from k8slab.lab.tracer import Tracer
from k8slab.loop.front_door import FrontDoor
from k8slab.loop.history import Change, History
from k8slab.loop.kubectl import KubectlResult, split_command
from k8slab.loop.stepped_kubectl import Pump


class Past:
    """A cluster as it was: read-only.

    `moment` is a revision (41), seconds since the Unix epoch as a float, or a text: a time since the cluster's start (`+90s`,
    `1m30s`), or an RFC 3339 time. A time means the newest revision up to then. Raises ValueError, which says what there is.
    """

    def __init__(self, of: Engine | Cluster, moment: Moment) -> None:
        self.engine = of if isinstance(of, Engine) else of._engine
        """The engine whose past it is."""
        self.moments = Moments(self.engine)
        """When each revision up to this one was written."""
        self.revision, self.now = self.moments.find(moment)
        self.start = self.moments.start
        """When the cluster began, in seconds since the Unix epoch."""
        self._server = PastServer(self.engine.store, self.revision, self.now, _instead(self.engine, self.revision))
        self.client = self._server.client
        """A client, in process: a write raises MethodNotAllowed."""
        self._pump = Pump()
        self._pump.drive(self._server.loop, self._server.answer, lambda: 0)
        self._door = FrontDoor(f"{self.engine.spec.name}-past", self._pump.submit, self._server.clock, None, 0)
        self._closed = False
        self._dropped = weakref.finalize(self, _shut_elsewhere, self._door)
        # At the end of the process the operating system does it.
        self._dropped.atexit = False

    def kubectl(
        self,
        command: str | Sequence[str],
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> KubectlResult:
        """Run the real kubectl on the past: `past.kubectl("get pods -o wide")`.

        A command that waits for something ends at once, and says why.
        """
        if self._closed:
            raise RuntimeError(f"this past is closed; take it again: cluster.at({self.revision})")
        args = split_command(command)
        loop = self._server.loop
        loop.halt = None
        with loop.interruptible():
            return self._pump.run(self._door.kubectl, self._door.server, args, stdin, None, env)

    def history(self) -> History:
        """Every write that the API server had accepted by then, oldest first."""
        audit = list(self.engine.server.audit)
        return History([Change.of(record) for record in audit if record.revision <= self.revision])

    @property
    def entries(self) -> list[LogEntry]:
        """What etcd held: each key's newest entry, in key order."""
        return self._server.store.range("").entries

    def close(self) -> None:
        """Stop listening. Safe to call twice; the client works on."""
        self._closed = True
        if self._dropped.detach():
            self._door.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        when = f"{to_rfc3339(self.now)} ({self.moments.since_start(self.now)})"
        return f"<Past of {self.engine.spec.name}: revision {self.revision}, {when}>"


class Pasts:
    """The pasts of one cluster, which close with it. Whoever holds one keeps it open; this does not."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[Past] = weakref.WeakSet()

    def at(self, of: Engine | Cluster, moment: Moment) -> Past:
        """A past. Raises ValueError for a moment that there is not."""
        made = Past(of, moment)
        self._open.add(made)
        return made

    def close(self) -> None:
        """Close them all. Safe to call twice."""
        for past in list(self._open):
            past.close()


def _instead(engine: Engine, revision: int) -> str:
    """What somebody can do who wants to change the past."""
    if engine.journal is None:
        return "change the cluster itself, as it is now"
    commit = engine.instrument.trace.commit_at(revision) if isinstance(engine.instrument, Tracer) else None
    # The write was made within the step that follows those that a record counts.
    step = str(commit.step + 1) if commit else "..."
    return f"cluster.goto({step}) goes back to it"


def _shut_elsewhere(door: FrontDoor) -> None:
    """Close the door of a past that nobody holds any more.

    On a thread of its own: the garbage collector may run on the very thread that closing waits for.
    """
    if door.is_open:
        threading.Thread(target=door.close, daemon=True).start()
