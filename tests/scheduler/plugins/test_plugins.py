from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.scheduler.fit_error import fit_error
from k8slab.scheduler.framework import MAX_SCORE, State, filter_nodes, score_nodes, totals
from k8slab.scheduler.node_info import Resident
from k8slab.scheduler.plugins import (
    PLUGINS,
    NodeAffinity,
    NodeResourcesBalancedAllocation,
    NodeResourcesFit,
    TaintToleration,
)
from tests.scheduler.objects import node, pod


def refusals(a_pod, a_node):
    return list(filter_nodes(PLUGINS, State.of([a_node]), a_pod, [a_node]).reasons.get(a_node.name, []))


def taint(effect="NoSchedule", key="dedicated", value="db"):
    return {"key": key, "effect": effect, "value": value}


def affinity(*expressions, fields=()):
    term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def test_a_node_with_room_will_do():
    assert refusals(pod(cpu="1"), node()) == []


@pytest.mark.parametrize(
    ("a_pod", "a_node", "reasons"),
    [
        (pod(), node(unschedulable=True), ["node(s) were unschedulable"]),
        (pod(nodeName="node-2"), node(), ["node(s) didn't match the requested node name"]),
        (pod(), node(taints=[taint()]), ["node(s) had untolerated taint(s)"]),
        (pod(), node(taints=[taint("NoExecute")]), ["node(s) had untolerated taint(s)"]),
        (pod(nodeSelector={"disk": "ssd"}), node(), ["node(s) didn't match Pod's node affinity/selector"]),
        (
            pod(ports=[80]),
            node(pods=[pod("other", ports=[80])]),
            ["node(s) didn't have free ports for the requested pod ports"],
        ),
        (pod(cpu="5"), node(), ["Insufficient cpu"]),
        (pod(cpu="5", memory="9Gi"), node(), ["Insufficient cpu", "Insufficient memory"]),
        (pod(cpu="3"), node(pods=[pod("other", cpu="2")]), ["Insufficient cpu"]),
        (pod(), node(room={"pods": "1"}, pods=[pod("other")]), ["Too many pods"]),
    ],
)
def test_a_node_that_will_not_do_says_why(a_pod, a_node, reasons):
    assert refusals(a_pod, a_node) == reasons


@pytest.mark.parametrize(
    ("a_pod", "a_node"),
    [
        (pod(tolerations=[{"operator": "Exists"}]), node(taints=[taint()])),
        (pod(tolerations=[{"key": "dedicated", "value": "db"}]), node(taints=[taint()])),
        (pod(), node(taints=[taint("PreferNoSchedule")])),
        (pod(nodeSelector={"disk": "ssd"}), node(labels={"disk": "ssd"})),
        (pod(affinity=affinity({"key": "disk", "operator": "In", "values": ["ssd"]})), node(labels={"disk": "ssd"})),
        (
            pod(affinity=affinity(fields=[{"key": "metadata.name", "operator": "In", "values": ["node-1"]}])),
            node("node-1"),
        ),
        (pod(ports=[80]), node(pods=[pod("other", ports=[81])])),
        (pod(cpu="0"), node(pods=[pod("other", cpu="5")])),
        (pod(cpu="4"), node()),
    ],
)
def test_a_node_that_will_do_says_nothing(a_pod, a_node):
    assert refusals(a_pod, a_node) == []


def test_an_empty_term_matches_no_node():
    assert refusals(pod(affinity=affinity()), node())


def test_the_first_refusal_counts():
    assert refusals(pod(cpu="5"), node(unschedulable=True)) == ["node(s) were unschedulable"]


def error(a_pod, *nodes):
    return fit_error(filter_nodes(PLUGINS, State.of(nodes), a_pod, nodes), len(nodes))


def test_without_nodes_the_error_is_short():
    assert error(pod()) == "no nodes available to schedule pods"


def test_the_error_counts_the_reasons_in_alphabetical_order():
    nodes = [
        node("a", taints=[taint()]),
        node("b", pods=[pod("other", cpu="3")]),
        node("c", pods=[pod("more", cpu="3")]),
    ]
    assert error(pod(cpu="2"), *nodes) == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
    )


def test_of_a_refused_node_it_is_known_whether_fewer_pods_would_help():
    nodes = [node("full", pods=[pod("other", cpu="3")]), node("small", room={"cpu": "1"})]
    assert filter_nodes(PLUGINS, State.of(nodes), pod(cpu="2"), nodes).hopeless == {"small"}


def test_a_node_may_count_for_several_reasons():
    assert error(pod(cpu="5", memory="9Gi"), node()).startswith(
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
    )


def best(a_pod, *nodes, plugins=PLUGINS):
    scores = totals(score_nodes(plugins, State.of(nodes), a_pod, nodes), len(nodes))
    return nodes[scores.index(max(scores))].name


def test_the_emptier_node_is_better():
    assert best(pod(cpu="1"), node("full", pods=[pod("other", cpu="2")]), node("empty")) == "empty"


def test_pods_without_requests_count_for_something_too():
    assert best(pod(), node("full", pods=[pod("other")]), node("empty")) == "empty"


def test_a_node_whose_cpu_and_memory_are_used_evenly_is_better():
    lopsided, even = node("lopsided", room={"memory": "64Gi"}), node("even")
    assert best(pod(cpu="2", memory="4Gi"), lopsided, even, plugins=[NodeResourcesBalancedAllocation()]) == "even"


def test_a_pod_that_asks_for_nothing_does_not_care_for_balance():
    balance = NodeResourcesBalancedAllocation()
    assert balance.skips(State.of([node("a")]), pod())
    assert not balance.skips(State.of([node("a")]), pod(cpu="1"))


def test_a_node_that_would_rather_not_is_worse():
    assert best(pod(), node("a", taints=[taint("PreferNoSchedule")]), node("b"), plugins=[TaintToleration()]) == "b"


def test_a_preferred_label_is_better():
    wish = {"weight": 10, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    wishes = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    found = best(pod(affinity=wishes), node("a"), node("b", labels={"disk": "ssd"}), plugins=[NodeAffinity()])
    assert found == "b"


def test_least_allocated_is_the_share_that_stays_free():
    assert NodeResourcesFit().score(State.of([]), pod(cpu="1", memory="2Gi"), node()) == 75


amounts = st.tuples(st.integers(0, 5000), st.integers(0, 9000))
nodes = st.lists(st.lists(amounts, max_size=3), min_size=1, max_size=4)


def of(amount, name="web"):
    return pod(name, cpu=f"{amount[0]}m", memory=f"{amount[1]}Mi")


@given(amounts, nodes)
def test_every_score_is_between_0_and_100(asked, crowds):
    them = [node(str(n), pods=[of(a, f"{n}-{m}") for m, a in enumerate(crowd)]) for n, crowd in enumerate(crowds)]
    weights = {plugin.name: plugin.weight for plugin in PLUGINS}
    for name, scores in score_nodes(PLUGINS, State.of(them), of(asked), them).items():
        assert all(0 <= score <= MAX_SCORE * weights[name] for score in scores), name


@given(amounts, nodes)
def test_pods_on_the_nodes_that_fit_never_ask_for_more_than_there_is(asked, crowds):
    them = [node(str(n), pods=[of(a, f"{n}-{m}") for m, a in enumerate(crowd)]) for n, crowd in enumerate(crowds)]
    for each in filter_nodes(PLUGINS, State.of(them), of(asked), them).fitting:
        for place, name in enumerate(("cpu", "memory")):
            assert not asked[place] or each.requested.get(name, 0) + of(asked).requests[name] <= each.allocatable[name]


@given(st.lists(amounts, max_size=5), st.data())
def test_what_comes_and_goes_leaves_no_trace(crowd, data):
    info = node()
    pods = [Resident.of(of(amount, str(number)).pod) for number, amount in enumerate(crowd)]
    for each in pods:
        info.add(each)
    for each in data.draw(st.permutations(pods)):
        info.remove(each.uid)
    assert not any((*info.requested.values(), *info.scored.values(), *info.pods))
