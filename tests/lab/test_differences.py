"""What has changed between two moments, by whom, when and by which write."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.clock import EPOCH
from k8slab.lab.comparison import ABSENT
from k8slab.lab.differences import Differences, diff, shown
from k8slab.lab.past import Past
from tests.lab.worlds import create, delete, scale, update


@pytest.fixture(scope="module")
def cluster():
    """At 0 s `web` is made, at 60 s it is scaled and gets another image, at 120 s it is deleted."""
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        cluster.run_for("60s")
        scale(cluster, "web", 3)
        update(cluster, "web", "nginx:1.27")
        cluster.run_for("60s")
        delete(cluster, "web")
        cluster.run_for("60s")
        yield cluster


def between(cluster: Cluster, a: object, b: object, **options: object) -> Differences:
    return diff(Past(cluster, a), Past(cluster, b), **options)


def test_objects_that_came_are_created_by_somebody(cluster):
    found = [each for each in between(cluster, made_at(cluster) - 1, "+59s") if each.change == "created"]
    assert [(each.change, each.object.partition("/")[0]) for each in found] == [
        ("created", "deployment"),
        ("created", "pod"),
        ("created", "pod"),
        ("created", "replicaset"),
    ]
    assert [each.write.who for each in found] == [
        "k8slab-admin",
        "replicaset-controller",
        "replicaset-controller",
        "deployment-controller",
    ]


def test_objects_that_went_are_deleted_by_somebody(cluster):
    found = between(cluster, "+119s", "+179s", kind="pod")
    assert {each.change for each in found} == {"deleted"}
    assert {each.write.who for each in found} <= {"kubelet-node-1", "kubelet-node-2"}


def test_a_field_has_a_path_two_values_and_the_write_that_set_it(cluster):
    [change] = between(cluster, "+59s", "+119s", kind="deploy")
    fields = {each.path: each for each in change.fields}
    image = fields["spec.template.spec.containers[name=main].image"]
    assert (image.old, image.new) == ("nginx", "nginx:1.27")
    assert (image.write.who, image.write.time) == ("k8slab-admin", EPOCH + 60)
    assert fields["status.readyReplicas"].write.who == "deployment-controller"
    assert fields["spec.replicas"].write.revision < image.write.revision


def test_the_record_is_that_of_the_commit(cluster):
    for change in between(cluster, "+59s", "+119s"):
        for write in (change.write, *(field.write for field in change.fields)):
            record = cluster.trace.get(write.record)
            assert (record.kind, record.revision, record.time) == ("commit", write.revision, write.time)


def test_the_credit_goes_to_the_newest_write_that_made_the_change(cluster):
    [change] = between(cluster, "+59s", "+119s", kind="deploy")
    for field in change.fields:
        assert field.path in paths(between(cluster, field.write.revision - 1, "+119s", kind="deploy"))
        assert field.path not in paths(between(cluster, field.write.revision, "+119s", kind="deploy"))


def paths(found: Differences) -> list[str]:
    return [field.path for each in found for field in each.fields]


def test_heartbeats_and_bookkeeping_are_no_news(cluster):
    quiet = between(cluster, "+150s", "+179s")
    assert str(quiet).endswith("no difference")
    assert between(cluster, "+150s", "+179s", ignore=()).of("changed")


def test_events_are_counted_and_listed_when_asked_for(cluster):
    assert between(cluster, 13, "+59s").events == len(between(cluster, 13, "+59s", kind="event"))
    assert "new Events" in str(between(cluster, 13, "+59s"))


def test_filters_by_kind_name_and_namespace(cluster):
    assert {each.object.partition("/")[0] for each in between(cluster, made_at(cluster) - 1, "+59s", kind="po")} == {
        "pod"
    }
    assert between(cluster, made_at(cluster) - 1, "+59s", name="web-", kind="rs").of("created")
    assert len(between(cluster, made_at(cluster) - 1, "+59s", name="shop")) == 0
    assert len(between(cluster, made_at(cluster) - 1, "+59s", namespace="kube-system")) == 0
    with pytest.raises(ValueError, match="no kind 'pood' is served; did you mean pod"):
        between(cluster, made_at(cluster) - 1, "+59s", kind="pood")


def test_an_object_made_anew_under_its_name_is_replaced():
    with Cluster(nodes=1, seed=1) as cluster:
        made = []
        for _ in range(2):
            body = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}}
            made.append(int(cluster.client.create(Pod, body, "default")["metadata"]["resourceVersion"]))
            cluster.client.delete(Pod, "a", "default", grace_period=0)
            cluster.run_for("60s")
        [change] = between(cluster, *made, kind="pod")
        assert (change.change, change.object, change.write.revision) == ("replaced", "pod/a", made[1])
        assert "metadata.uid" in [field.path for field in change.fields]


def test_backwards_it_is_the_inverse_and_nobodys_doing(cluster):
    forth, back = between(cluster, "+59s", "+119s", kind="deploy"), between(cluster, "+119s", "+59s", kind="deploy")
    assert {f.path: (f.old, f.new) for f in forth.changes[0].fields} == {
        f.path: (f.new, f.old) for f in back.changes[0].fields
    }
    assert {field.write.revision for field in back.changes[0].fields} == {0}
    assert "(" not in str(back).partition("\n")[2]


def test_a_fork_can_be_compared_with_its_origin(cluster):
    with cluster.fork() as fork:
        create(fork, "shop", 1)
        found = diff(Past(cluster, cluster.store.revision), Past(fork, fork.store.revision), kind="deployment")
        assert found.of("created") == ["deployment/shop"]
        assert len(diff(Past(cluster, 40), Past(fork, 40))) == 0


def test_the_text_is_short_and_says_all(cluster):
    made = made_at(cluster)
    assert str(between(cluster, made - 1, made)) == (
        f"revision {made - 1} (+0.0s) -> revision {made} (+0.0s): 1 created\n"
        f"created  deployment/web  (k8slab-admin, revision {made}, +0.0s)"
    )
    lines = str(between(cluster, "+59s", "+60s", kind="deploy")).splitlines()
    assert f"    spec.replicas: 2 -> 3  (k8slab-admin, revision {scaled_at(cluster)}, +60.0s)" in lines


def made_at(cluster: Cluster) -> int:
    return cluster.history().by("k8slab-admin").of("deployments/web")[0].revision


def scaled_at(cluster: Cluster) -> int:
    _created, scaled, *_ = cluster.history().by("k8slab-admin").of("deployments/web")
    return scaled.revision


def test_the_table_has_a_row_for_each_field(cluster):
    table = between(cluster, "+59s", "+119s", kind="deploy").table
    assert table.columns[:5] == ("change", "object", "field", "old", "new")
    row = next(row for row in table.rows if row[2] == "spec.replicas")
    assert row[:6] == ("changed", "deployment/web", "spec.replicas", "2", "3", "k8slab-admin")
    assert row[6:8] == (str(scaled_at(cluster)), "+60.0s")


def test_a_notebook_gets_a_table(cluster):
    html = between(cluster, "+59s", "+119s")._repr_html_()
    assert html.startswith("<p>revision ")
    assert "-&gt;" in html
    assert ">spec.replicas</td>" in html
    assert "<table>" not in between(cluster, 40, 40)._repr_html_()


def test_long_values_are_cut():
    assert shown("x" * 100) == '"' + "x" * 56 + "..."
    assert (shown(ABSENT), shown(None), shown({"a": 1})) == ("(none)", "null", '{"a":1}')


def test_what_compaction_took_is_credited_to_nobody():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        before = Past(cluster, cluster.store.revision)
        scale(cluster, "web", 2)
        scale(cluster, "web", 3)
        cluster.store.compact(cluster.store.revision - 1)
        cluster.client.patch(Deployment, "web", "default", {"metadata": {"labels": {"a": "b"}}})
        [change] = diff(before, Past(cluster, cluster.store.revision), kind="deploy", ignore=("status",))
        writes = {field.path: field.write.revision for field in change.fields}
        assert (writes["metadata.labels"], writes["spec.replicas"]) == (cluster.store.revision, 0)


def test_the_same_life_has_the_same_differences(cluster):
    with cluster.fork() as again:
        assert str(between(again, "+59s", "+119s")) == str(between(cluster, "+59s", "+119s"))


def test_what_no_request_wrote_is_credited_by_the_trace():
    with Cluster(nodes=1, seed=1) as cluster:
        before = Past(cluster, cluster.store.revision)
        cluster.crash("etcd-lessor")
        cluster.start("etcd-lessor")
        cluster.run_for("2h")
        gone = [
            each
            for each in diff(before, Past(cluster, cluster.store.revision), kind="event")
            if each.change == "deleted"
        ]
        assert {each.write.who for each in gone} == {"etcd-lessor"}
        assert all(each.write.record for each in gone)
