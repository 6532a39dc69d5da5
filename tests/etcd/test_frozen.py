"""A store as of a revision, compared with a copy that was taken when the store was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.clock import NEVER
from k8slab.etcd.frozen import FrozenStore
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.sqlite import SqliteStore
from k8slab.etcd.store import Compacted, Delete, FutureRevision, Put, StoreError


@pytest.fixture(params=["memory", "sqlite"])
def store(request, clock, tmp_path):
    """A store whose history begins with it; an etcd's is read from a mirror, which is a store in memory."""
    made = MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path / "etcd.sqlite", clock)
    yield made
    made.close()


WEB, DB, NODE = "/registry/pods/default/web", "/registry/pods/shop/db", "/registry/nodes/node-1"
KEYS = (WEB, DB, NODE)
PREFIXES = ("", "/registry/pods/", "/registry/pods/default/", "/registry/nodes/", "/registry/no")


@pytest.fixture
def lived(store):
    """Revision 1: web. 2: db. 3: web changed. 4: db deleted. 5: a node."""
    for change in (Put(WEB, b"1"), Put(DB, b"1"), Put(WEB, b"2"), Delete(DB), Put(NODE, b"1")):
        store.transact([], [change])
    return store


def answers(store) -> list[object]:
    """Everything that can be read of a store."""
    return [
        store.revision,
        [store.get(key) for key in KEYS],
        [store.range(prefix) for prefix in PREFIXES],
        [store.range(prefix, limit=1) for prefix in PREFIXES],
        [store.range(prefix, start=DB) for prefix in PREFIXES],
        [store.count(prefix) for prefix in PREFIXES],
        [store.watch(prefix, 0).poll() for prefix in PREFIXES],
        store.entries(),
    ]


changes = st.one_of(
    st.builds(Put, st.sampled_from(KEYS), st.binary(min_size=1, max_size=2)),
    st.builds(Delete, st.sampled_from(KEYS)),
)


@given(st.lists(st.lists(changes, min_size=1, max_size=3, unique_by=lambda each: each.key), min_size=1, max_size=12))
def test_a_read_at_a_revision_is_what_it_was_then(transactions):
    store = MemoryStore()
    then = {}
    for transaction in transactions:
        store.transact([], transaction)
        then[store.revision] = answers(store)
    then.pop(0, None)  # deleting what is not there makes no revision
    assert {revision: answers(FrozenStore(store, revision)) for revision in then} == then


@given(st.lists(changes, min_size=2, max_size=12), st.data())
def test_later_writes_and_compaction_change_nothing(story, data):
    store = MemoryStore()
    for change in story:
        store.transact([], [change])
    if store.revision < 1:
        return
    frozen = FrozenStore(store, data.draw(st.integers(1, store.revision)))
    before = [frozen.range(prefix) for prefix in PREFIXES]
    store.transact([], [Put(WEB, b"later")])
    store.compact(store.revision)
    assert [frozen.range(prefix) for prefix in PREFIXES] == before


def test_it_stands_at_its_revision_whatever_is_written(lived):
    frozen = FrozenStore(lived, 3)
    lived.transact([], [Put(WEB, b"3")])
    assert (frozen.revision, frozen.get(WEB).value, frozen.count("/registry/pods/")) == (3, b"2", 2)


def test_what_was_deleted_later_is_still_there_and_what_came_later_is_not(lived):
    assert [entry.key for entry in FrozenStore(lived, 3).range("").entries] == [WEB, DB]


def test_an_older_revision_can_be_read_and_a_later_one_is_the_future(lived):
    frozen = FrozenStore(lived, 3)
    assert (frozen.get(WEB, 2).value, frozen.range("/registry/pods/", 1).count) == (b"1", 1)
    with pytest.raises(FutureRevision, match="required revision 4 is a future revision; the store is at 3"):
        frozen.get(WEB, 4)


def test_a_cursor_stops_at_the_revision(lived):
    cursor = FrozenStore(lived, 3).watch("/registry/pods/", 1)
    assert [entry.revision for entry in cursor.poll()] == [2, 3]
    assert (cursor.poll(), cursor.position) == ([], 3)


def test_a_cursor_can_stop_earlier_and_go_on(lived):
    cursor = FrozenStore(lived, 4).watch("", 0)
    assert [entry.revision for entry in cursor.poll(2)] == [1, 2]
    cursor.position = 3
    assert [entry.revision for entry in cursor.poll(9)] == [4]


def test_compaction_behind_takes_history_and_not_the_picture(lived):
    frozen = FrozenStore(lived, 3)
    lived.compact(5)
    assert (frozen.compacted, frozen.get(DB).value) == (3, b"1")
    with pytest.raises(Compacted):
        frozen.get(WEB, 2)
    with pytest.raises(Compacted):
        frozen.watch("", 2)


def test_a_revision_that_is_not_there_cannot_be_looked_at(lived):
    with pytest.raises(FutureRevision):
        FrozenStore(lived, 6)
    with pytest.raises(ValueError, match="begin with 1: there is no revision 0"):
        FrozenStore(lived, 0)
    lived.compact(4)
    with pytest.raises(Compacted):
        FrozenStore(lived, 3)


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.transact([], [Put(WEB, b"3")]),
        lambda store: store.compact(1),
        lambda store: store.grant_lease(60),
        lambda store: store.keep_alive(1),
        lambda store: store.revoke_lease(1),
    ],
)
def test_nothing_can_be_written(lived, write):
    with pytest.raises(StoreError, match="as it was at revision 3: nothing can be written to it"):
        write(FrozenStore(lived, 3))
    assert lived.revision == 5


def test_nothing_ever_happens(lived):
    frozen, heard = FrozenStore(lived, 3), []
    unsubscribe = frozen.subscribe(heard.append)
    lived.transact([], [Put(WEB, b"3")])
    unsubscribe()
    frozen.close()
    assert (heard, frozen.expire_leases(), frozen.next_expiry()) == ([], False, NEVER)


def test_it_outlives_the_store_behind(lived):
    frozen = FrozenStore(lived, 3)
    lived.close()
    assert frozen.get(WEB).value == b"2"
