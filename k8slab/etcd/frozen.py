"""A store as it was at a revision.

Entries never change, so a picture of the past is a list of them: it is taken once, when the view is made, and from then on
neither a write nor a compaction of the store behind it can change what it says. What was before that revision, for watches
and for reads at an older one, is read from the store behind, as far as that still has it.

Its one invariant: every read gives what the same read gave when the store was at that revision. Nothing can be written, no
lease runs, and nobody is ever called: time does not pass here.

Models: etcd's reads at a revision (server/storage/mvcc/kvstore_txn.go), for a whole store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NoReturn

from k8slab.clock import NEVER
from k8slab.etcd.store import Cursor, Delete, Entry, Expect, FutureRevision, Put, Range, Store, StoreError

LAST = "\U0010ffff"


class FrozenStore:
    """`store` as of `revision`, read-only. Raises Compacted, FutureRevision; ValueError for a revision below 1."""

    def __init__(self, store: Store, revision: int) -> None:
        if revision < 1:
            raise ValueError(f"a store's revisions begin with 1: there is no revision {revision}")
        self._behind, self._revision = store, revision
        found = store.range("", revision).entries
        # In key order, as a range read gives them.
        self._entries = {entry.key: entry for entry in found}
        self._keys = list(self._entries)

    # Reading.

    @property
    def revision(self) -> int:
        """The revision at which this store stands."""
        return self._revision

    @property
    def compacted(self) -> int:
        """Up to where history is gone; the picture itself stays."""
        return min(self._behind.compacted, self._revision)

    def get(self, key: str, revision: int = 0) -> Entry | None:
        """The key's entry as of this revision or an older one. Raises Compacted, FutureRevision."""
        return self._entries.get(key) if self._is_here(revision) else self._behind.get(key, revision)

    def range(self, prefix: str, revision: int = 0, limit: int = 0, start: str = "") -> Range:
        """The keys under `prefix`, from `start` on, at most `limit` (0: all). Raises Compacted, FutureRevision."""
        if not self._is_here(revision):
            return self._behind.range(prefix, revision, limit, start)
        first, end = self._places(prefix)
        begin = max(first, bisect_left(self._keys, start))
        shown = self._keys[begin : min(begin + limit, end) if limit else end]
        return Range(
            [self._entries[key] for key in shown], self._revision, begin + len(shown) < end, max(0, end - begin)
        )

    def count(self, prefix: str) -> int:
        """How many keys there are under `prefix`."""
        first, end = self._places(prefix)
        return end - first

    def watch(self, prefix: str, after: int) -> Cursor:
        """A cursor over what was between `after` and this revision. Raises Compacted."""
        return _FrozenCursor(self._behind.watch(prefix, after), self._revision)

    def entries(self, after: int = 0) -> list[Entry]:
        """The kept log after a revision, up to this one."""
        return [entry for entry in self._behind.entries(after) if entry.revision <= self._revision]

    def subscribe(self, on_commit: Callable[[list[Entry]], None]) -> Callable[[], None]:
        """Nothing will be written, so nobody is called."""
        return lambda: None

    # Writing.

    def transact(self, expect: Sequence[Expect], then: Sequence[Put | Delete]) -> NoReturn:
        """Raises StoreError."""
        raise self._refusal()

    def compact(self, revision: int) -> NoReturn:
        """Raises StoreError."""
        raise self._refusal()

    def grant_lease(self, ttl: float) -> NoReturn:
        """Raises StoreError."""
        raise self._refusal()

    def keep_alive(self, lease: int) -> NoReturn:
        """Raises StoreError."""
        raise self._refusal()

    def revoke_lease(self, lease: int) -> NoReturn:
        """Raises StoreError."""
        raise self._refusal()

    def expire_leases(self) -> bool:
        """No time passes, so no lease ends."""
        return False

    def next_expiry(self) -> float:
        """Never."""
        return NEVER

    def check(self) -> None:
        """The picture is there."""

    def close(self) -> None:
        """There is nothing to release: the store behind is somebody else's."""

    # Inside.

    def _is_here(self, revision: int) -> bool:
        """Whether a read is of the picture; else it is of what was before. Raises FutureRevision."""
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        return revision in (0, self._revision)

    def _places(self, prefix: str) -> tuple[int, int]:
        return bisect_left(self._keys, prefix), bisect_left(self._keys, prefix + LAST)

    def _refusal(self) -> StoreError:
        return StoreError(f"this is the store as it was at revision {self._revision}: nothing can be written to it")


class _FrozenCursor:
    """A cursor that stops at a revision."""

    def __init__(self, behind: Cursor, end: int) -> None:
        self._behind, self._end = behind, end

    @property
    def position(self) -> int:
        """Every change up to and including this revision was given out."""
        return self._behind.position

    @position.setter
    def position(self, revision: int) -> None:
        self._behind.position = revision

    def poll(self, up_to: int | None = None) -> list[Entry]:
        """The changes after `position`, up to the end. Raises Compacted if it fell behind."""
        if self.position >= self._end:
            return []
        return self._behind.poll(self._end if up_to is None else min(up_to, self._end))
