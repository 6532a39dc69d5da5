"""etcd is killed and started again under a live cluster that writes: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from functools import partial

import pytest

from k8slab import Cluster
from k8slab.api.core import ConfigMap, Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.client.client import Client
from k8slab.client.https import Https
from k8slab.clock import RealClock, sleep_really
from k8slab.etcd.member import EtcdMember
from tests.etcd.members import opened
from tests.eventually import eventually

WRITERS = 3


@pytest.fixture
def member(tmp_path):
    with EtcdMember(tmp_path / "etcd") as running:
        yield running


@pytest.fixture
def cluster(member):
    store = opened(member, RealClock())
    with closing(store), Cluster(nodes=1, mode="live", store=store) as live:
        yield live


class Writer(threading.Thread):
    """Creates and changes ConfigMaps until told to stop, and remembers what was acknowledged, by revision."""

    def __init__(self, cluster, number):
        super().__init__(daemon=True)
        self._client = client_of(cluster)
        self._number = number
        self.stopping = False
        self.acknowledged = {}
        self.refused = []

    def run(self):
        for turn in range(100_000):
            if self.stopping:
                break
            name = f"map-{self._number}-{turn}"
            try:
                self._keep(self._client.create(ConfigMap, {"metadata": {"name": name}}, "default"))
                self._keep(self._client.patch(ConfigMap, name, "default", {"data": {"turn": str(turn)}}))
            except ApiError as error:
                self.refused.append(error)
                sleep_really(0.02)
        self._client.transport.close()

    def _keep(self, made):
        meta = made["metadata"]
        self.acknowledged[int(meta["resourceVersion"])] = (meta["name"], made.get("data"))


class Watcher(threading.Thread):
    """Watches ConfigMaps, from where it was when a watch ends, and remembers what it saw."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self._cluster = cluster
        self.stopping = False
        self.seen = []

    def run(self):
        woken = threading.Event()
        version = str(self._cluster.store.revision)
        watch = self._cluster.client.watch(ConfigMap, "default", resource_version=version, wake=woken.set)
        while not self.stopping:
            for event in watch.poll():
                meta = event.object["metadata"]
                self.seen.append((event.revision, (meta["name"], event.object.get("data"))))
            woken.wait(0.05)
            woken.clear()
        watch.close()


def client_of(cluster):
    url, who = cluster.url, cluster.credentials
    return Client(Https(url, ca_data=who.ca, cert_data=who.certificate, key_data=who.key), None, "writer")


def readyz(cluster):
    answer = cluster.kubectl("get --raw /readyz")
    return answer.stdout + answer.stderr


def faults_of(member):
    """How to take etcd away, how to bring it back, and what the API says meanwhile."""
    gone = "Error from server: rpc error: code = Unavailable desc = connection error"
    yield member.kill, member.start, gone
    yield member.stop, member.start, gone
    pid = member.pid
    silent = "Error from server (Timeout): Timeout: request did not complete within requested timeout - "
    yield (
        partial(os.kill, pid, signal.SIGSTOP),
        partial(os.kill, pid, signal.SIGCONT),
        silent + "context deadline exceeded",
    )


def test_an_etcd_that_is_silent_holds_up_one_request_and_not_all_after_it(cluster, member):
    cluster.kubectl("create configmap before").check()
    os.kill(member.pid, signal.SIGSTOP)
    try:
        assert "context deadline exceeded" in cluster.kubectl("create configmap a").stderr
        for _ in range(10):  # where each waited, this would take a minute
            assert "context deadline exceeded" in cluster.kubectl("get configmap before").stderr
        assert "[+]poststarthook/rbac/bootstrap-roles ok" in readyz(cluster)
    finally:
        os.kill(member.pid, signal.SIGCONT)
    assert eventually(lambda: cluster.kubectl("get configmap before").ok)


def test_nothing_acknowledged_is_lost_when_etcd_is_killed_stopped_and_frozen(cluster, member):
    cluster.kubectl("create deployment web --image=nginx --replicas=2").check()
    writers = [Writer(cluster, number) for number in range(WRITERS)]
    watcher = Watcher(cluster)
    for thread in (watcher, *writers):
        thread.start()
    for end, begin, words in faults_of(member):
        before = sum(len(writer.acknowledged) for writer in writers)
        assert eventually(lambda b=before: sum(len(writer.acknowledged) for writer in writers) > b + 30)
        end()
        assert eventually(lambda: "[-]etcd failed: reason withheld" in readyz(cluster), 30)
        refused = cluster.kubectl("scale deployment web --replicas=3")
        assert words in refused.stderr
        begin()
        assert eventually(lambda: readyz(cluster) == "ok")
        assert eventually(lambda: cluster.kubectl("scale deployment web --replicas=3").returncode == 0)

    for writer in writers:
        writer.stopping = True
    for writer in writers:
        writer.join()
    acknowledged = {revision: what for writer in writers for revision, what in writer.acknowledged.items()}
    last = max(acknowledged)
    assert eventually(lambda: watcher.seen and watcher.seen[-1][0] >= last)
    watcher.stopping = True
    watcher.join()

    kept = {entry.revision for entry in cluster.store.entries()}
    assert set(acknowledged) <= kept
    seen = dict(watcher.seen)
    assert [revision for revision, _ in watcher.seen] == sorted(seen), "each change once, in order"
    assert {revision: seen.get(revision) for revision in acknowledged} == acknowledged
    assert all(writer.refused for writer in writers), "etcd was away while they wrote"
    assert eventually(lambda: len([pod for pod in cluster.client.list(Pod) if pod.status.phase == "Running"]) == 3)
