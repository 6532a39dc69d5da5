from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import rule

from k8slab.clock import VirtualClock
from k8slab.etcd.sqlite import SqliteStore
from k8slab.etcd.store import Compacted, Delete, LeaseNotFound, Put, StoreError
from tests.etcd.test_memory import AgainstTheModel
from tests.etcd.test_store import PODS, WEB, put


@pytest.fixture
def path(tmp_path):
    return tmp_path / "etcd.sqlite"


def test_what_was_written_is_there_again(path):
    with SqliteStore(path) as store:
        put(store, value=b"1")
        put(store, value=b"")
        put(store, PODS + "gone")
        store.transact([], [Delete(PODS + "gone")])
        before = store.entries()
    with SqliteStore(path) as store:
        assert (store.revision, store.entries()) == (4, before)
        assert (store.get(WEB).value, store.get(WEB, 1).value) == (b"", b"1")
        assert put(store).revision == 5


def test_what_was_compacted_stays_so(path):
    with SqliteStore(path) as store:
        put(store)
        put(store, value=b"2")
        store.transact([], [Delete(WEB)])
        store.compact(3)
    with SqliteStore(path) as store:
        assert (store.revision, store.compacted, store.entries(), store.get(WEB)) == (3, 3, [], None)
        with pytest.raises(Compacted):
            store.watch(PODS, after=2)


def test_a_lease_starts_its_time_anew(path):
    clock = VirtualClock()
    with SqliteStore(path, clock) as store:
        lease = store.grant_lease(10)
        put(store, lease=lease)
    clock.advance_to(clock.now() + 8)
    with SqliteStore(path, clock) as store:
        assert store.next_expiry() == clock.now() + 10
        clock.advance_to(clock.now() + 10)
        assert store.expire_leases()
        assert store.get(WEB) is None


def test_the_number_of_a_lease_is_never_given_again(path):
    with SqliteStore(path) as store:
        old = store.grant_lease(10)
        store.revoke_lease(old)
    with SqliteStore(path) as store:
        with pytest.raises(LeaseNotFound):
            store.keep_alive(old)
        assert store.grant_lease(10) == old + 1


def test_one_process_at_a_time(path):
    with SqliteStore(path), pytest.raises(StoreError, match="is in use by another process: stop that cluster first"):
        SqliteStore(path)
    SqliteStore(path).close()


def test_a_store_that_was_closed_takes_no_writes(path):
    store = SqliteStore(path)
    put(store)
    store.close()
    store.close()
    with pytest.raises(StoreError, match=r"the store .* is closed"):
        put(store)
    assert (store.revision, store.get(WEB).value) == (1, b"1")


def test_a_write_that_fails_changes_nothing(path):
    with SqliteStore(path) as store:
        put(store)
        store._db.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match=r"cannot write to .* is read-only"):
            put(store, value=b"2")
        store._db.execute("PRAGMA query_only = OFF")
        assert (store.revision, store.get(WEB).value) == (1, b"1")
        assert put(store, value=b"3").revision == 2


def test_a_disk_that_is_full_is_named_and_changes_nothing(path):
    with SqliteStore(path) as store:
        put(store)
        store._db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="there is no room left on the disk"):
            put(store, value=b"x" * 1_000_000)
        assert (store.revision, store.get(WEB).value) == (1, b"1")


def test_a_file_that_was_damaged_later_is_named(path):
    with SqliteStore(path) as store:
        for number in range(50):
            put(store, value=b"x" * number * 100)
    pages = bytearray(path.read_bytes())
    pages[4096 * 2 :] = b"\xff" * (len(pages) - 4096 * 2)
    path.write_bytes(pages)
    with pytest.raises(StoreError, match="is damaged, or no store at all"):
        SqliteStore(path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"cannot open .*nowhere.*: is its folder there"):
        SqliteStore(tmp_path / "nowhere" / "etcd.sqlite")


def test_a_file_that_is_no_store_is_left_alone(path):
    path.write_text("a letter to grandmother, and a long one at that\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is damaged, or no store at all"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match="is a database of another program"):
        SqliteStore(path)


def test_a_store_of_a_newer_format_is_left_alone(path):
    SqliteStore(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match=r"was written by a newer k8slab \(format 99\)"):
        SqliteStore(path)


def test_what_was_acknowledged_survives_a_kill(path):
    acknowledged = 0
    moments = random.Random(20260101)
    for _ in range(5):
        command = [sys.executable, "-m", "tests.etcd.writer", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
            for _ in range(moments.randrange(1, 90)):
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().split()
            acknowledged = int(rest[-1]) if rest else acknowledged
        with SqliteStore(path) as store:
            assert acknowledged <= store.revision <= acknowledged + 1
            assert [entry.revision for entry in store.entries()[::2]] == list(
                range(store.compacted + 1, store.revision + 1)
            )
            assert int(store.get("/registry/last/one").value) == store.count(PODS) == store.revision


class OnDisk(AgainstTheModel):
    """The same life, closed and opened again now and then."""

    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        return SqliteStore(Path(self.folder.name) / "etcd.sqlite")

    @rule()
    def reopen(self):
        self.store.close()
        self.store = SqliteStore(self.store.path)
        self.cursors = []

    def teardown(self):
        self.store.close()
        self.folder.cleanup()


OnDisk.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestOnDisk = OnDisk.TestCase


def test_a_transaction_is_kept_whole(path):
    with SqliteStore(path) as store:
        store.transact([], [Put(WEB, b"1"), Put(PODS + "b", b"2")])
    with SqliteStore(path) as store:
        assert [(entry.key, entry.revision) for entry in store.entries()] == [(WEB, 1), (PODS + "b", 1)]


def test_the_file_is_its_owners_alone_wherever_it_lies(tmp_path):
    with SqliteStore(tmp_path / "log") as store:
        put(store)
        files = list(tmp_path.iterdir())
        assert len(files) >= 2, "the log, and SQLite's own"
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
