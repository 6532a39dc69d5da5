from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.lab.pictures.units import units
from k8slab.lab.pictures.verdicts import SCHEDULER, scheduler_verdicts, verdicts_model, verdicts_of
from tests.lab.worlds import DEEDS, live

from .lives import make, parts, pod, pods

PODS = st.fixed_dictionaries(
    {"cpu": st.sampled_from(["0", "100m", "1", "3"]), "memory": st.sampled_from(["0", "1Gi", "5Gi"])},
    optional={"tolerates": st.booleans(), "zone": st.sampled_from("ab"), "port": st.just(80)},
)
TAINTS = st.lists(st.sampled_from(["NoSchedule", "PreferNoSchedule"]), max_size=2, unique=True)
NODES = st.lists(st.tuples(TAINTS, st.booleans(), st.sampled_from("ab")), min_size=1, max_size=4)


def manifest(name: str, wants: dict) -> dict:
    container: dict = {"resources": {"requests": {"cpu": wants["cpu"], "memory": wants["memory"]}}}
    if "port" in wants:
        container["ports"] = [{"containerPort": 80, "hostPort": wants["port"]}]
    spec: dict = {"tolerations": [{"operator": "Exists"}]} if wants.get("tolerates") else {}
    if "zone" in wants:
        spec["nodeSelector"] = {"zone": wants["zone"]}
    return pod(name, container=container, **spec)


def tell_about(cluster: Cluster, number: int, taints: list[str], cordoned: bool, zone: str) -> None:
    spec = {"taints": [{"key": "k", "value": "v", "effect": each} for each in taints], "unschedulable": cordoned}
    cluster.client.patch(Node, f"node-{number}", "", {"metadata": {"labels": {"zone": zone}}, "spec": spec})


def check_every_attempt(cluster: Cluster) -> None:
    """The table must say what the scheduler did: the chosen is among the best; the message is the one that was written."""
    engine, trace = parts(cluster)
    for unit in units(trace):
        if unit.work.component != SCHEDULER or not unit.writes:
            continue
        found = verdicts_of(engine, trace, unit)
        if unit.result == "unschedulable":
            assert not found.chosen
            assert not found.best
        else:
            assert found.chosen in found.best


@settings(max_examples=40)
@given(nodes=NODES, first=st.lists(PODS, max_size=5), then=NODES, second=st.lists(PODS, max_size=4))
def test_the_table_says_what_the_scheduler_did(nodes, first, then, second):
    with Cluster(nodes=len(nodes), seed=1) as cluster:
        for number, node in enumerate(nodes, 1):
            tell_about(cluster, number, *node)
        for number, wants in enumerate(first):
            make(cluster, manifest(f"first-{number}", wants))
        cluster.run_for("1s")
        for number, node in enumerate(then[: len(nodes)], 1):
            tell_about(cluster, number, *node)
        for number, wants in enumerate(second):
            make(cluster, manifest(f"second-{number}", wants))
        cluster.run_for("15s")
        check_every_attempt(cluster)
        for waiting in cluster.client.list(Pod, "default", fields="status.phase=Pending"):
            condition = waiting.condition("PodScheduled")
            if condition is not None and condition.reason == "Unschedulable":
                said = scheduler_verdicts(*parts(cluster), waiting.name).said
                assert said == condition.message


@settings(max_examples=15)
@given(deeds=DEEDS)
def test_that_holds_whatever_happens_to_the_scheduler(deeds):
    with Cluster(nodes=2, seed=1) as cluster:
        try:
            live(cluster, [*deeds, ("fault", ("restart", {"component": "kube-scheduler"})), *deeds])
        except ApiError:
            return
        check_every_attempt(cluster)


def test_the_table_has_a_row_for_each_node_and_a_column_for_each_plugin_that_has_something_to_say(young):
    picture = scheduler_verdicts(*parts(young), pods(young)[0])
    assert picture.table.columns[:3] == ("Node", "NodeUnschedulable", "TaintToleration")
    assert "NodeName" not in picture.table.columns
    silent = (
        "NodeName, NodeAffinity, NodePorts, PodTopologySpread, InterPodAffinity, NodeResourcesBalancedAllocation, "
        "ImageLocality"
    )
    assert str(picture).endswith(f"with nothing to say about this Pod: {silent}")
    assert [row[0] for row in picture.table.rows] == ["node-1", "node-2"]
    assert picture.said.startswith("chosen: node-")


def test_a_pod_that_fits_nowhere_gets_each_nodes_reason_and_the_message():
    with Cluster(nodes=2, seed=1) as cluster:
        tell_about(cluster, 1, ["NoSchedule"], False, "a")
        tell_about(cluster, 2, [], True, "a")
        make(cluster, pod("web"))
        cluster.run_for("1s")
        picture = scheduler_verdicts(*parts(cluster), "pod/web")
    assert [row[-1] for row in picture.table.rows] == ["", ""]
    assert "node(s) had untolerated taint(s)" in picture.table.rows[0]
    assert picture.said.startswith("0/2 nodes are available: ")


def test_what_was_refused_is_drawn_dashed(young):
    engine, trace = parts(young)
    unit = next(each for each in units(trace) if each.work.component == SCHEDULER and each.writes)
    graph = verdicts_model("which", "web", verdicts_of(engine, trace, unit))
    assert {edge.kind for edge in graph.edges} == {""}
    assert sum(node.lit for node in graph.nodes) == 1


def test_what_was_never_tried_is_answered_in_a_sentence(young):
    with pytest.raises(ValueError, match="there is no Pod 'nope'"):
        scheduler_verdicts(*parts(young), "nope")
    with pytest.raises(ValueError, match=r"tried .* 1 times: attempt is 0 to 0"):
        scheduler_verdicts(*parts(young), pods(young)[0], attempt=4)


def test_it_can_be_told_long_after_the_pod_is_gone(old):
    engine, trace = parts(old)
    gone = trace.select(kind="commit", what="pods/")[0].what
    assert scheduler_verdicts(engine, trace, f"pod/{gone.partition('/')[2]}").said
