from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.apps import StatefulSet
from k8slab.api.core import Pod
from k8slab.controllers.ordinals import CREATE, DELETE, UPDATE, Plan, next_steps, ordinal_of, unavailable_of

READY, COMING, GOING, FAILED, ABSENT = "ready", "coming", "going", "failed", "absent"


def member(ordinal, state, version="new"):
    meta = {"name": f"web-{ordinal}", "labels": {"version": version}}
    if state == GOING:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return Pod.of({"metadata": meta, "status": {"phase": "Failed" if state == FAILED else "Running", "reason": state}})


def plan(count=3, ordered=True, update_from=0, unavailable=1):
    return Plan(
        ordinals=range(count),
        ordered=ordered,
        available=lambda pod: pod.status.reason == READY,
        outdated=lambda pod: pod.metadata.labels["version"] == "old",
        update_from=update_from,
        unavailable=unavailable,
    )


def steps(plan, *states, version="new"):
    """The steps for Pods in these states, from ordinal 0 on."""
    pods = {n: member(n, state, version) for n, state in enumerate(states) if state != ABSENT}
    return [(step.verb, step.ordinal) for step in next_steps(plan, pods)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), [(CREATE, 0)]),
        ((COMING,), []),
        ((READY,), [(CREATE, 1)]),
        ((READY, GOING), []),
        ((READY, FAILED, READY), [(DELETE, 1)]),
        ((READY, ABSENT, READY), [(CREATE, 1)]),
        ((READY, READY, READY), []),
        ((READY, READY, READY, READY, READY), [(DELETE, 4)]),
        ((READY, READY, READY, READY, GOING), []),
        ((READY, READY, READY, COMING, READY), [(DELETE, 4)]),
        ((READY, READY, READY, COMING, COMING), []),
        ((READY, READY, READY, COMING), [(DELETE, 3)]),
        ((COMING, READY, READY, READY), []),
    ],
)
def test_an_ordered_set_takes_one_step_at_a_time(states, expected):
    assert steps(plan(), *states) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), [(CREATE, 0), (CREATE, 1), (CREATE, 2)]),
        ((COMING, FAILED, ABSENT), [(DELETE, 1), (CREATE, 2)]),
        ((COMING, READY, READY, READY, GOING, COMING), [(DELETE, 5), (DELETE, 3)]),
    ],
)
def test_a_parallel_set_waits_for_nobody(states, expected):
    assert steps(plan(ordered=False), *states) == expected


def test_an_update_goes_from_the_last_to_the_first():
    assert steps(plan(), READY, READY, READY, version="old") == [(UPDATE, 2)]


def test_an_update_stops_at_the_partition():
    assert steps(plan(update_from=2), READY, READY, READY, version="old") == [(UPDATE, 2)]
    assert steps(plan(update_from=3), READY, READY, READY, version="old") == []


def test_an_update_on_delete_leaves_the_pods_alone():
    assert steps(plan(update_from=None), READY, READY, READY, version="old") == []


def test_an_update_waits_for_the_pod_that_it_took_away_last():
    assert steps(plan(ordered=False), READY, READY, GOING, version="old") == []


def test_an_update_may_take_more_pods_away_at_a_time():
    assert steps(plan(unavailable=2), READY, READY, READY, version="old") == [(UPDATE, 2), (UPDATE, 1)]


STATES = st.lists(st.sampled_from([READY, COMING, GOING, FAILED, ABSENT]), max_size=6)


@given(STATES, st.integers(0, 5), st.sampled_from(["old", "new"]))
def test_no_ordered_step_takes_a_second_pod_away(states, count, version):
    found = steps(plan(count), *states, version=version)
    assert len(found) <= 1
    if any(state in (COMING, GOING) for state in states[:count]):
        assert not any(verb == UPDATE for verb, _ in found)


@given(STATES, st.integers(0, 5), st.booleans())
def test_when_all_is_well_there_is_nothing_to_do_and_else_there_is(states, count, ordered):
    at_rest = states == [READY] * count
    waiting = any(state in (COMING, GOING) for state in states)
    assert bool(steps(plan(count, ordered), *states)) == (not at_rest) or waiting or set(states[count:]) <= {ABSENT}


@pytest.mark.parametrize(
    ("name", "ordinal"),
    [("web-0", 0), ("web-12", 12), ("web", None), ("web-x", None), ("other-1", None), ("web-1-2", None)],
)
def test_the_number_is_in_the_name(name, ordinal):
    assert ordinal_of(name, "web") == ordinal


@pytest.mark.parametrize(("value", "expected"), [(None, 1), (3, 3), ("50%", 2), ("1%", 1)])
def test_how_many_may_be_away(value, expected):
    rolling = {} if value is None else {"maxUnavailable": value}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert unavailable_of(StatefulSet.of({"spec": {"replicas": 3, "updateStrategy": strategy}})) == expected
