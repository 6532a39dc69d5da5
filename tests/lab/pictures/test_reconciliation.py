from __future__ import annotations

from k8slab import Cluster
from k8slab.lab.pictures.reconciliation import looks_at, loop_model, reconciliation
from k8slab.lab.pictures.scope import scope_of
from tests.lab.worlds import create, scale

from .lives import parts, pods


def looks(cluster: Cluster, what: str) -> list:
    engine, trace = parts(cluster)
    return looks_at(engine, trace, what, scope_of(engine, trace))


def test_a_deployment_that_was_scaled_is_one_short_and_scales_its_replica_set(young):
    scaled = next(each for each in looks(young, "deployments/default/web") if "scales" in each.action)
    assert (scaled.desired, scaled.observed) == ("replicas 3, ready 3", "replicas 2, ready 2")
    assert scaled.difference == "replicas +1, ready +1"
    assert scaled.action.startswith("scales ReplicaSet web-")
    assert scaled.heard == "MODIFIED Deployment web"


def test_the_last_look_finds_no_difference(young):
    last = looks(young, "deployments/default/web")[-1]
    assert (last.difference, last.action) == ("none", "nothing")


def test_a_pod_is_bound_by_the_scheduler_and_then_started_by_a_kubelet(young):
    told = looks(young, f"pods/default/{pods(young)[0]}")
    assert told[0].who == "kube-scheduler"
    assert told[0].action.startswith("binds it to node-")
    assert told[1].difference == "running containers +1"
    assert told[1].action.startswith("PullImage nginx, RunPodSandbox")
    assert told[-1].action.startswith("CreateContainer, StartContainer")


def test_a_controller_with_a_stale_cache_is_seen_to_act_on_it():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        cluster.fault("slow-watch", component="deployment-controller", delay=600, lose=0, repeat=0).start()
        scale(cluster, "web", 4)
        cluster.run_for("1s")
        assert looks(cluster, "deployments/default/web")[-1].desired == "replicas 1, ready 1"


def test_looks_with_nothing_to_do_are_counted_and_shown_on_demand(young):
    engine, trace = parts(young)
    short, full = (reconciliation(engine, trace, "deploy/web", idle=idle) for idle in (False, True))
    assert "more looks, with nothing to do" in short.text
    assert len(full.table.rows) > len(short.table.rows)


def test_an_object_that_nobody_works_on_has_no_looks(young):
    assert not reconciliation(*parts(young), "service/kubernetes").table.rows


def test_a_look_is_a_row_of_boxes(young):
    graph = loop_model("how", looks(young, "deployments/default/web")[:1], 0.0)
    assert [node.kind for node in graph.nodes] == ["delivery", "reconcile", "write"]
