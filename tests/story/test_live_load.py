"""Many clients at once on a live cluster: no event is lost, no write is lost, and nothing stays when they have left."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from k8slab import Cluster
from k8slab.api.core import ConfigMap, Namespace
from k8slab.client.client import Client
from k8slab.client.https import Https
from k8slab.clock import Stopwatch
from tests.eventually import eventually

CLIENTS = 50
SECONDS = 60.0


@dataclass
class Tally:
    """What one client wrote, and what its watch told."""

    writes: list[str] = field(default_factory=list)
    """`uid@resourceVersion` of each acknowledged write."""
    seen: list[str] = field(default_factory=list)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_fifty_clients_lose_nothing_and_leave_nothing():
    with Cluster(nodes=1, seed=1, mode="live") as cluster:
        url, credentials = cluster.url, cluster.credentials
        threads_before = threading.active_count()

        def connect() -> Client:
            transport = Https(url, ca_data=credentials.ca, cert_data=credentials.certificate, key_data=credentials.key)
            return Client(transport, None, "load")

        cluster.client.create(Namespace, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "load"}})
        with ThreadPoolExecutor(CLIENTS) as pool:
            tallies = list(pool.map(lambda number: live_one_life(connect(), number), range(CLIENTS)))

        for tally in tallies:
            assert tally.seen == tally.writes
        assert sum(len(tally.writes) for tally in tallies) > CLIENTS * 10
        left = [each.name for each in cluster.client.list(ConfigMap, "load")]
        assert left == ["kube-root-ca.crt"]
        server = cluster._door.server
        assert eventually(lambda: server.open_streams == 0 and server.in_flight == 0)
        gc.collect()
        assert eventually(lambda: threading.active_count() <= threads_before)


def live_one_life(client: Client, number: int) -> Tally:
    """Create, patch, read and delete an object again and again, with a watch open on it."""
    tally = Tally()
    name = f"client-{number}"
    now = client.raw("GET", ConfigMap.resource.path("load"))["metadata"]["resourceVersion"]
    watch = client.watch(ConfigMap, "load", resource_version=now, fields=f"metadata.name={name}")
    clock = Stopwatch()
    while clock.elapsed() < SECONDS:
        made = client.create(ConfigMap, {"metadata": {"name": name}, "data": {"n": "0"}}, "load")
        note(tally, made)
        for turn in range(5):
            note(tally, client.patch(ConfigMap, name, "load", {"data": {"n": str(turn + 1)}}))
        assert client.get(ConfigMap, name, "load").data == {"n": "5"}
        client.delete(ConfigMap, name, "load")
        tally.writes.append(f"deleted {made['metadata']['uid']}")

    def caught_up() -> bool:
        for event in watch.poll():
            if event.type == "BOOKMARK":
                continue
            meta = event.object["metadata"]
            tally.seen.append(
                f"deleted {meta['uid']}" if event.type == "DELETED" else f"{meta['uid']}@{meta['resourceVersion']}"
            )
        return len(tally.seen) >= len(tally.writes)

    eventually(caught_up)
    watch.close()
    client.transport.close()
    return tally


def note(tally: Tally, obj: dict) -> None:
    tally.writes.append(f"{obj['metadata']['uid']}@{obj['metadata']['resourceVersion']}")
