from __future__ import annotations

import pytest

from k8slab.clock import VirtualClock
from k8slab.etcd.member import EtcdMember
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.sqlite import SqliteStore
from tests.etcd.members import emptied, opened


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(scope="session")
def member(tmp_path_factory):
    """A real etcd for all tests of one process: it starts once, and is emptied for each."""
    with EtcdMember(tmp_path_factory.mktemp("etcd")) as running:
        yield running


@pytest.fixture
def etcd(member):
    """An etcd with nothing in it."""
    return emptied(member)


@pytest.fixture(params=["memory", "sqlite", "etcd"])
def store(request, clock, tmp_path):
    match request.param:
        case "memory":
            made = MemoryStore(clock)
        case "sqlite":
            made = SqliteStore(tmp_path / "etcd.sqlite", clock)
        case _:
            made = opened(request.getfixturevalue("etcd"), clock)
    yield made
    made.close()


@pytest.fixture
def at(store):
    """The revision of the n-th write to the store: an etcd that was emptied does not begin anew."""
    before = store.revision
    return lambda number: before + number
