"""The judge of "Who leads?": what it counts is the same for every seed, and each wrong idea has its answer."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import who_leads as check

RIGHT = dict(zip(check.CASES, (0, 0, 1, 1, 0, 2, 2), strict=True))
CRASH, RESTART, STOP, AHEAD, CUT, STILL, FAST = check.CASES
REASONS = dict(zip(check.QUESTIONS, "cb", strict=True))
KNOWS, SLEEPER = check.QUESTIONS


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_prediction(RIGHT).points == 7
    assert check.check_reasons(REASONS).points == 2


def test_the_starter_gets_none():
    assert check.check_prediction(dict.fromkeys(RIGHT)).points == 0
    assert check.check_reasons(dict.fromkeys(REASONS)).points == 0
    assert check.check_prediction(...).points == check.check_reasons(None).points == 0


@pytest.mark.parametrize("name", check.CASES)
def test_the_number_is_the_same_for_every_seed(name):
    assert {check._lived(name, seed) for seed in range(1, 16)} == {RIGHT[name]}


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        (CRASH, 1, "nobody is told that it has crashed"),
        (RESTART, 1, "it is another process now"),
        (STOP, 0, "gives the lease back"),
        (AHEAD, 2, "it is never compared with it"),
        (AHEAD, 0, "nothing is wrong with it"),
        (CUT, 1, "has given up by its own clock"),
        (CUT, 2, "That gap is made on purpose"),
        (STILL, 1, "It cannot look at its clock"),
        (STILL, 0, "one of them takes it"),
        (FAST, 1, "are over in one and a half"),
        (FAST, 0, "has not given up yet"),
        (FAST, 3, "none, one or two"),
        (CRASH, "none", "should be a number, but it is str: 'none'"),
        (CRASH, True, "should be a number, but it is bool: True"),
        (CRASH, None, "has no answer yet"),
    ],
)
def test_a_wrong_number_fails_its_own_criterion_only(name, said, message):
    found = failed(check.check_prediction(RIGHT | {name: said}))
    assert list(found) == [name]
    assert message in found[name]


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        (KNOWS, "a", "In etcd there is no lease behind it"),
        (KNOWS, "b", "a clock that is wrong by a minute"),
        (KNOWS, "d", "no component calls another"),
        (SLEEPER, "a", "that would be fencing"),
        (SLEEPER, "C ", "no component asks before each write"),
        (SLEEPER, "d", "it is level-triggered"),
        (SLEEPER, "e", "should be one of a, b, c, d, but it is str: 'e'"),
    ],
)
def test_a_wrong_reason_fails_its_own_criterion_only(name, said, message):
    found = failed(check.check_reasons(REASONS | {name: said}))
    assert list(found) == [name]
    assert message in found[name]


def test_there_are_three_hints_for_each_part_and_the_questions_can_be_read(capsys):
    assert len(check.PREDICTION.hints) == len(check.REASONS.hints) == 3
    check.show_questions()
    assert "How does a candidate know" in capsys.readouterr().out
