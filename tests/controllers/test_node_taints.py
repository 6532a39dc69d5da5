from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Node
from k8slab.controllers.node_taints import BY_CONDITION, NOT_READY, UNREACHABLE, wanted_taints


def node(*conditions, taints=(), **spec):
    said = [{"type": type_, "status": status} for type_, status in conditions]
    there = [{"key": key, "effect": effect} for key, effect in taints]
    return Node.of({"metadata": {"name": "n"}, "spec": {**spec, "taints": there}, "status": {"conditions": said}})


def wanted(node, evicting=None):
    return [(taint.key, taint.effect) for taint in wanted_taints(node, evicting, 0.0)]


@pytest.mark.parametrize(("condition", "key"), BY_CONDITION.items())
def test_every_condition_has_its_taint(condition, key):
    assert wanted(node(condition)) == [(key, "NoSchedule")]


def test_a_healthy_node_has_none():
    assert wanted(node(("Ready", "True"), ("DiskPressure", "False")), evicting=False) == []


def test_evicting_adds_the_one_that_fits():
    assert (UNREACHABLE, "NoExecute") in wanted(node(("Ready", "Unknown")), evicting=True)
    assert (NOT_READY, "NoExecute") in wanted(node(("Ready", "False")), evicting=True)


def test_one_that_does_not_fit_any_more_is_swapped():
    silent = node(("Ready", "Unknown"), taints=[(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")])
    assert wanted(silent, evicting=True) == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]


def test_what_is_not_decided_stays():
    silent = node(("Ready", "Unknown"), taints=[(UNREACHABLE, "NoExecute")])
    assert (UNREACHABLE, "NoExecute") in wanted(silent)
    assert (UNREACHABLE, "NoExecute") not in wanted(silent, evicting=False)


def test_an_administrators_no_execute_taint_stays():
    out = ("node.kubernetes.io/out-of-service", "NoExecute")
    assert wanted(node(("Ready", "True"), taints=[out]), evicting=False) == [out]


def test_new_ones_say_since_when():
    assert wanted_taints(node(unschedulable=True), None, 0.0)[0].time_added == "1970-01-01T00:00:00Z"


conditions = st.lists(st.sampled_from([*BY_CONDITION, ("Ready", "True")]), unique_by=lambda pair: pair[0])


@given(conditions, st.booleans(), st.sampled_from([None, True, False]))
def test_a_node_that_has_what_it_should_have_is_left_alone(said, cordoned, evicting):
    first = node(*said, unschedulable=cordoned)
    taints = wanted(first, evicting)
    assert wanted(node(*said, taints=taints, unschedulable=cordoned), evicting) == taints
