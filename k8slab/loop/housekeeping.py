"""Upkeep, as components: leases that end, history that is forgotten, and streams that only time moves on.

Models: etcd server/lease/lessor.go; k8s.io/apiserver/pkg/storage/etcd3/compact.go (every five minutes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from k8slab.clock import NEVER, Clock


class Lessor(Protocol):
    """What of a store the lease component needs."""

    def expire_leases(self) -> bool:
        """End the leases whose time is over; True if there was one."""
        ...

    def next_expiry(self) -> float:
        """When the next lease ends."""
        ...

    def subscribe(self, on_commit: Callable[[list[Any]], None]) -> Callable[[], None]:
        """Tell a function of each write. Returns what ends that."""
        ...


class Compactable(Protocol):
    """What of a store the compactor needs."""

    @property
    def revision(self) -> int:
        """The newest revision."""
        ...

    @property
    def compacted(self) -> int:
        """Up to where history is gone."""
        ...

    def compact(self, revision: int) -> None:
        """Forget history up to a revision."""
        ...


class LeaseExpiry:
    """Deletes keys whose lease has ended: events, after an hour.

    `wake`: called when there is a lease again after there was none, for nobody else knows when to look.
    """

    name = "etcd-lessor"

    def __init__(self, store: Lessor, wake: Callable[[], None] = lambda: None) -> None:
        self._store, self._wake = store, wake
        self._nothing_to_wait_for = False
        self._leave = store.subscribe(self._committed)

    def step(self) -> bool:
        """End the leases that are due."""
        return self._store.expire_leases()

    def next_deadline(self) -> float:
        """When the next lease ends."""
        when = self._store.next_expiry()
        self._nothing_to_wait_for = when == NEVER
        return when

    def next_work(self) -> float:
        """Never: waiting for a lease to end is not work."""
        return NEVER

    def close(self) -> None:
        """Hear of no more writes."""
        self._leave()

    def _committed(self, entries: Sequence[Any]) -> None:
        if self._nothing_to_wait_for and any(entry.lease for entry in entries):
            self._nothing_to_wait_for = False
            self._wake()


class Compactor:
    """Every `period` seconds, forgets the history older than one period. Runs in live mode: stepped mode keeps all."""

    name = "etcd-compactor"

    def __init__(self, store: Compactable, clock: Clock, period: float = 300.0) -> None:
        self._store, self._clock, self._period = store, clock, period
        self._revision_then = store.revision
        self._due = clock.now() + period

    def step(self) -> bool:
        """Compact if it is time."""
        if self._clock.now() < self._due:
            return False
        if self._revision_then > self._store.compacted:
            self._store.compact(self._revision_then)
        self._revision_then = self._store.revision
        self._due = self._clock.now() + self._period
        return True

    def next_deadline(self) -> float:
        """The next compaction."""
        return self._due

    def next_work(self) -> float:
        """Never: upkeep is not work."""
        return NEVER

    def close(self) -> None:
        """Nothing to let go of."""


class Door(Protocol):
    """What of the front door the ticker needs."""

    @property
    def is_open(self) -> bool:
        """Whether anybody listens."""
        ...

    @property
    def server(self) -> Streams:
        """The server behind it."""
        ...


class Streams(Protocol):
    """What of the HTTP server the ticker needs."""

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        ...

    def wake_all_streams(self) -> None:
        """Have every stream look whether there is something to send."""
        ...


class StreamTicker:
    """On the machine's clock: has followed logs of simulated containers look, ten times a second, what time has brought."""

    name = "stream-ticker"

    def __init__(self, clock: Clock, door: Door, period: float = 0.1) -> None:
        self._clock, self._door, self._period = clock, door, period
        self._due = clock.now() + period

    def step(self) -> bool:
        """Wake the streams if it is time."""
        if self._clock.now() < self._due:
            return False
        self._due = self._clock.now() + self._period
        if self._door.is_open and self._door.server.open_streams:
            self._door.server.wake_all_streams()
        return True

    def next_deadline(self) -> float:
        """The next look."""
        return self._due

    def next_work(self) -> float:
        """Never: upkeep is not work."""
        return NEVER

    def close(self) -> None:
        """Nothing to let go of."""
