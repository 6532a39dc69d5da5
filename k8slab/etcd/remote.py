"""A real etcd as the store.

What is written is a transaction of etcd's, guarded by its own comparisons: several API servers may share one etcd. What is
read comes from a mirror of etcd's history, kept up to date by one watch of everything, as upstream's API server keeps a
watch cache in front of its etcd: so a thousand watches cost etcd as much as one.

    transact ──txn──▶ etcd ──watch──▶ the mirror ──▶ get, range, cursors, subscribers

Its invariants:
- the mirror is what etcd was at the mirror's revision, and moves on by whole revisions;
- a write that is acknowledged is in the mirror: who writes, reads what it wrote;
- when etcd cannot be asked, nobody reads the present: it may have moved on. The past and open watches stay. When it is back,
  the watch goes on where it was, so no change is missed; if history was compacted meanwhile, the mirror is made anew, and
  who watched learns that its place is gone (Compacted).

Keys and revisions are etcd's own: `etcdctl get --prefix /registry/` shows them. An etcd's revisions begin with 1, for the
empty store. Leases live in etcd too; they end by this store's clock, or somewhat later by etcd's own if nobody is there.

Models: k8s.io/apiserver/pkg/storage/etcd3 (store.go, watcher.go, lease_manager.go), pkg/storage/cacher.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

from k8slab.clock import Clock
from k8slab.etcd.client import REQUEST_TIMEOUT, Broken, EtcdClient, Refused, Tls, WatchStream, coded, decoded, text
from k8slab.etcd.client import whole_range as all_under
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import (
    Compacted,
    Delete,
    Entry,
    Expect,
    FutureRevision,
    LeaseNotFound,
    Put,
    Range,
    StoreError,
    StoreUnavailable,
)

LEFT_OUT = ("A cluster on an etcd cannot go back in time.",)

log = logging.getLogger(__name__)

FIRST = 1
"""An empty etcd's revision."""
RETRY_SECONDS = 0.1
LEASE_GRACE = 60
"""Seconds that etcd keeps a lease longer than asked for: while a store is there, its clock ends leases."""


class EtcdStore(MemoryStore):
    """The etcd at `url`. Raises StoreError if it cannot be asked, or is none.

    `on_close` is called when the store is closed: for whoever started the etcd for it.
    """

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        tls: Tls | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(clock)
        self.client = EtcdClient(url, tls)
        self._on_close = on_close
        self._moved = threading.Condition(self.lock)
        """Told whenever the mirror has moved on, or cannot."""
        self._fault: StoreUnavailable | None = None
        """Why the present cannot be read; None while etcd is heard."""
        self._closed = threading.Event()
        self._stream: WatchStream | None = None
        try:
            newest = self._load()
        except (StoreUnavailable, Refused, KeyError, ValueError) as fault:
            raise StoreError(f"no etcd answers at {url}: {fault}") from None
        self._feed = threading.Thread(target=self._follow, name="etcd-watch", daemon=True)
        self._feed.start()
        with self.lock:
            self._wait_for(newest)

    # Reading: the mirror, while it is known to be up to date.

    def get(self, key: str, revision: int = 0) -> Entry | None:
        """The key's entry now, or as of `revision`. Raises Compacted, FutureRevision, StoreUnavailable."""
        if not revision:
            self._check_heard()
        return super().get(key, revision)

    def range(self, prefix: str, revision: int = 0, limit: int = 0, start: str = "") -> Range:
        """The keys under `prefix`. Raises Compacted, FutureRevision, StoreUnavailable."""
        if not revision:
            self._check_heard()
        return super().range(prefix, revision, limit, start)

    def check(self) -> None:
        """Raises StoreUnavailable if etcd does not answer."""
        self.client.check()

    # Writing: etcd's transactions.

    def transact(self, expect: Sequence[Expect], then: Sequence[Put | Delete]) -> list[Entry] | None:
        """If every guard holds, make all the changes at one new revision and return their entries; else None.

        Raises StoreUnavailable: then it may have been made, or not, and a later read will tell.
        """
        if len({change.key for change in then}) < len(then):
            raise ValueError("duplicate key given in txn request")
        with self.lock:
            self._check_heard()
            answer = self._ask("/v3/kv/txn", {"compare": [*map(_compare, expect)], "success": [*map(_operation, then)]})
            revision = _revision(answer)
            if not answer.get("succeeded"):
                self._wait_for(revision)
                return None
            if not any(map(_changed, answer.get("responses", ()))):
                return []
            if revision == self._revision + 1:
                # Nobody else wrote meanwhile: what etcd did is known, and the watch brings no news.
                self._move(then, revision)
            else:
                self._wait_for(revision)
            return [entry for entry in self.entries(revision - 1) if entry.revision == revision]

    def compact(self, revision: int) -> None:
        """Forget history up to and including `revision`, in etcd and here."""
        with self.lock:
            if revision <= self._compacted:
                raise Compacted(revision, self._compacted)
            if revision > self._revision:
                raise FutureRevision(revision, self._revision)
            try:
                self._ask("/v3/kv/compaction", {"revision": str(revision)})
            except Refused as refused:
                if not refused.compacted:
                    raise
                # Another API server was faster.
            super().compact(revision)

    # Leases.

    def grant_lease(self, ttl: float) -> int:
        """A new lease's id, good for `ttl` seconds of the store's clock."""
        with self.lock:
            self._check_heard()
            while True:
                lease = self._last_lease + 1
                try:
                    self._ask("/v3/lease/grant", {"TTL": str(math.ceil(ttl) + LEASE_GRACE), "ID": str(lease)})
                except Refused as refused:
                    if "already exists" not in str(refused):
                        raise
                    self._last_lease = lease  # another API server's
                    continue
                return super().grant_lease(ttl)

    def keep_alive(self, lease: int) -> None:
        """Start the lease's time anew."""
        with self.lock:
            answer = self._ask("/v3/lease/keepalive", {"ID": str(lease)})
            if "TTL" not in answer["result"]:
                raise LeaseNotFound(f"requested lease {lease} not found")
            super().keep_alive(lease)

    def revoke_lease(self, lease: int) -> None:
        """End the lease and delete its keys."""
        with self.lock:
            try:
                self._wait_for(_revision(self._ask("/v3/lease/revoke", {"ID": str(lease)})))
            except LeaseNotFound:
                if lease not in self._leases:
                    raise LeaseNotFound(f"requested lease {lease} not found") from None
                # etcd's own clock was faster.
            self._leases.pop(lease, None)

    def close(self) -> None:
        """Stop listening to etcd. Safe to call twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._stream is not None:
            self._stream.stop()
        self._feed.join(timeout=REQUEST_TIMEOUT)
        self.client.close()
        self._on_close()

    # The mirror.

    def _ask(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        if self._closed.is_set():
            raise StoreError(f"the store at {self.client.url} is closed")
        try:
            return self.client.ask(path, message)
        except StoreUnavailable as fault:
            if fault.timed_out:
                self._give_up(fault)
            raise

    def _check_heard(self) -> None:
        """Raises StoreUnavailable while etcd is not heard."""
        if self._fault is not None:
            raise self._fault.again()

    def _move(self, changes: Sequence[Put | Delete], revision: int) -> None:
        """Take the changes of the next revision in, and tell."""
        made = [entry for change in changes if (entry := self._entry(change, revision)) is not None]
        self._commit(made, revision)
        self._moved.notify_all()

    def _wait_for(self, revision: int) -> None:
        """Until the mirror has come to a revision; the lock is free meanwhile. Raises StoreUnavailable."""
        if not self._moved.wait_for(lambda: self._revision >= revision or self._fault is not None, REQUEST_TIMEOUT):
            raise StoreUnavailable("context deadline exceeded", timed_out=True)
        if self._revision < revision:
            self._check_heard()

    def _load(self) -> int:
        """Make the mirror as of where etcd's history begins; etcd's newest revision. Raises StoreUnavailable, Refused."""
        begin = self._beginning()
        leases = self.client.ask("/v3/lease/leases", {})
        for lease in sorted(int(each["ID"]) for each in leases.get("leases", ())):
            granted = self.client.ask("/v3/lease/timetolive", {"ID": str(lease)})
            self._last_lease = lease - 1
            super().grant_lease(max(0.0, float(granted.get("grantedTTL", 0)) - LEASE_GRACE))
        found = self.client.ask("/v3/kv/range", {**all_under(""), **({"revision": str(begin)} if begin else {})})
        if begin:
            for pair in sorted(found.get("kvs", ()), key=lambda pair: int(pair["mod_revision"])):
                self._apply(_entry_of(pair))
            for log_of in (self._log, *self._bucket_logs.values()):
                del log_of[:]
        self._revision, self._compacted = max(FIRST, begin), begin
        return _revision(found)

    def _beginning(self) -> int:
        """Where etcd's history begins: the revision of its last compaction, 0 if there was none."""
        try:
            self.client.ask("/v3/kv/range", {"key": text("/"), "revision": str(FIRST)})
        except Refused as refused:
            if not refused.compacted:
                raise
        else:
            return 0
        stream = self.client.watch(FIRST)
        try:
            for _ in stream:
                pass
        finally:
            stream.close()
        return stream.compacted

    def _follow(self) -> None:
        """Hear what happens, as long as the store is open; the feed's thread."""
        while not self._closed.is_set():
            known = self._revision
            try:
                with closing(self.client.watch(known + 1)) as self._stream:
                    if self._closed.is_set():
                        return  # it was closed before there was a stream to stop
                    for message in self._stream:
                        self._hear(message, known)
                    if self._stream.compacted:
                        self._begin_anew()
                self._lose(StoreUnavailable("etcdserver: watch was cancelled"))
            except StoreUnavailable as fault:
                self._lose(fault)
            except Broken as fault:
                self._lose(self._fault or self.client.unavailable(fault))
            except Exception:
                log.exception("following %s failed, and goes on", self.client.url)
                self._lose(StoreUnavailable("etcdserver: watch failed"))
            self._closed.wait(RETRY_SECONDS)

    def _hear(self, message: dict[str, Any], known: int) -> None:
        """Take in one message of the watch, which began when the mirror was at the revision `known`."""
        with self.lock:
            if "created" in message:
                if _revision(message) < known:
                    raise StoreUnavailable(f"etcd went back from revision {known} to {_revision(message)}")
                self._fault = None
            for revision, events in groupby(
                message.get("events", ()), key=lambda event: int(event["kv"]["mod_revision"])
            ):
                if revision > self._revision:
                    self._move([_change(event) for event in events], revision)
            self._moved.notify_all()

    def _lose(self, fault: StoreUnavailable) -> None:
        """etcd is not heard any more."""
        with self.lock:
            if not self._closed.is_set():
                self._fault = fault
            self._moved.notify_all()
        self.client.forget()

    def _give_up(self, fault: StoreUnavailable) -> None:
        """etcd is there, and does not answer: nobody else need wait for it, until a new watch says that it is back."""
        self._lose(fault)
        if self._stream is not None:
            self._stream.stop()

    def _begin_anew(self) -> None:
        """History was compacted beyond the mirror: make it anew."""
        with self.lock:
            for index in (self._history, self._keys, self._gone, self._leases):
                index.clear()
            for log_of in (self._log, *self._bucket_logs.values()):
                # In place: cursors hold the list.
                del log_of[:]
            self._expiries.clear()
            self._load()


def _compare(guard: Expect) -> dict[str, Any]:
    return {"key": text(guard.key), "target": "MOD", "result": "EQUAL", "mod_revision": str(guard.revision)}


def _operation(change: Put | Delete) -> dict[str, Any]:
    if isinstance(change, Delete):
        return {"request_delete_range": {"key": text(change.key)}}
    put = {"key": text(change.key), "value": coded(change.value)}
    return {"request_put": put | ({"lease": str(change.lease)} if change.lease else {})}


def _changed(response: dict[str, Any]) -> bool:
    """Whether an operation changed anything: deleting what is not there does not."""
    return "response_put" in response or "deleted" in response.get("response_delete_range", {})


def _change(event: dict[str, Any]) -> Put | Delete:
    pair = event["kv"]
    key = decoded(pair["key"]).decode()
    if event.get("type") == "DELETE":
        return Delete(key)
    return Put(key, decoded(pair.get("value", "")), int(pair.get("lease", 0)))


def _entry_of(pair: dict[str, Any]) -> Entry:
    return Entry(
        decoded(pair["key"]).decode(),
        decoded(pair.get("value", "")),
        int(pair["mod_revision"]),
        int(pair["create_revision"]),
        int(pair["version"]),
        int(pair.get("lease", 0)),
    )


def _revision(message: dict[str, Any]) -> int:
    return int(message["header"].get("revision", 0))
