from __future__ import annotations

import pytest

from k8slab.scheduler.framework import State, filter_nodes, score_nodes
from k8slab.scheduler.plugins import PLUGINS, PodTopologySpread
from k8slab.scheduler.plugins.pod_topology_spread import UNEVEN, UNLABELED
from tests.scheduler.objects import node, pod

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def spread(key=ZONE, hard=True, **more):
    return {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
        **more,
    }


def web(name="web", *constraints, labels=None, **spec):
    return pod(name, labels={"app": "web"} | (labels or {}), topologySpreadConstraints=list(constraints), **spec)


def zone(name, *pods, host="", **options):
    return node(host or f"{name}1", labels={ZONE: name}, pods=pods, **options)


def refusals(a_pod, *nodes):
    reasons = filter_nodes(PLUGINS, State.of(nodes), a_pod, nodes).reasons
    return [list(reasons.get(each.name, ())) for each in nodes]


def test_the_next_one_goes_where_there_are_fewest():
    assert refusals(web("new", spread()), zone("a", web("1")), zone("b")) == [[UNEVEN], []]


def test_a_greater_skew_may_be_allowed():
    assert refusals(web("new", spread(maxSkew=2)), zone("a", web("1")), zone("b")) == [[], []]


def test_only_the_pods_of_the_selector_count():
    assert refusals(web("new", spread()), zone("a", pod("other")), zone("b")) == [[], []]


def test_pods_that_are_going_do_not_count():
    going = web("1")
    meta = going.pod.metadata.model_copy(update={"deletion_timestamp": "2026-01-01T00:00:00Z"})
    going.pod = going.pod.model_copy(update={"metadata": meta})
    assert refusals(web("new", spread()), zone("a", going), zone("b")) == [[], []]


def test_a_node_without_the_label_has_no_place():
    assert refusals(web("new", spread()), node("n"), zone("b")) == [[UNLABELED], []]


def test_fewer_pods_help_where_a_zone_is_full_but_not_where_there_is_no_zone():
    nodes = zone("a", web("1")), zone("b", unschedulable=True), node("n")
    assert filter_nodes(PLUGINS, State.of(nodes), web("new", spread()), nodes).hopeless == {"b1", "n"}


def test_as_long_as_there_are_too_few_domains_the_lowest_count_is_none():
    few = spread(minDomains=3)
    assert refusals(web("new", few), zone("a", web("1")), zone("b", web("2"))) == [[UNEVEN], [UNEVEN]]


@pytest.mark.parametrize(("policy", "expected"), [("Honor", []), ("Ignore", [UNEVEN])])
def test_nodes_with_taints_can_be_left_out(policy, expected):
    tainted = zone("b", taints=[{"key": "dedicated", "effect": "NoSchedule"}])
    [first, _] = refusals(web("new", spread(nodeTaintsPolicy=policy)), zone("a", web("1")), tainted)
    assert first == expected


@pytest.mark.parametrize(("policy", "expected"), [("Honor", []), ("Ignore", [UNEVEN])])
def test_so_can_nodes_where_the_pod_would_never_go(policy, expected):
    picky = web("new", spread(nodeAffinityPolicy=policy), nodeSelector={ZONE: "a"})
    [first, _] = refusals(picky, zone("a", web("1")), zone("b"))
    assert first == expected


def test_the_pods_of_another_revision_can_be_left_out():
    by_revision = spread(matchLabelKeys=["pod-template-hash"])
    old = web("1", labels={"pod-template-hash": "old"})
    new = web("new", by_revision, labels={"pod-template-hash": "new"})
    assert refusals(new, zone("a", old), zone("b")) == [[], []]


def scores(a_pod, *nodes):
    return score_nodes([PodTopologySpread()], State.of(nodes), a_pod, nodes)["PodTopologySpread"]


def test_a_soft_constraint_prefers_where_there_are_fewest():
    soft = spread(hard=False)
    assert refusals(web("new", soft), zone("a", web("1")), zone("b")) == [[], []]
    crowded, empty = scores(web("new", soft), zone("a", web("1"), web("2")), zone("b"))
    assert crowded < empty == 200


def test_a_node_without_the_label_gets_nothing():
    assert scores(web("new", spread(hard=False)), node("n"), zone("b"))[0] == 0
