from __future__ import annotations

import pytest

from k8slab.clock import VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.sqlite import SqliteStore


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request, clock, tmp_path):
    made = MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path / "etcd.sqlite", clock)
    yield made
    made.close()
