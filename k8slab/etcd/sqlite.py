"""The log, on disk.

The same indexes as in memory, and beside them one table to which every transaction is appended before anybody sees it. SQLite's
write-ahead log with `synchronous=FULL` makes each of them one `fsync`: what was acknowledged is there again after a crash, and
what was not is there wholly or not at all. The table is read once, when the store is opened.

One process at a time: SQLite's exclusive lock is held until `close`, or until the process ends, however it ends.
A lease that outlives its process starts its time anew, as in etcd: nobody could keep it alive meanwhile.

Models: etcd's server/storage/wal and server/lease/lessor.go (Promote); kine's idea of etcd in an SQL table.
"""

from __future__ import annotations

import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

from k8slab.clock import Clock
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Entry, StoreError

LEFT_OUT = ("One process at a time has the file.",)

APPLICATION_ID = 0x6B387362  # "k8sb"
VERSION = 1
SETTINGS = """
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
"""
SCHEMA = (
    """CREATE TABLE entries (
        key TEXT NOT NULL, value BLOB, revision INTEGER NOT NULL, create_revision INTEGER NOT NULL,
        version INTEGER NOT NULL, lease INTEGER NOT NULL, previous INTEGER NOT NULL,
        place INTEGER NOT NULL, PRIMARY KEY (revision, place)
    ) WITHOUT ROWID""",
    "CREATE TABLE leases (id INTEGER PRIMARY KEY, ttl REAL NOT NULL)",
    "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
APPEND = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
READ = "SELECT key, value, revision, create_revision, version, lease, previous FROM entries ORDER BY revision, place"
REMEMBER = "INSERT OR REPLACE INTO numbers VALUES (?, ?)"
FORGET_OLD = """DELETE FROM entries WHERE revision <= ?1 AND (key, revision) NOT IN
    (SELECT key, max(revision) FROM entries WHERE revision <= ?1 GROUP BY key)"""
FORGET_GONE = "DELETE FROM entries WHERE revision <= ?1 AND value IS NULL"

ADVICE = {
    "locked": "{path} is in use by another process: stop that cluster first, or use another file",
    "unable to open": "cannot open {path}: is its folder there, and may this user write to it?",
    "readonly": "cannot write to {path}: it, or its folder, is read-only: give this user the right to write",
    "full": "cannot write to {path}: there is no room left on the disk: make some and try again",
    "not a database": "{path} is damaged, or no store at all ({text}): move it away to start anew",
    "malformed": "{path} is damaged, or no store at all ({text}): move it away to start anew",
}
"""What to do, by a part of what SQLite says."""

Statement = tuple[str, Iterable[tuple[Any, ...]]]


class SqliteStore(MemoryStore):
    """The log in a file, made if there is none. Raises StoreError if it cannot be opened, or a write cannot be kept."""

    def __init__(self, path: Path | str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.path = Path(path)
        self._closed = False
        with suppress(OSError):  # what is wrong with the place SQLite says better
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))  # Secrets are in it
        try:
            # Statements begin and end their transactions themselves; the store's lock keeps threads apart.
            self._db = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._explained(error) from None
        try:
            self._open()
        except BaseException as error:
            self._db.close()
            raise self._explained(error) if isinstance(error, sqlite3.Error) else error from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def compact(self, revision: int) -> None:
        """Forget history up to and including `revision`, in memory and on disk."""
        with self.lock:
            super().compact(revision)
            self._write(
                (FORGET_OLD, [(revision,)]), (FORGET_GONE, [(revision,)]), (REMEMBER, [("compacted", revision)])
            )  # fmt: skip

    def grant_lease(self, ttl: float) -> int:
        """A new lease's id, good for `ttl` seconds of the store's clock."""
        with self.lock:
            lease = self._last_lease + 1
            self._write(("INSERT INTO leases VALUES (?, ?)", [(lease, ttl)]), (REMEMBER, [("last_lease", lease)]))
            return super().grant_lease(ttl)

    def revoke_lease(self, lease: int) -> None:
        """End the lease and delete its keys."""
        with self.lock:
            # Its keys first: a crash in between leaves a lease without keys, which ends by itself.
            super().revoke_lease(lease)
            self._write(("DELETE FROM leases WHERE id = ?", [(lease,)]))

    def check(self) -> None:
        """Raises StoreError if it is closed."""
        if self._closed:
            raise StoreError(f"the store {self.path} is closed")

    def close(self) -> None:
        """Let the file go. What is read afterwards is what was there; nothing can be written."""
        with self.lock:
            if not self._closed:
                self._closed = True
                self._db.close()

    def _commit(self, made: list[Entry], revision: int) -> None:
        # On disk before in memory: nobody sees a change that a crash could take back.
        self._write((APPEND, [(*_row(entry), place) for place, entry in enumerate(made)]))
        super()._commit(made, revision)

    def _write(self, *statements: Statement) -> None:
        """All statements, or none of them."""
        self.check()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise self._explained(error) from None

    def _open(self) -> None:
        self._db.executescript(SETTINGS)
        self._db.execute("BEGIN EXCLUSIVE")  # takes the file for this process
        self._make_tables()
        self._db.execute("COMMIT")
        self._load()

    def _make_tables(self) -> None:
        whose, version = (self._number(f"PRAGMA {name}") for name in ("application_id", "user_version"))
        if whose == APPLICATION_ID:
            if version > VERSION:
                raise StoreError(f"{self.path} was written by a newer k8slab (format {version}): update this one")
        elif self._number("SELECT count(*) FROM sqlite_master"):
            raise StoreError(f"{self.path} is a database of another program: give the store a file of its own")
        else:
            for statement in SCHEMA:
                self._db.execute(statement)

    def _load(self) -> None:
        """Bring the indexes to where they were."""
        numbers = dict(self._db.execute("SELECT name, value FROM numbers"))
        for lease, ttl in self._db.execute("SELECT id, ttl FROM leases ORDER BY id"):
            self._last_lease = lease - 1
            super().grant_lease(ttl)
        self._last_lease = numbers.get("last_lease", 0)
        self._revision = self._compacted = numbers.get("compacted", 0)
        for row in self._db.execute(READ):
            entry = Entry(*row)
            self._apply(entry)
            self._revision = max(self._revision, entry.revision)
        for log in (self._log, *self._bucket_logs.values()):
            del log[: bisect_right(log, self._compacted, key=attrgetter("revision"))]

    def _number(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchone()[0])

    def _explained(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        sentence = next((advice for part, advice in ADVICE.items() if part in text), "the store {path} failed: {text}")
        return StoreError(sentence.format(path=self.path, text=text))


def _row(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.key, entry.value, entry.revision, entry.create_revision, entry.version, entry.lease, entry.previous
    )  # fmt: skip
