"""What comes from outside is written down before it happens, with its place: the step, the time, and the log as it was.

An engine's life can be lived again from that. What time an input lets pass belongs to it; where the clock moves because
somebody waits, that is an input of its own.

k8slab's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from k8slab.clock import Clock
from k8slab.engine.inputs import Input, Passed
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import NOBODY, Command, Entry, Journal
from k8slab.etcd.store import Entry as LogEntry
from k8slab.etcd.store import Store
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop


class Diary:
    """Notes each input in a journal, if there is one, and tells an instrument."""

    def __init__(
        self, journal: Journal | None, loop: SteppedLoop | LiveLoop, clock: Clock, store: Store, instrument: Instrument
    ) -> None:
        self._journal, self._loop, self._clock, self._store, self._instrument = journal, loop, clock, store, instrument
        self._command = NOBODY
        self._inputs = 0
        self._taking = 0
        """How many inputs are being applied: one may bring another."""
        self._digest = hashlib.blake2b(digest_size=12)
        if journal is not None:
            store.subscribe(self._digest_log)
        if isinstance(loop, SteppedLoop):
            loop.on_advance = self._time_passes

    @property
    def steps(self) -> int:
        """How many steps were made: units of work of components, and inputs. 0 on a live cluster."""
        return self._loop.turns + self._inputs if isinstance(self._loop, SteppedLoop) else 0

    def log_digest(self) -> str:
        """A digest of the store's log so far, where there is a journal."""
        return self._digest.copy().hexdigest()

    def say(self, command: Command) -> None:
        """What follows is done because of this command."""
        self._command = command
        self._instrument.said(command)

    @contextmanager
    def noting(self, given: Input) -> Iterator[None]:
        """Within it, an input is applied."""
        step = self.steps
        if self._journal is not None:
            now, revision = self._clock.now(), self._store.revision
            self._journal.add(Entry(step, now, revision, self.log_digest(), self._command, given))
        self._instrument.took(given, step)
        self._inputs += 1
        self._taking += 1
        try:
            yield
        finally:
            self._taking -= 1
            self._instrument.applied(given)

    def _time_passes(self, when: float) -> None:
        if not self._taking:  # else it is noted already
            with self.noting(Passed(when)):
                pass

    def _digest_log(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            self._digest.update(b"%d %s " % (entry.revision, entry.key.encode()))
            self._digest.update(entry.value or b"-")
