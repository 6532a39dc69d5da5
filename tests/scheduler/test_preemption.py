from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.labels import from_label_selector
from k8slab.scheduler.framework import State, filter_nodes, fits
from k8slab.scheduler.node_info import Resident
from k8slab.scheduler.plugins import PLUGINS
from k8slab.scheduler.preemption import (
    NO_VICTIMS,
    PREFIX,
    Budget,
    Candidate,
    candidate_on,
    find_room,
    pick_one,
)
from tests.scheduler.objects import node, pod

URGENT = pod("urgent", cpu="2", priority=100)


def on(a_node, a_pod=URGENT, budgets=()):
    return candidate_on(PLUGINS, State.of([a_node]), a_pod, a_node, budgets)


def names(found):
    return [victim.name for victim in found.victims]


def protecting(app, allowed=0):
    return Budget("default", from_label_selector({"matchLabels": {"app": app}}), allowed)


def test_only_the_less_important_are_pushed_aside():
    assert on(node(pods=[pod("same", cpu="4", priority=100)])) == (NO_VICTIMS,)
    assert names(on(node(pods=[pod("less", cpu="4", priority=99)]))) == ["less"]


def test_no_more_than_must_be_and_the_least_important():
    crowd = [pod(name, cpu="1", priority=priority) for name, priority in (("a", 3), ("b", 1), ("c", 2), ("d", 4))]
    assert names(on(node(pods=crowd))) == ["c", "b"]


def test_where_it_would_not_help_the_reason_is_told():
    crowd = [pod("strong", cpu="3", priority=200), pod("weak", cpu="1", priority=0)]
    assert on(node(pods=crowd)) == ["Insufficient cpu"]


def test_those_that_a_budget_protects_stay_if_others_can_go():
    crowd = [pod("kept", cpu="2", labels={"app": "db"}), pod("other", cpu="2", priority=50)]
    assert names(on(node(pods=crowd), budgets=[protecting("db")])) == ["other"]


def test_if_they_cannot_the_budget_is_broken():
    found = on(node(pods=[pod("db", cpu="4", labels={"app": "db"})]), budgets=[protecting("db")])
    assert (names(found), found.violations) == (["db"], 1)


def test_a_budget_that_allows_one_protects_the_second():
    crowd = [pod(name, cpu="2", labels={"app": "db"}) for name in "ab"]
    found = on(node(pods=crowd), pod(cpu="4", priority=100), [protecting("db", 1)])
    assert (sorted(names(found)), found.violations) == (["a", "b"], 1)


def candidate(name, *priorities, violations=0, started=()):
    victims = [pod(f"{name}-{at}", priority=each) for at, each in enumerate(priorities)]
    times = [*started, *[""] * len(victims)]
    made = [replace(Resident.of(each.pod), started=when) for each, when in zip(victims, times, strict=False)]
    return Candidate(name, tuple(made), violations)


def test_it_hurts_least_where_no_budget_is_broken():
    assert pick_one([candidate("a", 1, violations=1), candidate("b", 9, 9)]).node == "b"


def test_then_where_the_most_important_victim_is_least_important():
    assert pick_one([candidate("a", 9), candidate("b", 8, 8, 8)]).node == "b"


def test_then_where_all_of_them_together_are():
    assert pick_one([candidate("a", 9, 8), candidate("b", 9, 7)]).node == "b"


def test_then_where_they_are_fewest():
    assert pick_one([candidate("a", 9, -(2**31)), candidate("b", 9)]).node == "b"


def test_then_where_they_have_been_for_the_shortest_time():
    old, new = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
    assert pick_one([candidate("a", 9, started=[old]), candidate("b", 9, started=[new])]).node == "b"


def room(a_pod, *nodes):
    state = State.of(nodes)
    return find_room(PLUGINS, state, a_pod, filter_nodes(PLUGINS, state, a_pod, nodes), [])


def test_the_reasons_are_told_node_by_node():
    taints = [{"key": "dedicated", "effect": "NoSchedule"}]
    nodes = node("a", taints=taints), node("b", pods=[pod("same", cpu="3", priority=100)])
    assert room(URGENT, *nodes) == (
        f"{PREFIX}0/2 nodes are available: 1 {NO_VICTIMS}, 1 Preemption is not helpful for scheduling."
    )


def test_who_must_not_preempt_does_not():
    meek = pod(cpu="2", priority=100, preemptionPolicy="Never")
    assert room(meek, node(pods=[pod("weak", cpu="4")])) == f"{PREFIX}not eligible due to preemptionPolicy=Never."


amounts = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), max_size=8)


@given(amounts, st.integers(1, 40), st.integers(0, 5))
def test_with_the_victims_gone_the_pod_fits_and_with_any_of_them_back_it_does_not(crowd, asked, priority):
    there = [pod(str(at), cpu=f"{cpu * 100}m", priority=each) for at, (cpu, each) in enumerate(crowd)]
    a_node, a_pod = node(pods=there), pod(cpu=f"{asked * 100}m", priority=priority)
    state = State.of([a_node])
    if fits(PLUGINS, state, a_pod, a_node):
        return
    found = candidate_on(PLUGINS, state, a_pod, a_node, [])
    if not isinstance(found, Candidate):
        return
    gone = {victim.uid for victim in found.victims}
    stay = [each for each in a_node.pods.values() if each.uid not in gone]
    assert all(victim.priority < priority for victim in found.victims)
    assert fits(PLUGINS, state, a_pod, a_node.with_pods(stay))
    for victim in found.victims:
        assert not fits(PLUGINS, state, a_pod, a_node.with_pods([*stay, victim]))
