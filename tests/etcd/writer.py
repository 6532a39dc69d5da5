"""A process that writes until it is killed, and says what was acknowledged: `python -m tests.etcd.writer PATH`."""

from __future__ import annotations

import sys

from k8slab.etcd.sqlite import SqliteStore
from k8slab.etcd.store import Put

if __name__ == "__main__":
    store = SqliteStore(sys.argv[1])
    while True:
        revision = store.revision + 1
        value = str(revision).encode()
        store.transact([], [Put(f"/registry/pods/default/web-{revision}", value), Put("/registry/last/one", value)])
        if revision % 25 == 0:
            store.compact(revision - 10)
        print(revision, flush=True)
