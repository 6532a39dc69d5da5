"""The judge of "A range for every node": a learner's function in a real cluster's controller."""

from __future__ import annotations

import pytest

from k8slab.controllers.cidr_set import next_free
from k8slab.lab.checks import pod_cidr as check

OWN, TURN = "every node has a range of its own", "what is given back waits for its turn"
ROUND, LEFT = "the search goes round", "nothing is left"
PARTS, OTHER = "parts of /24", "parts of other sizes"


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def right(cluster_cidr, mask, number):
    return check._right((cluster_cidr, mask, number))


def test_the_solution_gets_all_points():
    assert check.check_cidr(right).points == 2
    assert check.check_allocation(next_free).points == 4


@pytest.mark.parametrize("starter", [None, ..., lambda *arguments: None])
def test_the_starter_gets_none(starter):
    assert check.check_cidr(starter).points == 0
    assert check.check_allocation(starter).points == 0


def always_24(cluster_cidr, mask, number):
    first = cluster_cidr.split("/")[0].split(".")
    return f"{first[0]}.{first[1]}.{number}.0/24"


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        (
            always_24,
            [PARTS, OTHER],
            "cidr_of('172.16.0.0/12', 24, 300) is '172.17.44.0/24', and you said '172.16.300.0/24'",
        ),
        (lambda *a: right(*a).split("/")[0], [PARTS, OTHER], "A range is an address, a slash, and how many bits"),
        (lambda *a: right(*a).split("/")[0] + "/16", [PARTS, OTHER], "The address is right; behind the slash"),
        (lambda c, mask, n: right(c, 24, n), [OTHER], "A part of /26 has 2 ** (32 - 26) = 64 addresses"),
        (lambda *a: 7, [PARTS, OTHER], "should return a text, but what it returned is int: 7"),
        (lambda c: c, [PARTS, OTHER], "your code raised TypeError"),
    ],
)
def test_a_wrong_range_fails_the_criteria_meant_for_it(wrong, criteria, message):
    found = failed(check.check_cidr(wrong))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def lowest(taken, count, start):
    return next((number for number in range(count) if number not in taken), None)


def not_round(taken, count, start):
    return next((number for number in range(start, count) if number not in taken), None)


def never_none(taken, count, start):
    found = next_free(taken, count, start)
    return start if found is None else found


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (lowest, TURN, "got 10.244.0.0/24, which had just been given back. Others come first"),
        (not_round, ROUND, "part 0 is free, and c got none. Behind the last number comes 0"),
        (never_none, LEFT, "there are 4 ranges, and five nodes have one"),
        (lambda taken, count, start: start % 2, OWN, "have the same range"),
        (lambda taken, count, start: None, OWN, "has no range, though there are many left"),
        (
            lambda taken, count, start: "0",
            OWN,
            "should return a number, or None; next_free(set(), 256, 0) returned str: '0'",
        ),
        (lambda taken, count, start: True, OWN, "should return a number, or None"),
        (lambda taken, count, start: len(taken) + count, OWN, "the parts have the numbers 0 to 255"),
        (lambda taken, count, start: taken.pop(), OWN, "your code raised KeyError"),
        (lambda taken: 0, OWN, "your code raised TypeError"),
    ],
)
def test_a_wrong_number_fails_the_criterion_meant_for_it(wrong, criterion, message):
    found = failed(check.check_allocation(wrong))
    assert list(found) == [criterion]
    assert message in found[criterion]


def test_the_learner_can_try():
    with check.practice(next_free) as cluster:
        assert cluster.kubectl("get nodes --no-headers").stdout.count(" Ready ") == 3


def test_there_are_three_hints_for_each_part():
    assert len(check.CIDR.hints) == len(check.ALLOCATION.hints) == 3
