"""The judge of "Evicted, and when?": its truths are measured, and do not depend on the seed."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import evicted_when as check

ROWS = {
    "one of three": (50, 355, True),
    "for two minutes": (50, "never", False),
    "all three": (50, "never", False),
    "three of five": (50, "never", False),
    "an impatient Pod": (50, 85, True),
    "a Pod of nobody": (50, 355, False),
}


def prediction(**wrong):
    rows = ROWS | {case.replace("_", " "): row for case, row in wrong.items()}
    return {case: dict(zip(check.FIELDS, row, strict=True)) for case, row in rows.items()}


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_prediction(prediction()).points == 6


def test_the_starter_gets_none():
    empty = {case: dict.fromkeys(check.FIELDS) for case in ROWS}
    assert check.check_prediction(empty).points == 0
    assert check.check_prediction(...).points == 0


@pytest.mark.parametrize("seed", range(1, 9))
def test_it_is_the_same_for_every_seed(seed, monkeypatch):
    monkeypatch.setattr(check, "SEED", seed)
    monkeypatch.setattr(check, "_lived", check._lived.__wrapped__)
    assert check.check_prediction(prediction()).points == 6


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        ({"one_of_three": (40, 355, True)}, ["one of three"], "you said NotReady after 40 s, and it was after"),
        (
            {"one_of_three": (50, 300, True)},
            ["one of three"],
            "the five minutes that every Pod tolerates begin only there",
        ),
        ({"for_two_minutes": (50, 355, True)}, ["for two minutes"], "the deletion is called off"),
        (
            {"for_two_minutes": ("never", "never", False)},
            ["for two minutes"],
            "you said NotReady never, and it was after",
        ),
        (
            {"all_three": (50, 355, False)},
            ["all three"],
            "the fault is likely the controller's own: nothing is evicted",
        ),
        ({"three_of_five": (50, 355, True)}, ["three of five"], "at least 55 % of a small zone: eviction stops"),
        (
            {"an_impatient_Pod": (50, 30, True)},
            ["an impatient Pod"],
            "The Pod's own 30 s begin with the NoExecute taint",
        ),
        ({"an_impatient_Pod": (50, 85, False)}, ["an impatient Pod"], "you said new Pod False, and there was one"),
        ({"a_Pod_of_nobody": (50, 355, True)}, ["a Pod of nobody"], "and nobody makes a new one"),
        ({"a_Pod_of_nobody": ("never", "never", False)}, ["a Pod of nobody"], "whether the machine runs or not"),
        ({"one_of_three": ("50s", 355, True)}, ["one of three"], "should be a number of seconds, or 'never'"),
        ({"one_of_three": (50, 355, "yes")}, ["one of three"], "should be True or False, but it is str: 'yes'"),
        ({"one_of_three": (True, 355, True)}, ["one of three"], "but it is bool: True"),
    ],
)
def test_a_wrong_row_fails_the_criterion_meant_for_it(wrong, criteria, message):
    found = failed(check.check_prediction(prediction(**wrong)))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def test_a_row_that_is_no_row_is_told():
    assert "should have NotReady, deleted, new Pod" in failed(check.check_prediction({}))["all three"]


def test_a_case_can_be_tried():
    with check.cluster_of("three of five") as cluster:
        assert len(cluster.nodes) == 5
    with pytest.raises(ValueError, match="there is no case 'two'; there are: one of three"):
        check.cluster_of("two")


def test_there_are_three_hints():
    assert len(check.PREDICTION.hints) == 3
