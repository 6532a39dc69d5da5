"""What watches brought, in the order in which it came.

Of one kind this is the order in which the server made the changes. Between kinds it is only the order of arrival here: a
ReplicaSet's change may come after that of the Pod which it caused. So a recording shows one lane for each kind, and says of
two changes in different lanes no more than which came first.

k8slab's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from k8slab.clock import RealClock
from k8slab.lab.drawing import Mark, Table, Timeline
from k8slab.lab.drawing.axis import moment
from k8slab.lab.observed.answer import TimelineAnswer
from k8slab.lab.observed.following import WORDS, Change, Follower
from k8slab.lab.observed.kinds import Kind
from k8slab.lab.observed.reading import Reader

ORDER = "within one kind this is the server's order; between kinds only the order of arrival here"
LOOK_SECONDS = 0.5
"""How often to look whether a watch is to be opened again; changes are seen at once."""


class Recording(TimelineAnswer):
    """The changes of some kinds during some time."""

    def __init__(
        self, kinds: Sequence[Kind], changes: Sequence[Change], started: float, ended: float, notes: Sequence[str] = ()
    ) -> None:
        self.kinds = tuple(kinds)
        self.changes = tuple(changes)
        self.started, self.ended = started, ended
        marks = tuple(
            Mark(each.after.kind.label, each.at, str(each), each.after.kind.label, each.after.id) for each in changes
        )
        lanes = tuple(dict.fromkeys(kind.label for kind in kinds))
        title = f"Changes of {', '.join(kind.name for kind in kinds)} in {ended - started:.0f}s"
        super().__init__(Timeline(title, lanes, (), marks, started), (*dict.fromkeys(notes), ORDER))

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    @property
    def table(self) -> Table:
        """The changes as rows, in order of arrival."""
        return Table(
            ("#", "Came", "Object", "Change", "Fields"),
            tuple(
                (
                    str(each.number),
                    moment(each.at - self.started),
                    each.after.id,
                    WORDS[each.type] + (" (in a gap)" if each.gap else ""),
                    ", ".join(each.fields),
                )
                for each in self.changes
            ),
        )


class Recorder:
    """Follows watches for a while on the machine's clock."""

    def __init__(self, reader: Reader, kinds: list[Kind], namespace: str) -> None:
        self._news = threading.Event()
        self._clock = RealClock()
        self._follower = Follower(reader, kinds, namespace, self._clock, self._news.set)
        self._kinds = kinds
        self._changes: list[Change] = []
        self._started = self._ended = self._clock.now()

    def follow(self, seconds: float, enough: Callable[[list[Change]], bool] = lambda _: False) -> Iterator[Change]:
        """Changes as they come: for so many seconds, until there are `enough`, or nothing is followed any more."""
        try:
            self._follower.start()
            self._started = self._clock.now()
            end = self._started + seconds
            while True:
                self._news.clear()
                for change in self._follower.poll():
                    self._changes.append(change)
                    yield change
                now = self._clock.now()
                if now >= end or self._follower.over or enough(self._changes):
                    return
                self._clock.wait(self._news, min(end, now + LOOK_SECONDS))
        finally:
            self._ended = self._clock.now()
            self._follower.close()

    def recording(self) -> Recording:
        """What came so far."""
        return Recording(self._kinds, self._changes, self._started, self._ended, self._follower.notes)
