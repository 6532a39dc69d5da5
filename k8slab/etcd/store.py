"""etcd as k8slab sees it: an append-only log of bytes.

Every write appends one `Entry` at the next revision. The newest entry of a key is its value; an older one is the past.
A watch is a cursor over the log: it holds no data, so it can neither miss a change nor reorder two.

Invariants of every implementation:
- revisions rise by exactly one per write transaction; all entries of a transaction share its revision;
- an entry never changes, and a read at a revision gives the same answer until that revision is compacted;
- a write that was acknowledged survives whatever the implementation promises to survive (memory: nothing; SQLite and etcd:
  a crash).

Models: etcd's mvcc (server/storage/mvcc/kvstore.go, watchable_store.go) and its v3 API (rpc.proto).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from k8slab.apimachinery.packing import pack, unpack

LEFT_OUT = (
    "It is one member: there is no raft, no election, no user and no space quota.",
    "Of etcd's requests those are here that an API server makes.",
)


class Entry:
    """One change of one key. It never changes itself."""

    __slots__ = ("_value", "_words", "create_revision", "key", "lease", "previous", "revision", "version")

    key: str
    revision: int
    """The revision of this change (etcd's mod_revision)."""
    create_revision: int
    """The revision at which this life of the key began; 0 for a deletion."""
    version: int
    """How many changes this life of the key has seen: 1 for a creation, 0 for a deletion."""
    lease: int
    """The lease that will delete the key, 0 for none."""
    previous: int
    """The revision of the entry that this one replaced, 0 if there was none (the key did not exist)."""

    def __init__(
        self,
        key: str,
        value: bytes | None,
        revision: int,
        create_revision: int,
        version: int,
        lease: int = 0,
        previous: int = 0,
        words: bytes = b"",
    ) -> None:
        """With `words`, a value much like this one, the value is kept packed: whoever keeps the words keeps it small."""
        self.key, self.revision, self.create_revision, self.version = key, revision, create_revision, version
        self.lease, self.previous = lease, previous
        self._words = words
        self._value = pack(value, words) if words and value is not None else value

    @property
    def value(self) -> bytes | None:
        """What was written; None: the key was deleted at this revision."""
        return unpack(self._value, self._words) if self._words and self._value is not None else self._value

    @property
    def deleted(self) -> bool:
        """Whether this change deleted the key."""
        return self._value is None

    def _told(self) -> tuple[object, ...]:
        return (
            self.key, self.value, self.revision, self.create_revision, self.version, self.lease, self.previous
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self._told() == other._told()

    def __hash__(self) -> int:
        return hash((self.key, self.revision))

    def __repr__(self) -> str:
        return f"Entry{self._told()}"


@dataclass(frozen=True, slots=True)
class Put:
    """Write `value` at `key`."""

    key: str
    value: bytes
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove `key`. Removing a key that does not exist is no change."""

    key: str


@dataclass(frozen=True, slots=True)
class Expect:
    """A guard: the key's newest change must be at `revision` (0: the key must not exist)."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Range:
    """What a range read found."""

    entries: list[Entry]
    """In key order."""
    revision: int
    """The store's revision that the answer is true for."""
    more: bool
    """Whether `limit` cut the list."""
    count: int
    """How many keys there are under the prefix, from `start` on, whatever `limit` is."""


class Compacted(Exception):
    """A revision was asked for that compaction has removed."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"required revision {asked} has been compacted; the oldest kept is {oldest}")
        self.asked, self.oldest = asked, oldest


class FutureRevision(Exception):
    """A revision was asked for that the store has not reached."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"required revision {asked} is a future revision; the store is at {current}")
        self.asked, self.current = asked, current


class LeaseNotFound(Exception):
    """A lease id that was never granted, was revoked, or has expired."""


class StoreError(Exception):
    """The store cannot be opened, or cannot keep what is written: the message says why, and what to do."""


class StoreUnavailable(StoreError):
    """The store cannot be asked at the moment. What was being written may have been kept, or not."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out
        """Whether no answer came, rather than none could be asked for."""

    def again(self) -> StoreUnavailable:
        """The same, to be raised anew."""
        return StoreUnavailable(str(self), timed_out=self.timed_out)


class Cursor(Protocol):
    """A place in the log, and a prefix."""

    position: int
    """Every change up to and including this revision was given out."""

    def poll(self, up_to: int | None = None) -> list[Entry]:
        """The changes under the prefix after `position`, in order, then moves on. Raises Compacted if it fell behind."""
        ...


class Store(Protocol):
    """What the API server needs of etcd. All methods may be called from any thread."""

    @property
    def revision(self) -> int:
        """The newest revision; when nothing was ever written, 0 (etcd: 1)."""
        ...

    @property
    def compacted(self) -> int:
        """Revisions up to and including this one are gone, save each key's newest value as of then."""
        ...

    def get(self, key: str, revision: int = 0) -> Entry | None:
        """The key's entry now, or as of `revision`; None if it did not exist. Raises Compacted, FutureRevision."""
        ...

    def range(self, prefix: str, revision: int = 0, limit: int = 0, start: str = "") -> Range:
        """The keys under `prefix`, from `start` on (inclusive), at most `limit` (0: all), now or as of `revision`.

        Raises Compacted, FutureRevision.
        """
        ...

    def count(self, prefix: str) -> int:
        """How many keys there are under `prefix`."""
        ...

    def transact(self, expect: Sequence[Expect], then: Sequence[Put | Delete]) -> list[Entry] | None:
        """If every guard holds, make all the changes at one new revision and return their entries; else None.

        A transaction that changes nothing returns [] and makes no revision. Raises LeaseNotFound, and ValueError if two
        changes are of the same key.
        """
        ...

    def watch(self, prefix: str, after: int) -> Cursor:
        """A cursor over the changes under `prefix` after revision `after`. Raises Compacted; a future revision is fine."""
        ...

    def subscribe(self, on_commit: Callable[[list[Entry]], None]) -> Callable[[], None]:
        """Call `on_commit` after each write, on the writer's thread, before it is acknowledged to the writer.

        Returns the function that ends the subscription. For waking watchers, not for reading: readers poll a cursor.
        """
        ...

    def compact(self, revision: int) -> None:
        """Forget history up to and including `revision`. Raises Compacted if already done, FutureRevision."""
        ...

    def grant_lease(self, ttl: float) -> int:
        """A new lease's id, good for `ttl` seconds of the store's clock."""
        ...

    def keep_alive(self, lease: int) -> None:
        """Start the lease's time anew. Raises LeaseNotFound."""
        ...

    def revoke_lease(self, lease: int) -> None:
        """End the lease and delete its keys. Raises LeaseNotFound."""
        ...

    def expire_leases(self) -> bool:
        """Revoke the leases whose time is over; True if there was one. The loop calls it when `next_expiry` has come."""
        ...

    def next_expiry(self) -> float:
        """When the next lease ends, on the store's clock; infinity if there is none."""
        ...

    def entries(self, after: int = 0) -> list[Entry]:
        """The whole kept log after a revision, in order: for history, for tests, for saving."""
        ...

    def check(self) -> None:
        """Whether the store can be asked now: for health checks. Raises StoreError."""
        ...

    def close(self) -> None:
        """Release files. Safe to call twice."""
        ...
