"""etcd's own upkeep, as components: leases that end, and history that is forgotten.

Models: etcd server/lease/lessor.go; k8s.io/apiserver/pkg/storage/etcd3/compact.go (every five minutes).
"""

from __future__ import annotations

from typing import Protocol

from k8slab.clock import NEVER, Clock


class Lessor(Protocol):
    """What of a store the lease component needs."""

    def expire_leases(self) -> bool:
        """End the leases whose time is over; True if there was one."""
        ...

    def next_expiry(self) -> float:
        """When the next lease ends."""
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
    """Deletes keys whose lease has ended: events, after an hour."""

    name = "etcd-lessor"

    def __init__(self, store: Lessor) -> None:
        self._store = store

    def step(self) -> bool:
        """End the leases that are due."""
        return self._store.expire_leases()

    def next_deadline(self) -> float:
        """When the next lease ends."""
        return self._store.next_expiry()

    def next_work(self) -> float:
        """Never: waiting for a lease to end is not work."""
        return NEVER

    def close(self) -> None:
        """Nothing to let go of."""


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
