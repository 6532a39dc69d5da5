"""A real etcd as the store.

What is written is a transaction of etcd's, guarded by its own comparisons: several API servers may share one etcd. What is
read comes from the mirror (`mirror.py`).

    transact ──txn──▶ etcd ──watch──▶ the mirror ──▶ get, range, cursors, subscribers

Its invariant: a write that is acknowledged is in the mirror. Who writes, reads what it wrote.

Keys and revisions are etcd's own: `etcdctl get --prefix /registry/` shows them. An etcd's revisions begin with 1, for the
empty store. Leases live in etcd too; they end by this store's clock, or somewhat later by etcd's own if nobody is there.

Models: k8s.io/apiserver/pkg/storage/etcd3 (store.go, lease_manager.go).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from k8slab.clock import Clock
from k8slab.etcd.client import EtcdClient, Refused, Tls
from k8slab.etcd.messages import Message, changed, compare, operation, revision_of
from k8slab.etcd.mirror import LEASE_GRACE, Mirror
from k8slab.etcd.store import (
    Compacted,
    Delete,
    Entry,
    Expect,
    FutureRevision,
    LeaseNotFound,
    Put,
    StoreError,
    StoreUnavailable,
)

LEFT_OUT = ("A cluster on an etcd cannot go back in time.",)


class EtcdStore(Mirror):
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
        super().__init__(EtcdClient(url, tls), clock)
        self._on_close = on_close

    # Writing: etcd's transactions.

    def transact(self, expect: Sequence[Expect], then: Sequence[Put | Delete]) -> list[Entry] | None:
        """If every guard holds, make all the changes at one new revision and return their entries; else None.

        Raises StoreUnavailable: then it may have been made, or not, and a later read will tell.
        """
        if len({change.key for change in then}) < len(then):
            raise ValueError("duplicate key given in txn request")
        with self.lock:
            self._check_heard()
            answer = self._ask("/v3/kv/txn", {"compare": [*map(compare, expect)], "success": [*map(operation, then)]})
            revision = revision_of(answer)
            if not answer.get("succeeded"):
                self._wait_for(revision)
                return None
            if not any(map(changed, answer.get("responses", ()))):
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
                self._wait_for(revision_of(self._ask("/v3/lease/revoke", {"ID": str(lease)})))
            except LeaseNotFound:
                if lease not in self._leases:
                    raise LeaseNotFound(f"requested lease {lease} not found") from None
                # etcd's own clock was faster.
            self._leases.pop(lease, None)

    def close(self) -> None:
        """Stop listening to etcd. Safe to call twice."""
        if not self._closed.is_set():
            super().close()
            self._on_close()

    def _ask(self, path: str, message: Message) -> Message:
        if self._closed.is_set():
            raise StoreError(f"the store at {self.client.url} is closed")
        try:
            return self.client.ask(path, message)
        except StoreUnavailable as fault:
            if fault.timed_out:
                self._give_up(fault)
            raise
