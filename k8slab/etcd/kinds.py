"""The kinds of store there are, by the names that people give them.

memory    forgotten with the process
sqlite    one file, `etcd.sqlite`
etcd      a real etcd, started for this cluster, with its data in `etcd/`
http...   an etcd that runs already
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from k8slab.clock import Clock
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Store, StoreError

KINDS = ("memory", "sqlite", "etcd")
FILE, FOLDER = "etcd.sqlite", "etcd"


def is_kind(text: str) -> bool:
    """Whether a text names a kind of store, or the address of an etcd."""
    return text in KINDS or text.startswith(("http://", "https://"))


def open_store(kind: str, clock: Clock, directory: Path | None = None) -> Store:
    """A store of a kind, in `directory`; without one, an etcd's data goes with it. Raises StoreError."""
    # Imported here: only who asks for a kind needs what it is made of.
    if kind == "sqlite":
        from k8slab.etcd.sqlite import SqliteStore

        if directory is None:
            raise StoreError("store='sqlite' keeps the cluster in a file; say in which folder: directory=Path('lab')")
        directory.mkdir(parents=True, exist_ok=True)
        return SqliteStore(directory / FILE, clock)
    if kind.startswith("http"):
        from k8slab.etcd.remote import EtcdStore

        return EtcdStore(kind, clock)
    return _etcd(clock, directory) if kind == "etcd" else MemoryStore(clock)


def _etcd(clock: Clock, directory: Path | None) -> Store:
    from k8slab.etcd.member import EtcdMember
    from k8slab.etcd.remote import EtcdStore

    with ExitStack() as held:
        folder = directory or Path(held.enter_context(tempfile.TemporaryDirectory(prefix="k8slab-")))
        member = held.enter_context(EtcdMember(folder / FOLDER))
        return EtcdStore(member.url, clock, tls=member.tls, on_close=held.pop_all().close)


def clean_up(directory: Path) -> None:
    """End an etcd that a crashed process left behind in `directory`, so that its files can be removed."""
    if (directory / FOLDER).exists():
        from k8slab.etcd.member import EtcdMember

        EtcdMember(directory / FOLDER).end_left_behind()
