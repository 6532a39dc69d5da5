"""The transport against our own server, over TLS on loopback: one client, two ways to the same answers."""

import threading
from types import SimpleNamespace

import pytest

from k8slab.api.core import Pod
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound, ServiceUnavailable
from k8slab.apimachinery.rest import MASTERS_GROUP, Request, UserInfo
from k8slab.apimachinery.scheme import Resource
from k8slab.apiserver.bootstrap import bootstrap_objects
from k8slab.apiserver.http import HttpServer
from k8slab.apiserver.pki import Pki
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.https import Https, connect
from k8slab.client.kubeconfig import Credentials, config_of, write
from k8slab.clock import RealClock
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance
from tests.eventually import eventually

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, "system:authenticated"))


@pytest.fixture(scope="module")
def server():
    clock = RealClock()
    return ApiServer(MemoryStore(clock), clock, Chance(1), find_kubelet=lambda node: None)


@pytest.fixture(scope="module")
def door(server, tmp_path_factory):
    """Where the server listens, its authority, and a kubeconfig that leads there."""
    folder = tmp_path_factory.mktemp("door")
    pki = Pki.create(folder / "pki")
    http = HttpServer(lambda request, reply: reply(server.handle(request)), pki, RealClock())
    http.start()
    url, path = f"https://127.0.0.1:{http.port}", folder / "config"
    write(path, config_of("test", url, Credentials(pki.ca_pem, pki.admin_cert_pem, pki.admin_key_pem)))
    transport = connect(path)
    for resource, namespace, body in bootstrap_objects():
        Client(transport).create(resource, body, namespace)
    transport.close()
    yield SimpleNamespace(url=url, ca=pki.ca_pem, kubeconfig=path)
    http.stop()


@pytest.fixture
def client(door):
    transport = connect(door.kubeconfig)
    yield Client(transport)
    transport.close()


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_writes_and_reads_as_in_process(client, server):
    client.create(CONFIG_MAPS, config_map("a", key="value"), "default")
    client.patch(CONFIG_MAPS, "a", "default", {"data": {"more": "1"}})
    path = CONFIG_MAPS.path("default", "a")
    assert client.raw("GET", path) == server.handle(Request("GET", path, user=ADMIN)).object
    client.delete(CONFIG_MAPS, "a", "default")
    with pytest.raises(NotFound, match='configmaps "a" not found'):
        client.raw("GET", path)


def test_errors_are_the_servers_own(client):
    client.create(CONFIG_MAPS, config_map("twice"), "default")
    with pytest.raises(AlreadyExists, match='configmaps "twice" already exists'):
        client.create(CONFIG_MAPS, config_map("twice"), "default")


def test_a_watch_misses_nothing(client):
    start = client.raw("GET", CONFIG_MAPS.path("default"))["metadata"]["resourceVersion"]
    woken = threading.Event()
    watch = client.watch(CONFIG_MAPS, "default", resource_version=start, wake=woken.set)
    names = [f"w-{number}" for number in range(50)]
    for name in names:
        client.create(CONFIG_MAPS, config_map(name), "default")
    seen: list[str] = []
    assert eventually(
        lambda: seen.extend(event.object["metadata"]["name"] for event in watch.poll()) or len(seen) >= 50
    )
    assert seen == names
    assert woken.is_set()
    watch.close()


def test_a_watch_from_a_revision_that_is_no_number_is_refused(client):
    with pytest.raises(ApiError):
        client.watch(CONFIG_MAPS, "default", resource_version="yesterday")


def test_typed_views_come_over_the_wire(client):
    assert client.list(Pod, "kube-system") == []


def test_without_credentials_the_server_does_not_know_us(door):
    transport = Https(door.url, ca_data=door.ca)
    assert transport.send(Request("GET", CONFIG_MAPS.path("default"))).code in (401, 403)
    transport.close()


def test_a_server_of_another_authority_is_not_trusted(door):
    transport = Https(door.url)
    with pytest.raises(ServiceUnavailable, match="certificate verify failed"):
        transport.send(Request("GET", "/version"))
    transport.close()


def test_many_threads_share_one_transport(client):
    def work(worker):
        for number in range(10):
            client.create(CONFIG_MAPS, config_map(f"t-{worker}-{number}"), "default")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = client.raw("GET", CONFIG_MAPS.path("default"))["items"]
    assert sum(item["metadata"]["name"].startswith("t-") for item in found) == 80
