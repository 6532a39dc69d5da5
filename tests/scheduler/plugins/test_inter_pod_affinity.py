from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.scheduler.framework import State, filter_nodes, score_nodes
from k8slab.scheduler.plugins import PLUGINS, InterPodAffinity
from k8slab.scheduler.plugins.inter_pod_affinity import KEPT_AWAY, NOT_AWAY, NOT_NEAR
from tests.scheduler.objects import node, pod

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def term(app, key=ZONE, **more):
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **more}


def near(*terms):
    return {"podAffinity": {REQUIRED: list(terms)}}


def away(*terms):
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def in_zone(zone, name, *pods):
    return node(name, labels={ZONE: zone}, pods=pods)


def refusals(a_pod, *nodes, namespaces=None):
    verdict = filter_nodes(PLUGINS, State.of(nodes, namespaces), a_pod, nodes)
    return [list(verdict.reasons.get(each.name, ())) for each in nodes]


def labelled(name, app, **spec):
    return pod(name, labels={"app": app}, **spec)


DB = labelled("db", "db")


def test_near_is_by_the_label_of_nodes():
    nodes = in_zone("a", "a1", DB), in_zone("a", "a2"), in_zone("b", "b1")
    assert refusals(pod(affinity=near(term("db"))), *nodes) == [[], [], [NOT_NEAR]]
    assert refusals(pod(affinity=near(term("db", HOST))), *nodes) == [[], [NOT_NEAR], [NOT_NEAR]]


def test_away_is_too():
    nodes = in_zone("a", "a1", DB), in_zone("a", "a2"), in_zone("b", "b1")
    assert refusals(pod(affinity=away(term("db"))), *nodes) == [[NOT_AWAY], [NOT_AWAY], []]


def test_a_pod_that_wants_to_be_alone_keeps_others_away():
    alone = labelled("db", "db", affinity=away(term("web")))
    nodes = in_zone("a", "a1", alone), in_zone("b", "b1")
    assert refusals(labelled("web", "web"), *nodes) == [[KEPT_AWAY], []]
    assert refusals(labelled("other", "other"), *nodes) == [[], []]


def test_the_first_of_a_group_that_wants_to_be_together_may_go_anywhere():
    together = labelled("one", "web", affinity=near(term("web")))
    assert refusals(together, in_zone("a", "a1"), node("no-zone")) == [[], [NOT_NEAR]]
    later = labelled("two", "web", affinity=near(term("web")))
    assert refusals(later, in_zone("a", "a1", together), in_zone("b", "b1")) == [[], [NOT_NEAR]]


def test_who_waits_for_others_that_are_not_there_goes_nowhere():
    assert refusals(labelled("web", "web", affinity=near(term("db"))), in_zone("a", "a1")) == [[NOT_NEAR]]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [NOT_NEAR]),
        ({"namespaces": ["shop"]}, []),
        ({"namespaceSelector": {}}, []),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, []),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, [NOT_NEAR]),
    ],
)
def test_only_pods_of_its_own_namespace_are_meant_unless_it_says_otherwise(more, expected):
    elsewhere = labelled("db", "db")
    elsewhere.pod = elsewhere.pod.model_copy(
        update={"metadata": elsewhere.pod.metadata.model_copy(update={"namespace": "shop"})}
    )
    found = refusals(
        pod(affinity=near(term("db", **more))), in_zone("a", "a1", elsewhere), namespaces={"shop": {"team": "a"}}
    )
    assert found == [expected]


def test_fewer_pods_bring_nobody_nearer_but_may_let_one_stay_away():
    nodes = (in_zone("a", "a1", DB),)
    assert filter_nodes(PLUGINS, State.of(nodes), pod(affinity=near(term("x"))), nodes).hopeless == {"a1"}
    assert not filter_nodes(PLUGINS, State.of(nodes), pod(affinity=away(term("db"))), nodes).hopeless


def scores(a_pod, *nodes):
    return score_nodes([InterPodAffinity()], State.of(nodes), a_pod, nodes)["InterPodAffinity"]


def test_a_preference_counts_for_the_nodes_that_meet_it():
    wish = {"podAffinity": {PREFERRED: [{"weight": 10, "podAffinityTerm": term("db")}]}}
    assert scores(pod(affinity=wish), in_zone("a", "a1", DB), in_zone("b", "b1")) == [200, 0]


def test_a_preference_to_be_away_counts_against_them():
    wish = {"podAntiAffinity": {PREFERRED: [{"weight": 10, "podAffinityTerm": term("db")}]}}
    assert scores(pod(affinity=wish), in_zone("a", "a1", DB), in_zone("b", "b1")) == [0, 200]


def test_who_needs_the_newcomer_near_speaks_for_it():
    needy = labelled("web", "web", affinity=near(term("db")))
    assert scores(DB, in_zone("a", "a1", needy), in_zone("b", "b1")) == [200, 0]


apps = st.sampled_from(["web", "db", "cache"])
crowds = st.lists(st.lists(apps, max_size=3), min_size=1, max_size=4)


@given(crowds, apps, st.sampled_from(["a", "b"]))
def test_a_node_is_refused_exactly_if_a_pod_in_its_zone_is_one_to_stay_away_from(crowd, app, zone):
    zones = [("a", "b")[at % 2] for at in range(len(crowd))]
    nodes = [
        in_zone(zones[at], f"n{at}", *(labelled(f"{at}-{n}", each) for n, each in enumerate(there)))
        for at, there in enumerate(crowd)
    ]
    full = {zones[at] for at, there in enumerate(crowd) if app in there}
    found = refusals(pod(affinity=away(term(app))), *nodes)
    assert found == [[NOT_AWAY] if each in full else [] for each in zones]
