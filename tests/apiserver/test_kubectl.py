"""The real kubectl against the HTTPS front and a memory store."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver.harness import DEPLOYMENTS, MAPS, PODS, config_map, deployment, pod
from tests.eventually import eventually

KUBECTL = shutil.which("kubectl", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")


@pytest.fixture
def command(front, pki, tmp_path):
    """The words of a kubectl command, as the administrator."""

    def text(pem):
        return base64.b64encode(pem).decode()

    user = {"client-certificate-data": text(pki.admin_cert_pem), "client-key-data": text(pki.admin_key_pem)}
    cluster = {"server": f"https://127.0.0.1:{front.port}", "certificate-authority-data": text(pki.ca_pem)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    return lambda *words: [KUBECTL, f"--kubeconfig={path}", f"--cache-dir={tmp_path / 'cache'}", *words]


@pytest.fixture
def kubectl(command):
    def run(*words, stdin="", ok=True):
        ran = subprocess.run(command(*words), input=stdin, capture_output=True, text=True, timeout=30, check=False)
        assert (ran.returncode == 0) == ok, ran.stderr
        return ran.stdout if ok else ran.stderr

    return run


def test_get_shows_a_table(api, kubectl):
    api.do("POST", PODS, pod())
    head, row = kubectl("get", "pods").splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:3] == ["web", "0/1", "Pending"]


def test_get_of_what_is_not_there(kubectl):
    assert kubectl("get", "pod", "web", ok=False) == 'Error from server (NotFound): pods "web" not found\n'


def test_create_sends_protobuf(api, kubectl):
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    assert api.do("GET", f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 2


def test_create_from_a_file(kubectl):
    assert kubectl("create", "-f", "-", stdin=json.dumps(config_map(a="b"))) == "configmap/settings created\n"


def test_an_unknown_field_is_refused(api, kubectl):
    error = kubectl("apply", "-f", "-", stdin=json.dumps(config_map() | {"dta": {}}), ok=False)
    assert 'strict decoding error: unknown field "dta"' in error


def test_apply_twice_and_once_more_with_a_change(api, kubectl):
    said = [kubectl("apply", "-f", "-", stdin=json.dumps(deployment(replicas=n))) for n in (1, 1, 3)]
    assert [line.split()[-1] for line in said] == ["created", "unchanged", "configured"]
    assert api.do("GET", f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"data":{"a":"2"}}'),
        ("strategic", '{"data":{"a":"2"}}'),
        ("json", '[{"op":"replace","path":"/data/a","value":"2"}]'),
    ],
)
def test_patch(api, kubectl, kind, patch):
    api.do("POST", MAPS, config_map(a="1"))
    kubectl("patch", "cm", "settings", f"--type={kind}", "-p", patch)
    assert api.do("GET", f"{MAPS}/settings")["data"] == {"a": "2"}


def test_label_and_annotate(api, kubectl):
    api.do("POST", MAPS, config_map())
    kubectl("label", "cm", "settings", "tier=back")
    kubectl("annotate", "cm", "settings", "note=hello")
    meta = api.do("GET", f"{MAPS}/settings")["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"tier": "back"}, {"note": "hello"})


def test_delete_waits_until_it_is_gone(api, kubectl):
    api.do("POST", MAPS, config_map())
    assert kubectl("delete", "cm", "settings") == 'configmap "settings" deleted from default namespace\n'
    assert api.ask("GET", f"{MAPS}/settings").code == 404


def test_explain(kubectl):
    assert "FIELD: containerPort <integer>" in kubectl("explain", "pod.spec.containers.ports.containerPort")


def test_api_resources(kubectl):
    lines = {line.split()[0]: line.split() for line in kubectl("api-resources").splitlines()}
    assert lines["deployments"] == ["deployments", "deploy", "apps/v1", "true", "Deployment"]


def test_wait_sees_what_comes(api, command):
    api.do("POST", PODS, pod())
    waiting = subprocess.Popen(command("wait", "--for=condition=Ready", "pod/web"), stdout=subprocess.PIPE, text=True)
    try:
        assert eventually(lambda: api.server.watches.open_watches)
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        api.do("PATCH", f"{PODS}/web/status", {"status": status}, {"content-type": "application/merge-patch+json"})
        assert waiting.communicate(timeout=20)[0] == "pod/web condition met\n"
    finally:
        waiting.kill()
        waiting.wait()


def test_get_w_follows(api, command):
    watching = subprocess.Popen(command("get", "pods", "-w"), stdout=subprocess.PIPE, text=True)
    try:
        assert eventually(lambda: api.server.watches.open_watches)
        api.do("POST", PODS, pod())
        assert watching.stdout.readline().split()[0] == "NAME"
        assert watching.stdout.readline().split()[0] == "web"
    finally:
        watching.kill()
        watching.communicate()


def test_raw_and_version(kubectl):
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert "Server Version: v1.37.1" in kubectl("version")


def test_who_am_i_and_may_i(kubectl):
    assert "kubernetes-admin" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "delete", "pods") == "yes\n"


def test_events_of_both_groups_are_one(api, kubectl):
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"},
        "reason": "Scheduled",
        "message": "here it is",
        "type": "Normal",
    }
    api.do("POST", "/api/v1/namespaces/default/events", event)
    assert "here it is" in kubectl("get", "events.v1.events.k8s.io", "-o", "jsonpath={.items[0].note}")
    assert "Scheduled" in kubectl("events")
