"""What one component does at its joints, written down with its reasons.

News names the write that it tells of. A key names the news, or the work, that queued it. Work names the keys' records. Work for
which nobody asked is the rest of earlier work on the same key, for which time was needed; or else it is because of this turn's
news, of a fault that met the component, or of time alone.

k8slab's own.
"""

from __future__ import annotations

from typing import Protocol

from k8slab.lab import records
from k8slab.lab.records import object_of
from k8slab.lab.trace import Trace
from k8slab.observer import Observer, Told

KEYS_REMEMBERED = 10_000
"""Of how many keys at the most a component's last work is known: where it goes on later, that is its cause."""


class Work(Protocol):
    """What of the tracer an observer needs: the work under way on this thread, and the cause of what only time brought."""

    trace: Trace

    @property
    def work_on_key(self) -> int:
        """The number of the work under way, if it is for a key; else 0."""
        ...

    def begin_work(self, component: str, key: str, causes: tuple[int, ...]) -> int:
        """Work on a key begins; its number."""
        ...

    def end_work(self, component: str, key: str, result: str) -> None:
        """It is over."""
        ...

    def waited(self) -> tuple[int, ...]:
        """The cause of what nothing but time brought."""
        ...


class Watching(Observer):
    """What one component does at its joints."""

    def __init__(self, work: Work, name: str, started: int) -> None:
        self._work, self._trace, self._name = work, work.trace, name
        # Until its first work, that it was started is reason enough; and later, that a fault has met it.
        self._started = started
        # What was written before there was a trace it knows because it was started, and listed.
        self._made = started
        # The news that is being taken in; 0: none.
        self._news = 0
        # The news of this turn, for work that is for no key.
        self._heard: list[int] = []
        # By key: the numbers of the records that say why it is to be worked on; and later; and its last work.
        self._waiting: dict[str, list[int]] = {}
        self._later: dict[str, int] = {}
        self._worked: dict[str, int] = {}

    def turn(self) -> None:
        """A turn begins."""
        if self._heard:
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
            causes=(commit or self._started or self._made,),
        )  # fmt: skip
        self._heard.append(self._news)

    def taken_in(self) -> None:
        """It has been taken in."""
        self._news = 0

    def queued(self, key: str, seconds: float = 0.0) -> None:
        """A key, now or later."""
        trace = self._trace
        unit = self._work.work_on_key
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
        causes = (number, *self._work.waited()) if number else self._going_on(key)
        text = "its time has come"
        self._waiting.setdefault(key, []).append(
            self._trace.add(records.QUEUED, component=self._name, what=key, text=text, causes=causes)
        )

    def began(self, key: str) -> None:
        """Work on a key."""
        causes = tuple(self._waiting.pop(key, ())) or self._going_on(key)
        if len(self._worked) > KEYS_REMEMBERED:
            self._worked.clear()
        self._worked[key] = self._work.begin_work(self._name, key, causes)

    def ended(self, key: str, result: str = "") -> None:
        """The work on a key is over."""
        self._work.end_work(self._name, key, result)

    def reasons(self) -> tuple[int, ...]:
        """Why there is work for no key: that the component was just started, or news, or time."""
        started, self._started = self._started, 0
        if started:
            return (started,)
        heard, self._heard = tuple(self._heard), []
        return heard or self._work.waited()

    def _going_on(self, key: str) -> tuple[int, ...]:
        """Why there is work for a key that nobody asked for: it is the rest of earlier work, for which time was needed."""
        before = self._worked.get(key, 0)
        if not before:
            return self.reasons()
        found = self._trace.get(before)
        same_moment = found is not None and found.time == self._trace.tell_time()
        return (before,) if same_moment else (before, *self._work.waited())
