from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Pod
from k8slab.clock import EPOCH, to_rfc3339
from k8slab.controllers.pod_ranking import DELETION_COST, rank_for_deletion

NOW = EPOCH + 100_000


def make(name, node="node-1", phase="Running", ready=True, cost="", ready_for=1000, restarts=0, age=2000):
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": to_rfc3339(NOW - ready_for)}
    meta = {"name": name, "uid": name, "creationTimestamp": to_rfc3339(NOW - age)}
    if cost:
        meta["annotations"] = {DELETION_COST: cost}
    status = {"phase": phase, "conditions": [condition], "containerStatuses": [{"name": "c", "restartCount": restarts}]}
    return Pod.of({"metadata": meta, "spec": {"nodeName": node}, "status": status})


def order(*pods, related=None):
    return [pod.name for pod in rank_for_deletion(pods, pods if related is None else related, NOW)]


@pytest.mark.parametrize(
    ("goes", "stays"),
    [
        ({"node": ""}, {}),
        ({"phase": "Pending"}, {"phase": "Unknown"}),
        ({"phase": "Unknown"}, {}),
        ({"ready": False}, {}),
        ({"cost": "-5"}, {}),
        ({}, {"cost": "5"}),
        ({"ready_for": 10}, {"ready_for": 1000}),
        ({"restarts": 3}, {"restarts": 1}),
        ({"age": 10}, {"age": 1000}),
    ],
)
def test_the_one_that_does_less_harm_goes_first(goes, stays):
    assert order(make("stays", **stays), make("goes", **goes)) == ["goes", "stays"]


def test_the_one_on_the_fuller_node_goes_first():
    crowd = [make("other", node="full"), make("a", node="full"), make("b", node="free")]
    assert order(*crowd[1:], related=crowd) == ["a", "b"]


def test_the_first_difference_decides():
    assert order(make("ready", cost="-100"), make("unready", ready=False, cost="100")) == ["unready", "ready"]


def test_ages_that_are_nearly_equal_are_equal():
    assert order(make("b", age=1030), make("a", age=1900)) == ["a", "b"]


def test_a_cost_that_is_no_number_counts_as_none():
    assert order(make("a", cost="cheap"), make("b", cost="-1")) == ["b", "a"]


pods = st.lists(
    st.builds(
        make,
        st.text("abcdefgh", min_size=6, max_size=6),
        node=st.sampled_from(["", "node-1", "node-2"]),
        phase=st.sampled_from(["Pending", "Running"]),
        ready=st.booleans(),
        restarts=st.integers(0, 2),
    ),
    max_size=6,
    unique_by=lambda pod: pod.name,
)


@given(pods, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_asking(pods, random):
    shuffled = random.sample(pods, len(pods))
    assert order(*shuffled) == order(*pods)
