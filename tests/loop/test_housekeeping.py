from __future__ import annotations

from k8slab import Cluster
from k8slab.clock import NEVER, VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Put
from k8slab.loop.housekeeping import LeaseExpiry


def test_a_first_lease_wakes_whoever_ends_leases():
    store = MemoryStore(VirtualClock())
    woken = []
    lessor = LeaseExpiry(store, lambda: woken.append(True))
    assert lessor.next_deadline() == NEVER
    store.transact([], [Put("/a", b"1")])
    assert woken == []
    store.transact([], [Put("/b", b"1", store.grant_lease(60))])
    store.transact([], [Put("/c", b"1", store.grant_lease(60))])
    assert len(woken) == 1


def test_one_that_is_closed_hears_of_no_more_writes():
    store = MemoryStore(VirtualClock())
    woken = []
    lessor = LeaseExpiry(store, lambda: woken.append(True))
    lessor.next_deadline()
    lessor.close()
    store.transact([], [Put("/b", b"1", store.grant_lease(60))])
    assert woken == []


def test_events_are_gone_after_an_hour_and_what_they_were_about_is_not():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx")
        cluster.run_for("50m")
        assert "Scheduled" in cluster.kubectl("get events").stdout
        cluster.run_for("15m")
        assert "No resources found" in cluster.kubectl("get events").stderr
        assert "1/1" in cluster.kubectl("get deployment web").stdout
