"""The judge of "Which Pod goes first?"."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import deletion_order as check

NODE, READY, COST, SPREAD, AGE = check.PAIRS
CLUSTER = "in a cluster"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def reasons(pod):
    return (
        bool(pod.node), PHASES[pod.phase], pod.ready, pod.cost, -pod.siblings, pod.ready_for, -pod.restarts, pod.age
    )  # fmt: skip


def by(*parts):
    """An order by these of the reasons, in this order."""
    return lambda pods: sorted(pods, key=lambda pod: [reasons(pod)[part] for part in parts])


def failed(result):
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    result = check.check_deletion_order(by(*range(8)))
    assert (result.points, result.of) == (6, 6), str(result)


@pytest.mark.parametrize("starter", [None, ..., lambda pods: None])
def test_the_starter_gets_none(starter):
    assert check.check_deletion_order(starter).points == 0


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        (by(1, 2, 3, 4, 5, 6, 7), [NODE], "'homeless' has to go before 'pending': node is '' against 'node-1'"),
        (by(0, 1, 3, 2, 4, 5, 6, 7), [COST], "'unready but dear' has to go before 'ready'"),
        (by(0, 1, 2, 4, 5, 6, 7), [COST, SPREAD], "'cheap' has to go before 'ready': cost is -5 against 0"),
        (by(0, 1, 2, 4, 3, 5, 6, 7), [SPREAD], "'ready' has to go before 'one of three but dear'"),
        (by(0, 1, 2, 3, 5, 6, 7), [SPREAD], "'one of three' has to go before 'ready': siblings is 3 against 1"),
        (by(0, 1, 2, 3, 4, 7, 6, 5), [AGE], "'ready since a minute' has to go before 'restarts'"),
    ],
)
def test_a_wrong_order_fails_the_criteria_meant_for_it(wrong, criteria, message):
    found = failed(check.check_deletion_order(wrong))
    assert [name for name in found if name != CLUSTER] == criteria
    assert message in found[criteria[0]]


def test_the_oldest_first_is_the_wrong_way_round():
    assert check.check_deletion_order(lambda pods: by(*range(8))(pods)[::-1]).points == 0


def right_but_for_broken_ones_in_a_real_cluster(pods):
    """By the pairs it looks right: it has learnt their names."""
    known = {each.name for pairs in check.PAIRS.values() for pair in pairs for each in pair}
    return by(*range(8))(pods) if {pod.name for pod in pods} <= known else sorted(pods, key=lambda pod: -pod.age)


def test_in_a_cluster_it_is_seen_what_the_order_is_for():
    found = failed(check.check_deletion_order(right_but_for_broken_ones_in_a_real_cluster))
    assert list(found) == [CLUSTER]
    assert "its image cannot be pulled, so it should go first" in found[CLUSTER]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda pods: 1 / 0, "your code raised ZeroDivisionError"),
        (lambda pods: pods[:1], "return the same Pods, each once"),
        (lambda pods: "web", "should return a list of the Pods, but what it returned is str"),
    ],
)
def test_what_is_no_order_is_told_in_a_sentence(wrong, message):
    assert message in failed(check.check_deletion_order(wrong))[NODE]


def test_there_are_three_hints():
    assert len(check.ORDER.hints) == 3
