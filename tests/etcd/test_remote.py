"""A real etcd as the store: what is special about it. What holds for every store is in `test_store.py`."""

from __future__ import annotations

import threading
from contextlib import closing

import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from k8slab.clock import VirtualClock
from k8slab.etcd.client import EtcdClient
from k8slab.etcd.member import EtcdMember
from k8slab.etcd.messages import decoded, whole_range
from k8slab.etcd.remote import EtcdStore
from k8slab.etcd.store import Compacted, Expect, Put, StoreError, StoreUnavailable
from tests.etcd.members import emptied, etcdctl, opened
from tests.etcd.test_memory import AgainstTheModel
from tests.etcd.test_store import DB, PODS, WEB, put
from tests.eventually import eventually


@pytest.fixture
def store(etcd):
    with closing(opened(etcd, VirtualClock())) as made:
        yield made


@pytest.fixture
def other(etcd, store):
    """Another API server's store, of the same etcd."""
    with closing(opened(etcd, VirtualClock())) as made:
        yield made


def in_etcd(member, revision=0):
    """What etcd itself says that there is, as (key, value, revision, created, version)."""
    asked = whole_range("") | ({"revision": str(revision)} if revision else {})
    with closing(EtcdClient(member.url, member.tls)) as client:
        found = client.ask("/v3/kv/range", asked).get("kvs", ())
    numbers = ("mod_revision", "create_revision", "version")
    return [
        (decoded(pair["key"]).decode(), decoded(pair.get("value", "")), *(int(pair[name]) for name in numbers))
        for pair in found
    ]


def in_mirror(store, revision=0):
    entries = store.range("", revision).entries
    return [(each.key, each.value, each.revision, each.create_revision, each.version) for each in entries]


def test_a_new_etcd_is_at_revision_1(tmp_path):
    with EtcdMember(tmp_path) as member, closing(opened(member)) as store:
        assert (store.revision, store.compacted) == (1, 0)
        assert put(store).revision == 2


def test_etcdctl_shows_the_same_keys_values_and_revisions(store, etcd):
    entry = put(store, WEB, b'{"kind":"Pod"}')
    [found] = orjson.loads(etcdctl(etcd, "get", "--prefix", "/registry/", "-w", "json"))["kvs"]
    assert (decoded(found["key"]).decode(), decoded(found["value"])) == (entry.key, entry.value)
    assert (found["mod_revision"], found["version"]) == (entry.revision, 1)


def test_what_etcdctl_writes_is_told_to_watchers(store, etcd):
    told = threading.Event()
    store.subscribe(lambda entries: told.set())
    cursor = store.watch(PODS, store.revision)
    etcdctl(etcd, "put", WEB, "by hand")
    assert told.wait(5)
    assert [(entry.key, entry.value) for entry in cursor.poll()] == [(WEB, b"by hand")]


class AgainstEtcd(AgainstTheModel):
    """The same long life, in a real etcd; and the mirror must say what etcd says."""

    member = None

    def open(self):
        return opened(emptied(self.member))

    def teardown(self):
        self.store.close()

    @invariant()
    def the_mirror_is_etcd(self):
        assert in_mirror(self.store) == in_etcd(self.member)
        past = max(self.store.revision - 3, self.store.compacted)
        assert in_mirror(self.store, past) == in_etcd(self.member, past)


def test_a_long_life_against_the_model(member):
    AgainstEtcd.member = member
    run_state_machine_as_test(AgainstEtcd, settings=settings(max_examples=12, stateful_step_count=25, deadline=None))


def test_a_store_that_is_opened_later_has_the_same_history(store, etcd, at):
    for value in (b"1", b"2", b"3"):
        put(store, WEB, value)
    store.compact(at(1))
    with closing(opened(etcd)) as later:
        assert (later.revision, later.compacted, later.entries()) == (store.revision, at(1), store.entries())
        assert [later.get(WEB, at(n)).value for n in (1, 2, 3)] == [b"1", b"2", b"3"]


def test_of_two_servers_that_change_the_same_key_one_is_refused(store, other):
    first = put(store)
    assert eventually(lambda: other.revision == first.revision)
    results = [each.transact([Expect(WEB, first.revision)], [Put(WEB, b"2")]) for each in (store, other)]
    assert [result is not None for result in results] == [True, False]
    assert other.get(WEB).value == b"2"  # who was refused knows why


def test_many_writers_at_two_servers_lose_no_update(store, other, at):
    put(store, WEB, b"0")

    def add(where):
        for _ in range(20):
            while True:
                entry = where.get(WEB)
                if entry and where.transact([Expect(WEB, entry.revision)], [Put(WEB, b"%d" % (int(entry.value) + 1))]):
                    break

    threads = [threading.Thread(target=add, args=(where,)) for where in (store, other, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert eventually(lambda: store.revision == other.revision == at(61))
    assert store.get(WEB).value == b"60"
    assert store.entries() == other.entries()


def test_a_lease_of_another_server_is_known_to_who_comes_later(store, etcd):
    put(store, WEB, lease=store.grant_lease(10))
    clock = VirtualClock()
    with closing(opened(etcd, clock)) as later:
        assert later.next_expiry() == clock.now() + 10
        clock.advance_to(clock.now() + 10)
        assert later.expire_leases()
        assert eventually(lambda: store.get(WEB) is None)


def test_two_servers_never_grant_the_same_lease(store, other):
    assert store.grant_lease(10) != other.grant_lease(10)


def test_a_closed_store_says_so(store, etcd):
    put(store)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        put(store)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9", "no etcd answers at http://127.0.0.1:9: rpc error: code = Unavailable"),
        ("http://10.0.0.1:2379", "without TLS only an etcd on this machine is asked"),
        ("127.0.0.1:2379", "is no address of an etcd"),
    ],
)
def test_an_address_where_no_etcd_is_says_what_is_wrong(url, why):
    with pytest.raises(StoreError, match=why):
        EtcdStore(url)


# When etcd goes, and comes back


@pytest.fixture
def own(tmp_path):
    """An etcd that may be killed."""
    with EtcdMember(tmp_path / "own") as running:
        yield running


def test_while_etcd_is_away_the_present_is_not_known_and_the_past_is(own):
    with closing(opened(own)) as store:
        entry = put(store)
        own.kill()
        assert eventually(lambda: _away(store))
        for attempt in (lambda: put(store), store.check, lambda: store.range(PODS)):
            with pytest.raises(StoreUnavailable, match="rpc error: code = Unavailable"):
                attempt()
        assert store.get(WEB, entry.revision) == entry


def test_a_watch_goes_on_when_etcd_is_back_and_misses_nothing(own):
    with closing(opened(own)) as store:
        cursor = store.watch(PODS, put(store).revision)
        own.kill()
        own.start()
        etcdctl(own, "put", DB, "before anybody listened")
        assert eventually(lambda: not _away(store))
        put(store, WEB, b"2")
        assert [(entry.key, entry.revision) for entry in cursor.poll()] == [(DB, 3), (WEB, 4)]


def test_who_slept_through_a_compaction_begins_anew(own):
    with closing(opened(own)) as store:
        cursor = store.watch(PODS, put(store).revision)
        own.kill()
        assert eventually(lambda: _away(store))
        port = own.url.rpartition(":")[2]
        moved = EtcdMember(own.directory)  # at another address, so that the store does not see it
        moved.start()
        for value in ("a", "b", "c"):
            etcdctl(moved, "put", WEB, value)
        etcdctl(moved, "compact", "5")
        moved.stop()
        again = EtcdMember(own.directory, int(port))
        with again:
            assert eventually(lambda: store.compacted == 5 and not _away(store))
            assert store.get(WEB).value == b"c"
            with pytest.raises(Compacted):
                cursor.poll()
            assert put(store, DB).revision == 6


def _away(store):
    try:
        store.get(WEB)
    except StoreUnavailable:
        return True
    return False
