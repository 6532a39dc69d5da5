"""A connected lab against a live k8slab, through its kubeconfig and over HTTPS; what k8slab lacks is in `observed/`."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import yaml

from k8slab import Cluster
from k8slab.apimachinery.errors import Forbidden
from k8slab.apiserver.pki import Pki
from k8slab.client.kubeconfig import Credentials, config_of, write
from k8slab.lab.connect import ConnectError, Lab
from tests.eventually import eventually
from tests.lab.observed.fake_cluster import TOKEN, FakeCluster, config


@pytest.fixture(scope="module")
def cluster():
    with Cluster(mode="live", nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2").check()
        cluster.kubectl("rollout status deployment/web --timeout=60s").check()
        yield cluster


@pytest.fixture(scope="module")
def lab(cluster):
    with Lab.connect(cluster.kubeconfig) as lab:
        yield lab


def names(lab, kind):
    return [node.lines[0] for node in lab.ownership("deploy/web").graph.nodes if node.kind == kind]


def test_ownership_is_what_the_cluster_has(lab):
    lines = str(lab.ownership("deployment", "web")).splitlines()
    assert lines[:2] == ["Ownership of Deployment web", "Deployment web  (2/2 ready)  <- this one"]
    assert lines[2].startswith("└─ ReplicaSet web-")
    assert [line.rpartition("  ")[2] for line in lines[3:]] == ["(Running)", "(Running)"]


def test_a_timeline_has_events_conditions_and_containers(lab):
    answer = lab.timeline("pod", names(lab, "Pod")[0])
    assert {"life", "conditions", "container nginx", "default-scheduler says"} <= set(answer.timeline.lanes)
    assert any(mark.label.startswith("Scheduled: ") for mark in answer.timeline.marks)


def test_why_goes_up_to_the_first_owner(lab):
    pod, replicas = names(lab, "Pod")[0], names(lab, "ReplicaSet")[0]
    found = [(link.certainty, link.who, link.does) for link in lab.why(f"pod/{pod}").links]
    assert [link for link in found if " owns " in f" {link[2]}"] == [
        ("known", "Deployment web", f"owns ReplicaSet {replicas}, as its controller"),
        ("known", f"ReplicaSet {replicas}", f"owns Pod {pod}, as its controller"),
    ]
    assert ("known", "deployment-controller", "wrote Deployment web (Update)") in found
    assert ("likely", "replicaset-controller", f"SuccessfulCreate: Created pod: {pod}") in found
    assert any(certainty == "unknown" and "run this on k8slab to see it" in does for certainty, _, does in found)


def test_a_recording_explains_what_happened_while_it_ran(cluster, lab):
    path = "/apis/apps/v1/namespaces/default/deployments/web"

    def scaled(replicas):
        return lambda changes: any(
            change.after.title == "Deployment web" and (change.after.raw["status"].get("readyReplicas") == replicas)
            for change in changes
        )

    # The watches are open before the first look whether it is enough.
    scale = threading.Event()

    def enough(changes):
        if not scale.is_set():
            scale.set()
            cluster.client.raw(
                "PATCH", path, body={"spec": {"replicas": 3}}, content_type="application/merge-patch+json"
            )
        return scaled(3)(changes)

    recording = lab.record("60s", until=enough)
    assert any("Deployment web changed: metadata.generation, spec.replicas" in str(change) for change in recording)
    answer = lab.why("deploy/web", "status.readyReplicas")
    assert answer.now == "3"
    assert any(link.does.endswith("status.readyReplicas changed from 2 to 3") for link in answer.links)
    assert any(link.does.startswith("just before, in what it owns: ") for link in answer.links)
    assert any(link.how == "event and watch name the same resourceVersion" for link in answer.links)


def test_kinds_come_from_discovery_and_nodes_have_no_namespace(lab):
    assert ("nodes", "Node", "v1", "no", "no") in [row[:5] for row in lab.kinds.rows]
    assert lab.ownership("node/node-1").graph.nodes[0].id == "Node/node-1"


def test_what_is_not_there_is_answered_by_what_is(lab):
    with pytest.raises(ValueError, match="there is no Deployment 'wep' in the namespace 'default'; there are: web"):
        lab.why("deploy/wep")
    with pytest.raises(ValueError, match="did you mean deployment"):
        lab.ownership("deploymnet", "web")
    with pytest.raises(ValueError, match="write for example 'pod/web'"):
        lab.why("web")
    with pytest.raises(ValueError, match="there is no Pod 'a' in the namespace 'other'; none is seen there"):
        lab.why("pod/other/a")


def test_nothing_is_written_even_if_somebody_tries(lab):
    with pytest.raises(Forbidden, match="only looks"):
        lab._reader.client.raw("DELETE", "/api/v1/namespaces/default/pods/web")


def test_a_server_of_another_authority_is_not_trusted(cluster, tmp_path):
    other = Pki.create(tmp_path / "pki")
    path = tmp_path / "config"
    write(path, config_of("x", cluster.url, Credentials(other.ca_pem, other.admin_cert_pem, other.admin_key_pem)))
    with pytest.raises(ConnectError, match="not signed by the authority in the kubeconfig"):
        Lab.connect(path)


def test_a_login_of_another_authority_is_not_accepted(cluster, tmp_path):
    other = Pki.create(tmp_path / "pki")
    path = tmp_path / "config"
    write(
        path,
        config_of("x", cluster.url, Credentials(cluster.credentials.ca, other.admin_cert_pem, other.admin_key_pem)),
    )
    with pytest.raises(ConnectError, match="client certificate in the kubeconfig"):
        Lab.connect(path)


def test_closing_leaves_nothing_behind(cluster):
    before = threading.active_count()
    lab = Lab.connect(cluster.kubeconfig)
    lab.ownership("deploy/web")
    lab.close()
    lab.close()
    assert eventually(lambda: threading.active_count() <= before)
    with pytest.raises(ConnectError, match="was closed"):
        lab.ownership("deploy/web")


# What goes wrong before there is a cluster.


@pytest.fixture
def fake():
    fake = FakeCluster()
    yield fake
    fake.stop()


def kubeconfig(folder: Path, server="https://127.0.0.1:1", user=None, cluster=None):
    path = folder / "config"
    path.write_text(yaml.safe_dump(config(server, user or {}, cluster)))
    return path


def refused(path, **options):
    with pytest.raises(ConnectError) as raised:
        Lab.connect(path, **options)
    return str(raised.value)


def test_a_context_that_is_not_there_is_answered_by_those_that_are(tmp_path):
    said = refused(kubeconfig(tmp_path), context="prod")
    assert said == (
        "no context 'prod' in the kubeconfig; it has: real; kubectl config get-contexts lists them; "
        "Lab.connect(context=...) takes one"
    )


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "name another file: Lab.connect(kubeconfig=...)" in refused(tmp_path / "none")


def test_without_a_path_it_is_the_users_own(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(fake.kubeconfig(tmp_path)))
    with Lab.connect(context="real") as lab:
        assert repr(lab) == f"<ConnectedLab {fake.url}: Kubernetes v1.31.0, 11 kinds, read-only>"


def test_plugins_that_print_credentials_are_not_run(tmp_path):
    said = refused(kubeconfig(tmp_path, user={"exec": {"command": "touch", "args": [str(tmp_path / "ran")]}}))
    assert "logs in by 'exec', which k8slab does not run; a kubeconfig with a token works" in said
    assert not (tmp_path / "ran").exists()


def test_a_server_that_does_not_listen_is_told_with_what_to_try(tmp_path):
    said = refused(kubeconfig(tmp_path))
    assert said.startswith("asked https://127.0.0.1:1 for GET /api: nobody listens there")
    assert "minikube status" in said


def test_a_server_that_does_not_answer_is_given_up(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(fake, "_page", lambda *_: None)
    fake.slow = {"default"}
    path = kubeconfig(tmp_path, fake.url + "/apis/x/v1/default", user={"token": TOKEN})
    assert "did not answer in time" in refused(path, timeout=0.3)


def test_who_is_not_known_is_told_so(fake, tmp_path):
    assert "does not know who asks (401" in refused(fake.kubeconfig(tmp_path, token="another"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"users: [token: {TOKEN}: x", "is no YAML"),
        (yaml.safe_dump(config(f"https://me:{TOKEN}@127.0.0.1:1", {})), "holds a user name or password"),
        (yaml.safe_dump(config("https://127.0.0.1:1", {"client-certificate-data": TOKEN})), "no base64"),
        (
            yaml.safe_dump(
                config("https://127.0.0.1:1", {"client-key-data": "AAAA", "client-certificate-data": "AAAA"})
            ),
            "used",
        ),
    ],
)
def test_no_error_holds_a_credential(tmp_path, content, words):
    path = tmp_path / "config"
    path.write_text(content)
    said = refused(path)
    assert words in said
    assert TOKEN not in said


def test_a_token_that_is_none_is_not_quoted(fake, tmp_path):
    said = refused(fake.kubeconfig(tmp_path, token=f"{TOKEN}\nx"))
    assert "no request can be made of its address or of the login" in said
    assert TOKEN not in said


def test_no_answer_holds_a_credential(fake, tmp_path):
    with Lab.connect(fake.kubeconfig(tmp_path)) as lab:
        fake.add("v1/pods", "web")
        answers = [lab.ownership("pod/web"), lab.timeline("pod/web"), lab.why("pod/web"), lab.record(0), lab, lab.kinds]
        assert not any(TOKEN in f"{answer!r}{answer}" for answer in answers)
        assert all(method == "GET" for method, *_ in fake.asked)


def test_what_may_not_be_read_is_told_with_what_to_try(fake, tmp_path):
    with Lab.connect(fake.kubeconfig(tmp_path)) as lab:
        fake.refused = {"v1/pods": 403}
        with pytest.raises(RuntimeError, match="pods is forbidden; try: kubectl auth can-i get pods -n default"):
            lab.why("pod/web")
