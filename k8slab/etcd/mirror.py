"""What an etcd was, here: a mirror of its history, kept up to date by one watch of everything.

So a thousand watches cost etcd as much as one: upstream's API server keeps a watch cache in front of its etcd for the same.

Its invariants:
- the mirror is what etcd was at the mirror's revision, and moves on by whole revisions;
- when etcd cannot be asked, nobody reads the present: it may have moved on. The past and open watches stay. When it is back,
  the watch goes on where it was, so no change is missed; if history was compacted meanwhile, the mirror is made anew, and
  who watched learns that its place is gone (Compacted).

Models: k8s.io/apiserver/pkg/storage/cacher, pkg/storage/etcd3/watcher.go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby

from k8slab.clock import Clock
from k8slab.etcd.client import REQUEST_TIMEOUT, Broken, EtcdClient, Refused, WatchStream
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.messages import Message, change, entry_of, revision_of, text
from k8slab.etcd.messages import whole_range as all_under
from k8slab.etcd.store import Delete, Entry, Put, Range, StoreError, StoreUnavailable

log = logging.getLogger(__name__)

FIRST = 1
"""An empty etcd's revision."""
RETRY_SECONDS = 0.1
LEASE_GRACE = 60
"""Seconds that etcd keeps a lease longer than asked for: while a store is there, its clock ends leases."""


class Mirror(MemoryStore):
    """Follows the etcd of a client. Raises StoreError if it cannot be asked, or is none."""

    def __init__(self, client: EtcdClient, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.client = client
        self._moved = threading.Condition(self.lock)
        """Told whenever the mirror has moved on, or cannot."""
        self._fault: StoreUnavailable | None = None
        """Why the present cannot be read; None while etcd is heard."""
        self._closed = threading.Event()
        self._stream: WatchStream | None = None
        try:
            newest = self._load()
        except (StoreUnavailable, Refused, KeyError, ValueError) as fault:
            raise StoreError(f"no etcd answers at {client.url}: {fault}") from None
        self._feed = threading.Thread(target=self._follow, name="etcd-watch", daemon=True)
        self._feed.start()
        with self.lock:
            self._wait_for(newest)

    # Reading, while it is known to be up to date.

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

    def close(self) -> None:
        """Stop listening to etcd. Safe to call twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._stream is not None:
            self._stream.stop()
        self._feed.join(timeout=REQUEST_TIMEOUT)
        self.client.close()

    # Following.

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
                self._apply(entry_of(pair))
            for log_of in (self._log, *self._bucket_logs.values()):
                del log_of[:]
        self._revision, self._compacted = max(FIRST, begin), begin
        return revision_of(found)

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

    def _hear(self, message: Message, known: int) -> None:
        """Take in one message of the watch, which began when the mirror was at the revision `known`."""
        with self.lock:
            if "created" in message:
                if revision_of(message) < known:
                    raise StoreUnavailable(f"etcd went back from revision {known} to {revision_of(message)}")
                self._fault = None
            for revision, events in groupby(
                message.get("events", ()), key=lambda event: int(event["kv"]["mod_revision"])
            ):
                if revision > self._revision:
                    self._move([change(event) for event in events], revision)
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
