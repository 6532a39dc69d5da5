"""A kopf operator, as a process of its own, with a custom kind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from k8slab.api.core import ConfigMap, Pod
from k8slab.apimachinery.scheme import Resource
from tests.eventually import eventually
from tests.programs.conftest import HERE
from tests.programs.manifests import definition, robot

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
