"""Nothing secret gets out: not into the log, the trace, the journal, events, the audit log, or what objects say of themselves."""

from __future__ import annotations

import base64

import pytest

from k8slab import Cluster
from k8slab.apimachinery.rest import Request
from k8slab.apiserver.pki import Pki
from k8slab.cli.profile import State
from k8slab.engine.inputs import Asked
from k8slab.lab.dashboard.guard import Guard

MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        cluster.audit()
        cluster.kubectl("run web --image=busybox --command -- sleep 1d").check()
        cluster.run_for("10s")
        yield cluster


@pytest.fixture(scope="module")
def token(cluster):
    return cluster.kubectl(f"exec web -- cat {MOUNT}/token").check().stdout.strip()


def test_a_container_finds_its_token_the_certificate_and_its_namespace(cluster, token):
    assert token.count(".") == 2
    assert cluster.kubectl(f"exec web -- cat {MOUNT}/namespace").check().stdout == "default"
    assert "simulated" in cluster.kubectl(f"exec web -- cat {MOUNT}/ca.crt").check().stdout


def test_the_pods_token_is_the_account_as_long_as_the_pod_is_there(cluster, token):
    cluster.kubectl("run other --image=busybox --command -- sleep 1d").check()
    cluster.run_for("10s")
    shown = cluster.kubectl(f"exec other -- cat {MOUNT}/token").check().stdout.strip()
    cluster.kubectl(f"config set-credentials other --token={shown}").check()
    assert "[other]" in cluster.kubectl("auth whoami --user=other").check().stdout
    cluster.kubectl("delete pod other --now").check()
    cluster.run_for("61s")
    assert "Unauthorized" in cluster.kubectl("auth whoami --user=other").stderr


def test_a_token_is_in_no_log_no_trace_and_no_journal(cluster, token):
    review = f'{{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{{"token":"{token}"}}}}'
    assert "web" in cluster.kubectl("create -o yaml -f -", stdin=review).check().stdout
    written = b"".join(entry.value or b"" for entry in cluster.store.entries())
    told = "".join(f"{each}" for each in cluster.trace)
    for place in (written.decode(), told, repr(cluster.engine.lived), repr(list(cluster._audit_log.events))):
        assert token not in place
        assert token.rpartition(".")[2] not in place


CANARY = "canary-in-a-secret"
SECRET = f"{{apiVersion: v1, kind: Secret, metadata: {{name: applied}}, stringData: {{key: {CANARY}-1}}}}"


@pytest.fixture(scope="module")
def secrets(cluster):
    """Secrets that were created, applied, changed, and used by a Pod; and one that was refused."""
    before = cluster.store.revision
    cluster.kubectl(f"create secret generic typed --from-literal=key={CANARY}").check()
    cluster.kubectl("apply -f -", stdin=SECRET).check()
    cluster.kubectl("apply -f -", stdin=SECRET.replace("-1", "-2")).check()
    assert not cluster.kubectl("apply -f -", stdin=SECRET.replace("stringData", "data").replace("-1", "!")).ok
    source = "{name: X, valueFrom: {secretKeyRef: {name: typed, key: key}}}"
    container = f"{{name: main, image: busybox, command: [sleep, 1d], env: [{source}]}}"
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: user}}, spec: {{containers: [{container}]}}}}"
    cluster.kubectl("apply -f -", stdin=pod).check()
    cluster.run_for("10s")
    assert CANARY in cluster.kubectl("exec user -- env").check().stdout
    return before


def told_of(cluster, before, tmp_path):
    """All that is said of a cluster, by where."""
    trace = tmp_path / "trace.jsonl"
    cluster.export(trace)
    yield "records", "".join(f"{each}" for each in cluster.trace)
    yield "export", trace.read_text()
    yield "journal", repr(cluster.engine.lived)
    yield "audit", repr(list(cluster._audit_log.events)) + repr(list(cluster.engine.server.audit))
    yield "events", cluster.kubectl("get events -A -o yaml").stdout
    yield "describe", cluster.kubectl("describe secret typed").stdout
    yield "why", cluster.why("secret/applied").full + str(cluster.why("secret/applied", field="data.key"))
    yield "why of all", str(cluster.why("secret/applied", field="data"))
    changes = cluster.diff(before + 2)
    yield "diff", f"{changes}{changes.table}{list(changes)}"
    for name in ("timeline", "objects", "graph", "view"):
        yield name, repr(getattr(cluster, name)().get_state())


def test_what_is_in_a_secret_is_told_by_nothing_that_looks(cluster, secrets, tmp_path):
    hidden = [CANARY, *(base64.b64encode(f"{CANARY}{end}".encode()).decode() for end in ("", "-1", "-2"))]
    places = dict(told_of(cluster, secrets, tmp_path))
    assert [place for place, text in places.items() if any(each in text for each in hidden)] == []
    assert "data.key: (hidden)" in places["why"]
    assert "--from-literal=key=(hidden)" in places["records"]
    assert "data.key" in places["diff"]


def test_no_key_is_shown_by_what_holds_it(cluster, token):
    spec = cluster.engine.spec
    assert "Keys" in repr(spec.keys)
    shown = [spec, spec.keys, spec.keys.token, spec.keys.pki, cluster, cluster.credentials]
    assert not [each for each in shown if "PRIVATE" in repr(each)]


def test_a_request_that_is_shown_shows_neither_its_headers_nor_its_body():
    request = Request("POST", "/api", {}, {"authorization": "Bearer abc", "accept": "json"}, b"abc")
    assert "abc" not in repr(request) + repr(Asked.of(request)) + repr(Guard("abc")) + repr(State(1, "", 0, "abc"))


def test_a_saved_story_holds_no_key_and_no_token(cluster, token, tmp_path):
    path = cluster.save(tmp_path / "story")
    saved = path.read_bytes()
    assert token.encode() not in saved
    assert b"PRIVATE" not in saved


def test_going_back_finds_the_same_token_in_the_same_container(cluster, token):
    here = cluster.engine.steps
    cluster.goto(here - 1)
    cluster.goto(here)
    assert cluster.kubectl(f"exec web -- cat {MOUNT}/token").check().stdout.strip() == token


def test_a_user_with_a_certificate_is_who_it_says(cluster, tmp_path):
    pki: Pki = cluster.engine.spec.keys.pki
    pair = pki.client_certificate("ann", ("developers",))
    for name, content in (("ca", pki.ca_pem), ("crt", pair.certificate), ("key", pair.key)):
        (tmp_path / name).write_bytes(content)
    cluster.kubectl(
        f"config set-credentials ann --client-certificate={tmp_path}/crt --client-key={tmp_path}/key"
    ).check()
    cluster.kubectl("create clusterrolebinding devs --clusterrole=view --group=developers").check()
    assert cluster.kubectl("get pods --user=ann").ok
    assert cluster.kubectl("get nodes --user=ann").stderr == (
        'Error from server (Forbidden): nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" '
        "at the cluster scope\n"
    )
