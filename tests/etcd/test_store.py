"""The laws of every store: the fixture `store` is each kind of store in turn, a real etcd among them."""

from __future__ import annotations

import threading

import pytest

from k8slab.clock import NEVER
from k8slab.etcd.store import Compacted, Delete, Entry, Expect, FutureRevision, LeaseNotFound, Put

WEB, DB = "/registry/pods/default/web", "/registry/pods/default/db"
PODS = "/registry/pods/"


def put(store, key=WEB, value=b"1", lease=0):
    [entry] = store.transact([], [Put(key, value, lease)])
    return entry


def delete(store, key=WEB):
    return store.transact([], [Delete(key)])


def test_a_new_store_is_empty(store, at):
    assert (store.revision, store.range("").entries, store.entries(), store.count("")) == (at(0), [], [], 0)
    store.check()


def test_each_write_is_one_revision_more(store, at):
    assert [put(store).revision, put(store, DB).revision, put(store).revision] == [at(1), at(2), at(3)]


def test_an_entry_tells_where_its_life_began_and_how_often_it_changed(store, at):
    put(store)
    assert put(store, value=b"2") == Entry(WEB, b"2", at(2), create_revision=at(1), version=2, previous=at(1))


def test_a_deletion_ends_a_life_and_the_next_creation_begins_another(store, at):
    put(store)
    assert delete(store) == [Entry(WEB, None, at(2), 0, 0, previous=at(1))]
    assert put(store) == Entry(WEB, b"1", at(3), create_revision=at(3), version=1, previous=0)


def test_deleting_what_is_not_there_makes_no_revision(store, at):
    assert delete(store) == []
    assert store.revision == at(0)


def test_a_transaction_that_only_looks_makes_no_revision(store, at):
    assert store.transact([Expect(WEB, 0)], []) == []
    assert store.transact([Expect(WEB, 9)], []) is None
    assert store.revision == at(0)


def test_all_changes_of_a_transaction_share_a_revision_and_keep_their_order(store, at):
    made = store.transact([], [Put(WEB, b"1"), Put(DB, b"2")])
    assert [(entry.key, entry.revision) for entry in made] == [(WEB, at(1)), (DB, at(1))]
    assert store.watch("", at(0)).poll() == made


def test_a_transaction_may_not_change_a_key_twice(store, at):
    with pytest.raises(ValueError, match="duplicate key given in txn request"):
        store.transact([], [Put(WEB, b"1"), Delete(WEB)])
    assert store.revision == at(0)


@pytest.mark.parametrize(
    ("key", "number", "holds"), [(WEB, 1, True), (WEB, None, False), (DB, None, True), (DB, 1, False)]
)
def test_a_guard_compares_the_newest_revision(store, at, key, number, holds):
    put(store)
    revision = 0 if number is None else at(number)
    assert (store.transact([Expect(key, revision)], [Put(DB, b"2")]) is not None) is holds
    assert store.revision == (at(2) if holds else at(1))


def test_a_deleted_key_does_not_exist_for_a_guard(store):
    put(store)
    delete(store)
    assert store.transact([Expect(WEB, 0)], [Put(WEB, b"2")])


def test_any_bytes_are_kept(store):
    value = bytes(range(256)) * 40
    put(store, WEB, value)
    put(store, DB, b"")
    assert (store.get(WEB).value, store.get(DB).value) == (value, b"")


def test_the_past_can_be_read(store, at):
    put(store, value=b"old")
    put(store, value=b"new")
    delete(store)
    assert [entry and entry.value for entry in (store.get(WEB, at(n)) for n in (1, 2, 3))] == [b"old", b"new", None]
    assert [len(store.range(PODS, at(n)).entries) for n in (1, 2, 3)] == [1, 1, 0]


def test_a_range_is_in_key_order_and_counts_what_the_limit_cuts(store):
    for name in "cab":
        put(store, PODS + name)
    found = store.range(PODS, limit=2)
    assert ([entry.key[-1] for entry in found.entries], found.more, found.count) == (["a", "b"], True, 3)
    rest = store.range(PODS, limit=2, start=PODS + "b\0")
    assert ([entry.key[-1] for entry in rest.entries], rest.more, rest.count) == (["c"], False, 1)


def test_a_prefix_need_not_end_where_a_resource_ends(store):
    put(store, WEB)
    put(store, "/registry/services/default/web")
    assert [store.count(prefix) for prefix in ("", "/registry/", PODS, PODS + "def", PODS + "x")] == [2, 2, 1, 1, 0]


def test_the_future_cannot_be_read(store, at):
    text = f"required revision {at(1)} is a future revision; the store is at {at(0)}"
    with pytest.raises(FutureRevision, match=text):
        store.get(WEB, at(1))
    with pytest.raises(FutureRevision):
        store.range(PODS, at(1))
    with pytest.raises(FutureRevision):
        store.compact(at(1))


def test_compaction_forgets_the_past_and_keeps_the_present(store, at):
    put(store, value=b"1")
    put(store, value=b"2")
    put(store, DB)
    store.compact(at(2))
    assert (store.get(WEB).value, store.get(WEB, at(2)).value) == (b"2", b"2")
    assert [entry.revision for entry in store.entries()] == [at(3)]
    text = f"required revision {at(1)} has been compacted; the oldest kept is {at(2)}"
    with pytest.raises(Compacted, match=text):
        store.get(WEB, at(1))
    with pytest.raises(Compacted):
        store.compact(at(2))


def test_a_watch_sees_every_change_under_its_prefix_once(store, at):
    put(store)
    cursor = store.watch(PODS, after=at(1))
    put(store, DB)
    put(store, "/registry/services/default/web")
    delete(store)
    assert [(entry.key, entry.revision) for entry in cursor.poll()] == [(DB, at(2)), (WEB, at(4))]
    assert cursor.poll() == []


def test_a_watch_can_be_read_up_to_a_revision(store, at):
    cursor = store.watch(PODS, after=at(0))
    for _ in range(3):
        put(store)
    assert [entry.revision for entry in cursor.poll(up_to=at(2))] == [at(1), at(2)]
    assert cursor.position == at(2)
    assert [entry.revision for entry in cursor.poll()] == [at(3)]


def test_a_watch_from_the_future_waits_for_it(store, at):
    cursor = store.watch(PODS, after=at(2))
    put(store)
    put(store)
    assert cursor.poll() == []
    put(store)
    assert [entry.revision for entry in cursor.poll()] == [at(3)]


def test_a_watch_that_fell_behind_a_compaction_says_so(store, at):
    cursor = store.watch(PODS, after=at(0))
    put(store)
    put(store)
    store.compact(at(1))
    with pytest.raises(Compacted):
        cursor.poll()
    with pytest.raises(Compacted):
        store.watch(PODS, after=at(0))


def test_a_watch_survives_a_compaction_of_what_it_has_seen(store, at):
    cursor = store.watch(PODS, after=at(0))
    put(store)
    cursor.poll()
    store.compact(at(1))
    put(store)
    assert [entry.revision for entry in cursor.poll()] == [at(2)]


def test_subscribers_are_called_on_each_write_until_they_end_it(store, at):
    told = []
    end = store.subscribe(lambda entries: told.append(entries[0].revision))
    put(store)
    end()
    end()
    put(store)
    assert told == [at(1)]


def test_a_subscriber_is_called_on_the_writers_thread_before_the_writer_knows(store):
    told = []
    store.subscribe(lambda entries: told.append(threading.current_thread()))
    put(store)
    assert told == [threading.current_thread()]


def test_a_lease_takes_its_keys_along(store, clock, at):
    lease = store.grant_lease(10)
    put(store, WEB, lease=lease)
    put(store, DB, lease=lease)
    clock.advance_to(clock.now() + 10)
    assert store.expire_leases()
    assert [(entry.key, entry.revision) for entry in store.entries(after=at(2))] == [(DB, at(3)), (WEB, at(3))]
    assert not store.expire_leases()


def test_a_lease_that_is_kept_alive_does_not_end(store, clock):
    lease = store.grant_lease(10)
    start = clock.now()
    clock.advance_to(start + 6)
    store.keep_alive(lease)
    assert store.next_expiry() == start + 16
    clock.advance_to(start + 12)
    assert not store.expire_leases()


def test_a_key_leaves_its_lease_when_it_is_written_without(store):
    lease = store.grant_lease(10)
    put(store, lease=lease)
    put(store)
    store.revoke_lease(lease)
    assert store.get(WEB) is not None
    assert store.next_expiry() == NEVER


def test_a_lease_that_is_not_there_is_an_error_and_changes_nothing(store, at):
    for attempt in (lambda: put(store, lease=7), lambda: store.keep_alive(7), lambda: store.revoke_lease(7)):
        with pytest.raises(LeaseNotFound, match=r"requested lease (7 )?not found"):
            attempt()
    assert store.revision == at(0)


def test_writers_in_many_threads_never_share_a_revision(store, at):
    def write(name):
        for _ in range(50):
            put(store, PODS + name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.revision for entry in store.entries()] == [at(number) for number in range(1, 201)]
