"""The judge of "As many as there should be": a learner's `manage_replicas` in real clusters."""

from __future__ import annotations

import pytest

from k8slab.apimachinery.errors import ApiError
from k8slab.lab.checks import manage_replicas as check
from k8slab.mistake import Mistake

MAKES, DELETES, ALONE = (name for name, _, _ in check.CRITERIA[:3])
TWICE, DELETES_TWICE, FAILURES = (name for name, _, _ in check.CRITERIA[3:])


def solution(key, wanted, pods, expectations, api):
    if not expectations.satisfied(key):
        return
    missing = wanted - len(pods)
    if missing > 0:
        expectations.expect_creations(key, missing)
        for number in range(missing):
            try:
                api.create_pod()
            except ApiError:
                for _ in range(missing - number):
                    expectations.creation_observed(key)
                raise
    elif missing < 0:
        expectations.expect_deletions(key, [pod.uid for pod in pods[:-missing]])
        for number, pod in enumerate(pods[:-missing]):
            try:
                api.delete_pod(pod)
            except ApiError:
                for left in pods[number:-missing]:
                    expectations.deletion_observed(key, left.uid)
                raise


def naive(key, wanted, pods, expectations, api):
    for _ in range(wanted - len(pods)):
        api.create_pod()
    for pod in pods[wanted:]:
        api.delete_pod(pod)


def expects_only_creations(key, wanted, pods, expectations, api):
    if len(pods) <= wanted:
        solution(key, wanted, pods, expectations, api)
    elif expectations.satisfied(key):
        naive(key, wanted, pods, expectations, api)


def expects_what_was_refused(key, wanted, pods, expectations, api):
    if not expectations.satisfied(key):
        return
    if len(pods) > wanted:
        solution(key, wanted, pods, expectations, api)
    missing = wanted - len(pods)
    if missing > 0:
        expectations.expect_creations(key, missing)
        for _ in range(missing):
            api.create_pod()


def expects_deletions_that_were_refused(key, wanted, pods, expectations, api):
    if len(pods) <= wanted:
        solution(key, wanted, pods, expectations, api)
    elif expectations.satisfied(key):
        expectations.expect_deletions(key, [pod.uid for pod in pods[wanted:]])
        for pod in pods[wanted:]:
            api.delete_pod(pod)


def only_makes(key, wanted, pods, expectations, api):
    if len(pods) < wanted:
        solution(key, wanted, pods, expectations, api)


def one_too_many(key, wanted, pods, expectations, api):
    solution(key, wanted + 1, pods, expectations, api)


def restless(key, wanted, pods, expectations, api):
    solution(key, wanted, pods, expectations, api)
    if len(pods) == wanted and wanted == 2:
        api.delete_pod(pods[0])


def failed(result):
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    result = check.check_manage_replicas(solution)
    assert (result.points, result.of) == (7, 7), str(result)


@pytest.mark.parametrize("starter", [None, ..., lambda *given: None])
def test_the_starter_gets_none(starter):
    assert check.check_manage_replicas(starter).points == 0


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (naive, TWICE, "Pods were made for 5 replicas. The cache did not know yet of those that were made already"),
        (expects_only_creations, DELETES_TWICE, "scaled from 6 to 3, and"),
        (expects_what_was_refused, FAILURES, "What was refused will never be seen"),
        (expects_deletions_that_were_refused, FAILURES, "refused will never be seen to go"),
        (only_makes, DELETES, "scaled from 4 to 1: there should be 1 Pods, and there are 4"),
        (one_too_many, MAKES, "there should be 3 Pods, and there are 4"),
        (restless, ALONE, "Pods are made and deleted without end"),
        (lambda *given: 1 / 0, MAKES, "your code raised ZeroDivisionError"),
        (lambda: None, MAKES, "your code raised TypeError"),
    ],
)
def test_a_wrong_answer_fails_the_criterion_meant_for_it(wrong, criterion, message):
    assert message in failed(check.check_manage_replicas(wrong))[criterion]


@pytest.mark.parametrize(
    ("wrong", "criteria"),
    [
        (expects_only_creations, {DELETES_TWICE}),
        (expects_what_was_refused, {FAILURES}),
        (expects_deletions_that_were_refused, {FAILURES}),
    ],
)
def test_and_no_other(wrong, criteria):
    assert set(failed(check.check_manage_replicas(wrong))) == criteria


def test_practice_tells_what_went_wrong_in_a_sentence():
    with pytest.raises(Mistake, match="your code raised ZeroDivisionError"):
        check.practice(lambda *given: 1 / 0)


def test_practice_shows_a_cluster():
    with check.practice(solution, 2, slow=3) as cluster:
        assert str(cluster.kubectl("get replicaset web -o jsonpath={.status.replicas}")) == "2"


def test_there_are_three_hints():
    assert len(check.MANAGE.hints) == 3
