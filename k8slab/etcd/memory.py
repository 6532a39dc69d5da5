"""The log, in memory.

Three indexes over one list of entries: the history of each key, the keys of each bucket in order, and the log of each
bucket. A bucket is the first two parts of a key (`/registry/pods/`): all keys of one resource. So a watch on Pods does not
walk over lease renewals, and a list of Pods does not walk over Events.

Models: etcd server/storage/mvcc (kvstore.go, key_index.go, watchable_store.go), server/lease/lessor.go.
"""

from __future__ import annotations

import heapq
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from k8slab.apimachinery.packing import Samples
from k8slab.clock import NEVER, Clock, VirtualClock
from k8slab.etcd.store import Compacted, Delete, Entry, Expect, FutureRevision, LeaseNotFound, Put, Range

OnCommit = Callable[[list[Entry]], None]
_revision_of = attrgetter("revision")
OLD = 4
"""Revisions after which an object does not change its shape any more."""


@dataclass(slots=True)
class _Lease:
    ttl: float
    ends: float
    keys: dict[str, None] = field(default_factory=dict)
    """An ordered set."""


class MemoryCursor:
    """A place in one log: its position is all that it holds."""

    __slots__ = ("_log", "_prefix", "_store", "_whole", "position")

    def __init__(self, store: MemoryStore, log: list[Entry], prefix: str, whole: bool, after: int) -> None:
        self._store, self._log, self._prefix, self._whole = store, log, prefix, whole
        self.position = after

    def poll(self, up_to: int | None = None) -> list[Entry]:
        """The changes after `position`, in order, then moves on. Raises Compacted if it fell behind."""
        end = self._store.revision if up_to is None else min(up_to, self._store.revision)
        if end <= self.position:
            return []
        with self._store.lock:
            if self.position < self._store.compacted:
                raise Compacted(self.position, self._store.compacted)
            first = bisect_right(self._log, self.position, key=_revision_of)
            found = (
                self._log[first:]
                if up_to is None
                else self._log[first : bisect_right(self._log, end, key=_revision_of)]
            )
            self.position = found[-1].revision if found and found[-1].revision > end else end
        return found if self._whole else [entry for entry in found if entry.key.startswith(self._prefix)]


class MemoryStore:
    """The log in this process's memory. `clock` is what leases go by (default: one that stands still)."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.lock = threading.RLock()
        self._clock = clock or VirtualClock()
        self._revision = self._compacted = 0
        self._log: list[Entry] = []
        self._bucket_logs: dict[str, list[Entry]] = {}
        # Each key's entries since compaction, oldest first; the last one is its present.
        self._history: dict[str, list[Entry]] = {}
        # The keys that exist, sorted, by bucket; and those that existed once, until compaction forgets them.
        self._keys: dict[str, list[str]] = {}
        self._gone: dict[str, list[str]] = {}
        self._samples = Samples()
        self._leases: dict[int, _Lease] = {}
        self._expiries: list[tuple[float, int]] = []
        self._last_lease = 0
        self._subscribers: dict[int, OnCommit] = {}
        self._last_subscriber = 0

    # Reading.

    @property
    def revision(self) -> int:
        """The newest revision; 0 when nothing was ever written."""
        return self._revision

    @property
    def compacted(self) -> int:
        """Revisions up to and including this one are gone, save each key's newest value as of then."""
        return self._compacted

    def get(self, key: str, revision: int = 0) -> Entry | None:
        """The key's entry now, or as of `revision`; None if it did not exist. Raises Compacted, FutureRevision."""
        if revision == 0:
            history = self._history.get(key)
            return history[-1] if history and not history[-1].deleted else None
        with self.lock:
            self._check(revision)
            return self._as_of(key, revision)

    def range(self, prefix: str, revision: int = 0, limit: int = 0, start: str = "") -> Range:
        """The keys under `prefix`, from `start` on, at most `limit` (0: all), now or as of `revision`."""
        with self.lock:
            if revision:
                self._check(revision)
            past = 0 < revision < self._revision
            keys = self._keys_under(prefix, past)
            if past:
                # What is gone now may have been there, and the other way round.
                keys = [key for key in keys if self._as_of(key, revision) is not None]
            first = bisect_left(keys, start)
            last = min(first + limit, len(keys)) if limit else len(keys)
            shown = keys[first:last]
            entries = (
                [entry for key in shown if (entry := self._as_of(key, revision)) is not None]
                if past
                else [self._history[key][-1] for key in shown]
            )
            return Range(entries, revision or self._revision, last < len(keys), len(keys) - first)

    def count(self, prefix: str) -> int:
        """How many keys there are under `prefix`."""
        with self.lock:
            bucket = _bucket(prefix)
            if bucket and bucket == prefix:
                return len(self._keys.get(bucket, ()))
            return len(self._keys_under(prefix, past=False))

    def watch(self, prefix: str, after: int) -> MemoryCursor:
        """A cursor over the changes under `prefix` after revision `after`."""
        with self.lock:
            if after < self._compacted:
                raise Compacted(after, self._compacted)
            bucket = _bucket(prefix)
            log = self._bucket_logs.setdefault(bucket, []) if bucket else self._log
            return MemoryCursor(self, log, prefix, prefix in ("", bucket), after)

    def entries(self, after: int = 0) -> list[Entry]:
        """The whole kept log after a revision, in order."""
        with self.lock:
            return self._log[bisect_right(self._log, after, key=_revision_of) :]

    # Writing.

    def transact(self, expect: Sequence[Expect], then: Sequence[Put | Delete]) -> list[Entry] | None:
        """If every guard holds, make all the changes at one new revision and return their entries; else None."""
        if len({change.key for change in then}) < len(then):
            raise ValueError("duplicate key given in txn request")
        with self.lock:
            for guard in expect:
                entry = self.get(guard.key)
                if (entry.revision if entry else 0) != guard.revision:
                    return None
            for change in then:
                if isinstance(change, Put) and change.lease and change.lease not in self._leases:
                    raise LeaseNotFound(f"requested lease {change.lease} not found")
            revision = self._revision + 1
            made = [entry for change in then if (entry := self._entry(change, revision)) is not None]
            if made:
                self._commit(made, revision)
            return made

    def subscribe(self, on_commit: OnCommit) -> Callable[[], None]:
        """Call `on_commit` after each write, on the writer's thread. Returns the function that ends the subscription."""
        with self.lock:
            self._last_subscriber += 1
            number = self._last_subscriber
            self._subscribers[number] = on_commit
        return lambda: self._subscribers.pop(number, None) and None

    def compact(self, revision: int) -> None:
        """Forget history up to and including `revision`."""
        with self.lock:
            if revision <= self._compacted:
                raise Compacted(revision, self._compacted)
            if revision > self._revision:
                raise FutureRevision(revision, self._revision)
            self._compacted = revision
            for log in (self._log, *self._bucket_logs.values()):
                # In place: cursors hold the list.
                del log[: bisect_right(log, revision, key=_revision_of)]
            for key, history in list(self._history.items()):
                newest = bisect_right(history, revision, key=_revision_of) - 1
                if newest > 0:
                    del history[:newest]
                if history[0].deleted and len(history) == 1 and history[0].revision <= revision:
                    del self._history[key]
                    _discard(self._gone[_bucket(key)], key)

    # Leases.

    def grant_lease(self, ttl: float) -> int:
        """A new lease's id, good for `ttl` seconds of the store's clock."""
        with self.lock:
            self._last_lease += 1
            lease = _Lease(ttl, self._clock.now() + ttl)
            self._leases[self._last_lease] = lease
            heapq.heappush(self._expiries, (lease.ends, self._last_lease))
            return self._last_lease

    def keep_alive(self, lease: int) -> None:
        """Start the lease's time anew."""
        with self.lock:
            found = self._find_lease(lease)
            found.ends = self._clock.now() + found.ttl
            heapq.heappush(self._expiries, (found.ends, lease))

    def revoke_lease(self, lease: int) -> None:
        """End the lease and delete its keys."""
        with self.lock:
            found = self._find_lease(lease)
            self.transact([], [Delete(key) for key in sorted(found.keys)])
            del self._leases[lease]

    def expire_leases(self) -> bool:
        """Revoke the leases whose time is over; True if there was one."""
        with self.lock:
            ended = False
            while self.next_expiry() <= self._clock.now():
                self.revoke_lease(self._expiries[0][1])
                ended = True
            return ended

    def next_expiry(self) -> float:
        """When the next lease ends; infinity if there is none."""
        with self.lock:
            # Entries of leases that were renewed or revoked since are stale.
            while self._expiries:
                ends, lease = self._expiries[0]
                if lease in self._leases and self._leases[lease].ends == ends:
                    return ends
                heapq.heappop(self._expiries)
            return NEVER

    def check(self) -> None:
        """It is there as long as the process is."""

    def close(self) -> None:
        """There is nothing to release."""

    # Inside.

    def _entry(self, change: Put | Delete, revision: int) -> Entry | None:
        """What a change makes of its key; None if it changes nothing."""
        before = self.get(change.key)
        previous = before.revision if before else 0
        if isinstance(change, Delete):
            return Entry(before.key, None, revision, 0, 0, 0, previous) if before else None
        # A sample of the same age: the first revisions of two Pods are more alike than the first and the third of one.
        age = min(before.version, OLD) if before else 0
        sample = self._samples.for_value((_bucket(change.key), age), change.value)
        if before is None:
            return Entry(change.key, change.value, revision, revision, 1, change.lease, 0, sample)
        return Entry(
            before.key, change.value, revision, before.create_revision, before.version + 1, change.lease, previous, sample
        )  # fmt: skip

    def _commit(self, made: list[Entry], revision: int) -> None:
        for entry in made:
            self._apply(entry)
        # Only now: a reader without the lock must not see a revision whose entries are missing.
        self._revision = revision
        for on_commit in tuple(self._subscribers.values()):
            on_commit(made)

    def _apply(self, entry: Entry) -> None:
        """Put one entry into the indexes."""
        key = entry.key
        bucket = _bucket(key)
        history = self._history.get(key, [])
        before = history[-1] if history else None
        if before is not None and before.lease and before.lease in self._leases:
            self._leases[before.lease].keys.pop(key, None)
        if entry.lease and entry.lease in self._leases:
            self._leases[entry.lease].keys[key] = None
        if before is None:
            self._history[key] = [entry]  # most keys never get a second one, and a list that grows takes room for four
        else:
            history.append(entry)
        existed = before is not None and not before.deleted
        if not entry.deleted and not existed:
            insort(self._keys.setdefault(bucket, []), key)
            if before is not None:
                _discard(self._gone[bucket], key)
        elif entry.deleted and existed:
            _discard(self._keys[bucket], key)
            insort(self._gone.setdefault(bucket, []), key)
        self._log.append(entry)
        log = self._bucket_logs.get(bucket)
        if log is None:
            log = self._bucket_logs[bucket] = []
        log.append(entry)

    def _as_of(self, key: str, revision: int) -> Entry | None:
        history = self._history.get(key, [])
        place = bisect_right(history, revision, key=_revision_of) - 1
        return history[place] if place >= 0 and not history[place].deleted else None

    def _keys_under(self, prefix: str, past: bool) -> list[str]:
        """The keys under a prefix, in order; with `past`, also those that are gone now."""
        bucket = _bucket(prefix)
        found: list[str] = []
        for index in (self._keys, self._gone) if past else (self._keys,):
            for each in (bucket,) if bucket else sorted(index):
                keys = index.get(each, [])
                if prefix in ("", bucket):
                    found += keys
                else:
                    found += keys[bisect_left(keys, prefix) : bisect_left(keys, prefix + "\U0010ffff")]
        return sorted(found) if past or not bucket else found

    def _check(self, revision: int) -> None:
        if revision < self._compacted:
            raise Compacted(revision, self._compacted)
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)

    def _find_lease(self, lease: int) -> _Lease:
        if lease not in self._leases:
            raise LeaseNotFound(f"requested lease {lease} not found")
        return self._leases[lease]


def _bucket(key: str) -> str:
    """`/registry/pods/` of `/registry/pods/default/web`; empty if the key has no second part that ends."""
    end = key.find("/", key.find("/", 1) + 1)
    return key[: end + 1] if end > 0 else ""


def _discard(keys: list[str], key: str) -> None:
    place = bisect_left(keys, key)
    if place < len(keys) and keys[place] == key:
        del keys[place]
