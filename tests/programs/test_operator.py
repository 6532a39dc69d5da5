"""A kopf operator, as a process of its own, with a custom kind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from k8slab.api.core import ConfigMap, Event, Pod
from k8slab.apimachinery.scheme import Resource
from tests.eventually import eventually
from tests.programs.conftest import HERE
from tests.programs.manifests import definition, peering, robot

GROUP = "kopf.example.com"
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False)
ROBOTS = Resource(GROUP, "v1", "robots", "Robot")
NAMESPACE = "default"


@pytest.fixture
def operator(live, environment, tmp_path):
    live.client.create(DEFINITIONS, definition(GROUP))
    live.kubectl(f"wait --for=condition=Established crd/robots.{GROUP}").check()
    log = tmp_path / "log"
    words = [sys.executable, "-m", "kopf", "run", "--all-namespaces", str(HERE / "operator_app.py")]
    with (
        log.open("w") as out,
        subprocess.Popen(words, env=environment, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        yield log
        process.terminate()
        process.wait(20)
    live.client.delete(DEFINITIONS, f"robots.{GROUP}")


def test_an_operator_builds_follows_counts_and_clears_up(live, operator):
    client = live.client

    def marvin():
        return client.raw("GET", ROBOTS.path(NAMESPACE, "marvin"))

    def status():
        return marvin().get("status") or {}

    def there(kind, name):
        return any(each.name == name for each in client.list(kind, NAMESPACE))

    client.create(ROBOTS, robot("marvin", GROUP), NAMESPACE)
    assert eventually(lambda: status().get("build") == {"children": 2}), operator.read_text()
    child = client.get(ConfigMap, "marvin-settings", NAMESPACE)
    assert [(owner.kind, owner.uid) for owner in child.metadata.owner_references] == [
        ("Robot", marvin()["metadata"]["uid"])
    ]
    assert f"{GROUP}/operator" in marvin()["metadata"]["finalizers"]
    handled = "kopf.zalando.org/last-handled-configuration"
    assert eventually(lambda: handled in marvin()["metadata"]["annotations"])
    assert eventually(lambda: client.get(Pod, "marvin-body", NAMESPACE).status.phase == "Running")
    assert eventually(lambda: status().get("ticks", 0) >= 3 and status().get("watched")), operator.read_text()

    client.patch(ROBOTS, "marvin", NAMESPACE, {"spec": {"legs": 6}})
    assert eventually(lambda: status().get("walks") == "2->6"), operator.read_text()
    assert client.raw("GET", ConfigMap.resource.path(NAMESPACE, "marvin-settings"))["data"] == {"legs": "6"}

    client.delete(ROBOTS, "marvin", NAMESPACE)
    assert eventually(lambda: there(ConfigMap, "marvin-was-here")), operator.read_text()
    assert eventually(lambda: not client.raw("GET", ROBOTS.path(NAMESPACE))["items"]), operator.read_text()
    assert "Traceback" not in operator.read_text()


PEERS = "peers.example.com"
PEER_ROBOTS = Resource(PEERS, "v1", "robots", "Robot")
PEERINGS = Resource("kopf.dev", "v1", "clusterkopfpeerings", "ClusterKopfPeering", False)


@pytest.fixture
def peers(live, environment, tmp_path):
    for each in (definition(PEERS), peering()):
        live.client.create(DEFINITIONS, each)
        live.kubectl(f"wait --for=condition=Established crd/{each['metadata']['name']}").check()
    live.client.create(PEERINGS, {"metadata": {"name": "default"}})
    started = {}

    def start(name, priority):
        words = ["--all-namespaces", "--peering=default", f"--priority={priority}", str(HERE / "peer_app.py")]
        with (tmp_path / name).open("w") as out:
            started[name] = subprocess.Popen(
                [sys.executable, "-m", "kopf", "run", *words],
                env=environment | {"OPERATOR": name}, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return tmp_path / name

    def stop(name):
        started[name].terminate()
        assert started.pop(name).wait(20) == 0

    yield start, stop
    for name in list(started):
        stop(name)
    for each in (definition(PEERS), peering()):
        live.client.delete(DEFINITIONS, each["metadata"]["name"])


def test_of_two_operators_one_works_and_the_other_goes_on_when_it_ends(live, peers):
    client, (start, stop) = live.client, peers

    def status(name):
        return client.raw("GET", PEER_ROBOTS.path(NAMESPACE, name)).get("status") or {}

    low = start("low", 1)
    client.create(PEER_ROBOTS, robot("first", PEERS), NAMESPACE)
    assert eventually(lambda: status("first").get("handledBy") == "low"), low.read_text()
    assert status("first")["tries"] == 3, "it was tried again after its errors"
    high = start("high", 2)
    assert eventually(lambda: "Pausing operations in favour of" in low.read_text()), low.read_text()
    client.create(PEER_ROBOTS, robot("second", PEERS), NAMESPACE)
    assert eventually(lambda: status("second").get("handledBy") == "high"), high.read_text()
    client.patch(PEER_ROBOTS, "second", NAMESPACE, {"spec": {"name": "x"}})
    assert eventually(lambda: "x is no name" in high.read_text()), high.read_text()
    assert eventually(lambda: "Greeted" in {each.reason for each in client.list(Event, NAMESPACE)}), high.read_text()
    stop("high")
    assert eventually(lambda: "Resuming operations after the pause" in low.read_text(), 30), low.read_text()
    client.create(PEER_ROBOTS, robot("third", PEERS), NAMESPACE)
    assert eventually(lambda: status("third").get("handledBy") == "low"), low.read_text()
    for name in ("first", "second", "third"):
        client.delete(PEER_ROBOTS, name, NAMESPACE)
    assert eventually(lambda: not client.raw("GET", PEER_ROBOTS.path(NAMESPACE))["items"])
    assert "Traceback" not in low.read_text() + high.read_text()
