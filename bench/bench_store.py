"""The store: writes in memory, durable writes, and watchers that read along."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.measure import Figure, figure
from k8slab.clock import Stopwatch
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.sqlite import SqliteStore
from k8slab.etcd.store import Put, Store

VALUE = b"x" * 1500
WRITES, DURABLE_WRITES, WATCHED_WRITES, WATCHERS = 50_000, 1_000, 5_000, 100


def store_writes() -> Figure:
    """Writes a second of 1.5 kB values to 1,000 keys, in memory."""
    return figure("store_writes", _writes(MemoryStore(), WRITES), "writes/s", "memory, 1.5 kB values, 1,000 keys")


def sqlite_writes() -> Figure:
    """The same on disk: each write is synced before it is acknowledged."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "etcd.sqlite")
        speed = _writes(store, DURABLE_WRITES)
        store.close()
    return figure("sqlite_writes", speed, "writes/s", "SQLite, each write synced to disk, one writer")


def watch_fan_out() -> Figure:
    """Events a second that 100 watchers together take off the log, each as soon as it is written."""
    store = MemoryStore()
    cursors = [store.watch("/registry/pods/", 0) for _ in range(WATCHERS)]
    clock = Stopwatch()
    events = 0
    for number in range(WATCHED_WRITES):
        store.transact([], [Put(f"/registry/pods/default/pod-{number % 1000}", VALUE)])
        events += sum(len(cursor.poll()) for cursor in cursors)
    detail = f"{WATCHERS} watchers, each polled after each of {WATCHED_WRITES:,} writes"
    return figure("watch_fan_out", events / clock.elapsed(), "events/s", detail)


def _writes(store: Store, count: int) -> float:
    clock = Stopwatch()
    for number in range(count):
        store.transact([], [Put(f"/registry/pods/default/pod-{number % 1000}", VALUE)])
    return count / clock.elapsed()
