"""The past, to look at: kubectl and the client, as of a revision or a moment."""

from __future__ import annotations

import gc
import tempfile
import threading

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import MethodNotAllowed, NotFound
from k8slab.clock import EPOCH, VirtualClock
from k8slab.etcd.sqlite import SqliteStore
from k8slab.lab import ownership_graph
from k8slab.lab.past import Past, Pasts
from tests.eventually import eventually


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2")
        cluster.run_for("60s")
        cluster.kubectl("delete deployment web")
        cluster.run_for("60s")
        yield cluster


@pytest.fixture(scope="module")
def pending(cluster):
    """A revision at which the Pods are there, and do not run."""
    commits = cluster.trace.select(kind="commit", what="pods/")
    return max(each.revision for each in commits if each.verb == "create")


@pytest.fixture
def past(cluster):
    with Past(cluster, "+30s") as past:
        yield past


def test_a_moment_means_the_newest_revision_up_to_then(cluster, past):
    times = {record.revision: record.time for record in cluster.trace.select(kind="commit")}
    assert past.now == EPOCH + 30
    assert times[past.revision] <= past.now < times[past.revision + 1]


@pytest.mark.parametrize("moment", ["+1m30s", "90s", "2026-01-01T00:01:30Z", "2026-01-01T01:01:30+01:00", EPOCH + 90])
def test_a_moment_can_be_said_in_many_ways(cluster, moment):
    assert Past(cluster, moment).revision == Past(cluster, "+90s").revision


def test_a_time_without_a_zone_is_utc(cluster):
    assert Past(cluster, "2026-01-01T00:01:30").now == EPOCH + 90


def test_a_revision_is_at_the_moment_of_its_writing(cluster):
    commit = cluster.trace.select(kind="commit", start=EPOCH + 5)[0]
    past = Past(cluster, commit.revision)
    assert (past.revision, past.now) == (commit.revision, commit.time)
    assert Past(cluster, str(commit.revision)).revision == commit.revision


def test_the_client_sees_what_was_there(past):
    assert [pod.status.phase for pod in past.client.list(Pod)] == ["Running", "Running"]
    assert past.client.get(Deployment, "web", "default").status.ready_replicas == 2


def test_what_came_later_is_not_there(cluster):
    assert cluster.client.list(Pod) == []
    with pytest.raises(NotFound):
        Past(cluster, 13).client.get(Deployment, "web", "default")


def test_ages_are_those_of_then(past):
    lines = past.kubectl("get pods -o wide").check().stdout.splitlines()
    assert [line.split()[1:5] for line in lines[1:]] == [["1/1", "Running", "0", "30s"]] * 2


def test_describe_works_and_its_events_have_their_ages(past):
    described = past.kubectl("describe deployment web").check().stdout
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described
    assert "ScalingReplicaSet  30s" in described


def test_kubectl_takes_its_own_options(past):
    assert past.kubectl("--request-timeout=5s get nodes").check().stdout.count("Ready") == 2


@pytest.mark.parametrize(
    "command",
    ["get pods -w", "wait deployment/web --for=delete --timeout=1h", "rollout status deployment/web --revision=7 -w"],
)
def test_a_command_that_waits_ends_at_once_and_says_why(cluster, command, pending):
    with Past(cluster, pending) as past:
        result = past.kubectl(command)
        assert not result.ok
        assert past.now == EPOCH
        assert past.kubectl("get nodes").stderr == ""
    if "--revision" not in command:
        assert f"stopped: this is the past (revision {pending}), in which no time passes" in result.stderr


@pytest.mark.parametrize(
    "command",
    ["scale deployment web --replicas=5", "delete pod --all", "create namespace shop", "label node node-1 a=b"],
)
def test_what_would_change_something_is_refused_with_a_way_out(cluster, past, command):
    revision = cluster.store.revision
    result = past.kubectl(command)
    assert not result.ok
    assert f"this is the past (revision {past.revision}): it cannot be changed; cluster.goto(" in result.stderr
    assert cluster.store.revision == revision


def test_the_client_refuses_to_write_too(past):
    with pytest.raises(
        MethodNotAllowed, match=r"this is the past .* cannot be changed; cluster\.goto\(\d+\) goes back"
    ):
        past.client.delete(Deployment, "web", "default")


def test_what_the_refusal_says_leads_there():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx")
        cluster.run_for("30s")
        wanted = cluster.trace.select(kind="commit", what="pods/")[-1].revision
        with pytest.raises(MethodNotAllowed) as refusal:
            Past(cluster, wanted).client.delete(Deployment, "web", "default")
        cluster.goto(int(refusal.value.message.partition("goto(")[2].partition(")")[0]))
        assert wanted <= cluster.store.revision <= wanted + 2


@pytest.mark.parametrize("command", ["logs deployment/web", "exec deployment/web -- ls"])
def test_containers_cannot_be_reached(past, command):
    result = past.kubectl(command)
    assert not result.ok
    assert "its containers are gone, and what they said is not kept" in result.stderr


def test_a_question_is_answered(past):
    assert past.kubectl("auth can-i create pods").check().stdout == "yes\n"


def test_the_ownership_graph_works_on_it(past):
    assert str(ownership_graph(past.client, "deployment", "web")).startswith("Deployment/web  (2/2 ready)")


def test_its_history_ends_there(cluster, past):
    revisions = [change.revision for change in past.history()]
    assert revisions == [change.revision for change in cluster.history() if change.revision <= past.revision]


def test_to_look_changes_nothing(cluster):
    before = (cluster.store.revision, cluster.now, cluster.steps, cluster.trace.last)
    with Past(cluster, "+30s") as past:
        past.kubectl("get pods -A")
        past.client.list(Node)
    assert (cluster.store.revision, cluster.now, cluster.steps, cluster.trace.last) == before


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        (0, r"revision 0 never was; there are revisions 1 to \d+, from \+0.0s \(2026-01-01T00:00:00Z\) to \+12"),
        (-1, "revision -1 never was"),
        (99_999, "there is no revision 99999 yet; .*: let time pass, or take one of these$"),
        (int(EPOCH), "for a time write a float"),
        ("+1h", r"has not happened yet; .*: let time pass, with cluster\.run_for"),
        (float("nan"), "has not happened yet"),
        ("2025-01-01T00:00:00Z", "nothing is kept of that time; there are revisions 1 to"),
        ("yesterday", r"cannot tell which moment 'yesterday' is; write a revision \(41\), a time since the start"),
        (True, "True is no moment"),
        (None, "None is no moment"),
    ],
)
def test_a_moment_that_there_is_not_is_answered_by_those_there_are(cluster, moment, says):
    with pytest.raises(ValueError, match=says):
        Past(cluster, moment)


def test_it_says_where_it_is(past):
    assert repr(past) == f"<Past of lab: revision {past.revision}, 2026-01-01T00:00:30Z (+30.0s)>"


def test_nothing_listens_before_kubectl_is_used(cluster, tmp_path, monkeypatch, pending):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()
    past = Past(cluster, pending)
    past.client.list(Pod)
    assert (threading.active_count(), list(tmp_path.iterdir())) == (threads, [])
    past.close()


def test_closing_leaves_nothing(cluster, tmp_path, monkeypatch, pending):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()
    with Past(cluster, pending) as past:
        past.kubectl("get pods")
        assert list(tmp_path.iterdir()) != []
    assert (threading.active_count(), list(tmp_path.iterdir())) == (threads, [])
    with pytest.raises(RuntimeError, match=rf"this past is closed; take it again: cluster\.at\({pending}\)"):
        past.kubectl("get pods")
    past.close()


def test_a_past_that_nobody_holds_leaves_nothing(cluster, tmp_path, monkeypatch, pending):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()
    assert Past(cluster, pending).kubectl("get pods").ok
    gc.collect()
    assert eventually(lambda: (threading.active_count(), list(tmp_path.iterdir())) == (threads, []))


def test_pasts_close_together(cluster, pending):
    pasts = Pasts()
    first, second = pasts.at(cluster, pending), pasts.at(cluster, "+30s")
    pasts.close()
    pasts.close()
    for past in (first, second):
        with pytest.raises(RuntimeError, match="this past is closed"):
            past.kubectl("get pods")


def test_it_outlives_its_cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        past = Past(cluster, cluster.store.revision)
    assert [node.metadata.name for node in past.client.list(Node)] == ["node-1"]


def test_a_live_cluster_has_a_past_up_to_compaction():
    with Cluster(nodes=1, seed=1, mode="live") as cluster:
        cluster.run_until(lambda: bool(cluster.client.list(Node)), timeout="30s")
        seen = cluster.store.revision
        cluster.client.create(Deployment, {"metadata": {"name": "web"}, "spec": spec()}, "default")
        past = Past(cluster, seen)
        assert (past.client.list(Deployment), len(past.client.list(Node))) == ([], 1)
        assert cluster.store.revision > seen
        assert past.now >= past.start
        assert Past(cluster, cluster.now).revision >= seen
        with pytest.raises(MethodNotAllowed, match="cannot be changed; change the cluster itself, as it is now"):
            past.client.delete(Node, "node-1")
        cluster.store.compact(seen + 1)
        assert past.kubectl("get nodes").check().stdout.count("node-1") == 1
        past.close()
        with pytest.raises(
            ValueError, match=f"revision {seen} was forgotten, by compaction; there are revisions {seen + 1} to"
        ):
            Past(cluster, seen)


def test_a_store_on_disk_tells_the_time_of_what_was_before(tmp_path):
    path = tmp_path / "etcd.sqlite"
    store = SqliteStore(path, VirtualClock())
    with Cluster(nodes=1, seed=1, store=store) as cluster:
        cluster.run_for("60s")
        before = cluster.store.revision
    store = SqliteStore(path)
    with Cluster(nodes=1, seed=1, store=store, mode="live") as again:
        past = Past(again, before)
        # The node's lease was renewed last; what it says is exact to the microsecond.
        assert EPOCH + 40 <= past.now <= EPOCH + 61
        assert past.start == EPOCH
        assert Past(again, "+30s").revision < before


def spec() -> dict:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    return {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
