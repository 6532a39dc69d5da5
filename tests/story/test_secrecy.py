"""Nothing secret gets out: not into the log, the trace, the journal, events, the audit log, or what objects say of themselves."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.apiserver.pki import Pki

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


def test_no_key_is_shown_by_what_holds_it(cluster, token):
    spec = cluster.engine.spec
    assert "Keys" in repr(spec.keys)
    assert "PRIVATE" not in repr(spec) + repr(spec.keys) + repr(spec.keys.token) + repr(cluster)


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
