"""The trace: everything that happened in a cluster, in one order, each with its cause.

It holds records and finds them; `tracer.py` writes them down. Numbers rise by one without a gap, so a number leads to its
record at once. Memory is bounded: the oldest records go first. A trace that fails is switched off, says why, and the cluster
goes on.

k8slab's own.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from k8slab.lab import records
from k8slab.lab.records import Record

log = logging.getLogger(__name__)

CAPACITY = 200_000
"""Records that are kept."""

_new_tuple = tuple.__new__
_NONE = (0, "")


class Trace:
    """Records. `capacity`: how many are kept."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.records: deque[Record] = deque(maxlen=capacity)
        self.broken = ""
        """Why the trace was switched off; empty while it runs."""
        self.tell_time: Callable[[], float] = lambda: 0.0
        """The clock of what is being traced."""
        self.step = 0
        """At which step that is."""
        self._last = 0
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Record], None]] = []
        self.onlookers: list[Callable[[], None]] = []
        """Whom `show` tells: see `look_on`."""
        self._shown = 0
        # The newest commit of each object, and the commit of each revision that is still kept.
        self._commit_of: dict[str, int] = {}
        self._commit_at: dict[int, tuple[int, str]] = {}

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
        self.onlookers.append(on_change)
        return lambda: self.onlookers.remove(on_change) if on_change in self.onlookers else None

    def commit_of(self, what: str, revision: int) -> int:
        """The number of an object's commit at a revision, or else of its newest one; 0 if none is kept."""
        number, committed = self._commit_at.get(revision, _NONE)
        return number if committed == what else self._commit_of.get(what, 0)

    # Writing.

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
            with self._lock:
                self._last = number = self._last + 1
                if number > self.capacity:
                    self._forget(self.records[0])
                # Seventy records a Pod: the tuple is made without a call of NamedTuple's own __new__.
                record = _new_tuple(
                    Record,
                    (
                        number,
                        kind,
                        self.tell_time(),
                        self.step,
                        component,
                        verb,
                        what,
                        revision,
                        read,
                        code,
                        text,
                        causes,
                    ),
                )
                self.records.append(record)
            if self._listeners:
                for listener in tuple(self._listeners):
                    self._tell(listener, record)
        except Exception as fault:
            self.switch_off(fault)
            return 0
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

    def add_commit(self, component: str, verb: str, what: str, revision: int, causes: tuple[int, ...]) -> None:
        """Write a commit down, and remember where it is."""
        number = self.add(records.COMMIT, component, verb, what, revision, causes=causes)
        self._commit_of[what] = number
        self._commit_at[revision] = number, what

    def switch_off(self, fault: Exception) -> None:
        """The trace itself has failed: it records no more, and the cluster goes on."""
        if not self.broken:
            self.broken = f"{type(fault).__name__}: {fault}"
            log.exception("the trace failed, and is switched off")

    def show(self) -> None:
        """Let onlookers see what was recorded since they last did; to be called when nobody is in the middle of something."""
        if not self.onlookers or self._shown == self._last:
            return
        self._shown = self._last
        for look in tuple(self.onlookers):
            try:
                look()
            except Exception:
                self.onlookers.remove(look)
                log.exception("an onlooker of the trace failed, and sees no more")
