"""The laws of every store, and a long random life compared with a model that is too simple to be wrong.

The fixture `store` is each kind of store in turn.
"""

from __future__ import annotations

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from k8slab.clock import NEVER
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Compacted, Delete, Entry, Expect, FutureRevision, LeaseNotFound, Put

WEB, DB = "/registry/pods/default/web", "/registry/pods/default/db"
PODS = "/registry/pods/"


def put(store, key=WEB, value=b"1", lease=0):
    [entry] = store.transact([], [Put(key, value, lease)])
    return entry


def delete(store, key=WEB):
    return store.transact([], [Delete(key)])


def test_a_new_store_is_at_revision_0_and_empty(store):
    assert (store.revision, store.compacted, store.range("").entries, store.entries()) == (0, 0, [], [])


def test_each_write_is_one_revision_more(store):
    assert [put(store).revision, put(store, DB).revision, put(store).revision] == [1, 2, 3]


def test_an_entry_tells_where_its_life_began_and_how_often_it_changed(store):
    put(store)
    assert put(store, value=b"2") == Entry(WEB, b"2", 2, create_revision=1, version=2, previous=1)


def test_a_deletion_ends_a_life_and_the_next_creation_begins_another(store):
    put(store)
    assert delete(store) == [Entry(WEB, None, 2, 0, 0, previous=1)]
    assert put(store) == Entry(WEB, b"1", 3, create_revision=3, version=1, previous=0)


def test_deleting_what_is_not_there_makes_no_revision(store):
    assert delete(store) == []
    assert store.revision == 0


def test_all_changes_of_a_transaction_share_a_revision(store):
    made = store.transact([], [Put(WEB, b"1"), Put(DB, b"2")])
    assert [entry.revision for entry in made] == [1, 1]


def test_a_transaction_may_not_change_a_key_twice(store):
    with pytest.raises(ValueError, match="duplicate key given in txn request"):
        store.transact([], [Put(WEB, b"1"), Delete(WEB)])
    assert store.revision == 0


@pytest.mark.parametrize(("key", "revision", "holds"), [(WEB, 1, True), (WEB, 0, False), (DB, 0, True), (DB, 1, False)])
def test_a_guard_compares_the_newest_revision(store, key, revision, holds):
    put(store)
    assert (store.transact([Expect(key, revision)], [Put(DB, b"2")]) is not None) is holds
    assert store.revision == (2 if holds else 1)


def test_a_deleted_key_does_not_exist_for_a_guard(store):
    put(store)
    delete(store)
    assert store.transact([Expect(WEB, 0)], [Put(WEB, b"2")])


def test_the_past_can_be_read(store):
    put(store, value=b"old")
    put(store, value=b"new")
    delete(store)
    assert [entry and entry.value for entry in (store.get(WEB, r) for r in (1, 2, 3))] == [b"old", b"new", None]
    assert [len(store.range(PODS, revision).entries) for revision in (1, 2, 3)] == [1, 1, 0]


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


def test_the_future_cannot_be_read(store):
    with pytest.raises(FutureRevision, match="required revision 1 is a future revision; the store is at 0"):
        store.get(WEB, 1)
    with pytest.raises(FutureRevision):
        store.range(PODS, 1)
    with pytest.raises(FutureRevision):
        store.compact(1)


def test_compaction_forgets_the_past_and_keeps_the_present(store):
    put(store, value=b"1")
    put(store, value=b"2")
    put(store, DB)
    store.compact(2)
    assert (store.get(WEB).value, store.get(WEB, 2).value, [e.revision for e in store.entries()]) == (b"2", b"2", [3])
    with pytest.raises(Compacted, match="required revision 1 has been compacted; the oldest kept is 2"):
        store.get(WEB, 1)
    with pytest.raises(Compacted):
        store.compact(2)


def test_a_watch_sees_every_change_under_its_prefix_once(store):
    put(store)
    cursor = store.watch(PODS, after=1)
    put(store, DB)
    put(store, "/registry/services/default/web")
    delete(store)
    assert [(entry.key, entry.revision) for entry in cursor.poll()] == [(DB, 2), (WEB, 4)]
    assert cursor.poll() == []


def test_a_watch_can_be_read_up_to_a_revision(store):
    cursor = store.watch(PODS, after=0)
    for _ in range(3):
        put(store)
    assert [entry.revision for entry in cursor.poll(up_to=2)] == [1, 2]
    assert cursor.position == 2
    assert [entry.revision for entry in cursor.poll()] == [3]


def test_a_watch_from_the_future_waits_for_it(store):
    cursor = store.watch(PODS, after=2)
    put(store)
    put(store)
    assert cursor.poll() == []
    put(store)
    assert [entry.revision for entry in cursor.poll()] == [3]


def test_a_watch_that_fell_behind_a_compaction_says_so(store):
    cursor = store.watch(PODS, after=0)
    put(store)
    put(store)
    store.compact(1)
    with pytest.raises(Compacted):
        cursor.poll()
    with pytest.raises(Compacted):
        store.watch(PODS, after=0)


def test_a_watch_survives_a_compaction_of_what_it_has_seen(store):
    cursor = store.watch(PODS, after=0)
    put(store)
    cursor.poll()
    store.compact(1)
    put(store)
    assert [entry.revision for entry in cursor.poll()] == [2]


def test_subscribers_are_called_on_each_write_until_they_end_it(store):
    told = []
    end = store.subscribe(lambda entries: told.append(entries[0].revision))
    put(store)
    end()
    end()
    put(store)
    assert told == [1]


def test_a_lease_takes_its_keys_along(store, clock):
    lease = store.grant_lease(10)
    put(store, WEB, lease=lease)
    put(store, DB, lease=lease)
    clock.advance_to(clock.now() + 10)
    assert store.expire_leases()
    assert [(entry.key, entry.revision) for entry in store.entries(after=2)] == [(DB, 3), (WEB, 3)]
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


def test_a_lease_that_is_not_there_is_an_error_and_changes_nothing(store):
    for attempt in (lambda: put(store, lease=7), lambda: store.keep_alive(7), lambda: store.revoke_lease(7)):
        with pytest.raises(LeaseNotFound, match="requested lease 7 not found"):
            attempt()
    assert store.revision == 0


def test_writers_in_many_threads_never_share_a_revision(store):
    def write(name):
        for _ in range(50):
            put(store, PODS + name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.revision for entry in store.entries()] == list(range(1, 201))


KEYS = st.sampled_from(["/r/a/1", "/r/a/2", "/r/a/10", "/r/b/1", "/r/b/2", "plain"])
PREFIXES = st.sampled_from(["", "/r/", "/r/a/", "/r/a/1", "/r/b/", "p", "/x/y/"])


class AgainstTheModel(RuleBasedStateMachine):
    """The model: the state of all keys after each revision, and the list of all changes."""

    def __init__(self):
        super().__init__()
        self.store = self.open()
        self.states = [{}]
        self.log = []
        self.compacted = 0
        self.cursors = []

    def open(self):
        return MemoryStore()

    @property
    def now(self):
        return self.states[-1]

    @rule(changes=st.dictionaries(KEYS, st.none() | st.binary(max_size=2), max_size=3), guard=st.none() | KEYS)
    def write(self, changes, guard):
        revision = len(self.states)
        expect = [Expect(guard, self.now[guard][1] if guard in self.now else 0)] if guard else []
        after, made = dict(self.now), []
        for key, value in changes.items():
            if value is not None:
                after[key] = (value, revision)
            elif after.pop(key, None) is None:
                continue
            made.append((key, value, revision))
        entries = self.store.transact(expect, [Delete(k) if v is None else Put(k, v) for k, v in changes.items()])
        assert [(entry.key, entry.value, entry.revision) for entry in entries] == made
        if made:
            self.states.append(after)
            self.log += made

    @rule(key=KEYS, off=st.integers(1, 3))
    def a_guard_that_is_wrong_changes_nothing(self, key, off):
        right = self.now[key][1] if key in self.now else 0
        assert self.store.transact([Expect(key, right + off)], [Put(key, b"never")]) is None

    @rule(prefix=PREFIXES, back=st.integers(0, 5), limit=st.integers(0, 3), start=st.just("") | KEYS)
    def read(self, prefix, back, limit, start):
        revision = len(self.states) - 1 - back
        if revision < max(1, self.compacted):
            return
        under = sorted(key for key in self.states[revision] if key.startswith(prefix))
        wanted = [key for key in under if key >= start]
        found = self.store.range(prefix, revision if back else 0, limit, start)
        shown = wanted[:limit] if limit else wanted
        assert [(e.key, (e.value, e.revision)) for e in found.entries] == [(k, self.states[revision][k]) for k in shown]
        assert (found.more, found.count) == (len(shown) < len(wanted), len(wanted))
        assert [self.store.get(key, revision) for key in under] == self.store.range(prefix, revision).entries

    @precondition(lambda self: self.compacted < len(self.states) - 1)
    @rule(data=st.data())
    def compact(self, data):
        self.compacted = data.draw(st.integers(self.compacted + 1, len(self.states) - 1))
        self.store.compact(self.compacted)

    @rule(prefix=PREFIXES, ahead=st.integers(0, 2))
    def watch(self, prefix, ahead):
        after = len(self.states) - 1 + ahead
        self.cursors.append((self.store.watch(prefix, after), prefix, after))

    @rule(which=st.integers(0, 5), up_to=st.none() | st.integers(0, 30))
    def poll(self, which, up_to):
        if which >= len(self.cursors):
            return
        cursor, prefix, after = self.cursors[which]
        until = len(self.states) - 1 if up_to is None else min(up_to, len(self.states) - 1)
        if after < self.compacted and after < until:
            with pytest.raises(Compacted):
                cursor.poll(up_to)
            self.cursors.pop(which)
            return
        wanted = [change for change in self.log if after < change[2] <= until and change[0].startswith(prefix)]
        assert [(entry.key, entry.value, entry.revision) for entry in cursor.poll(up_to)] == wanted
        self.cursors[which] = (cursor, prefix, max(after, until))

    @invariant()
    def the_present_agrees(self):
        assert self.store.revision == len(self.states) - 1
        assert {e.key: (e.value, e.revision) for e in self.store.range("").entries} == self.now
        assert self.store.count("") == len(self.now)
        kept = [change for change in self.log if change[2] > self.compacted]
        assert [(e.key, e.value, e.revision) for e in self.store.entries()] == kept


AgainstTheModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAgainstTheModel = AgainstTheModel.TestCase
