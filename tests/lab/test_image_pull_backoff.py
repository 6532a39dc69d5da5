"""The judge of the first exercise: the solution passes, and each known wrong answer fails where it should."""

from __future__ import annotations

import asyncio
import sys

import pytest

from k8slab.lab.checks import Fault
from k8slab.lab.checks import image_pull_backoff as check

RIGHT = {
    "status after 2 seconds": "ErrImagePull",
    "status after 2 minutes": "ImagePullBackOff",
    "attempts in 2 minutes": 4,
}
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"


def set_image(cluster) -> None:
    cluster.kubectl(f"set image deployment/shop agnhosst={IMAGE}")


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_prediction(RIGHT).points == 3
    assert check.check_repair(set_image).points == 3


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        ({"status after 2 seconds": "ImagePullBackOff"}, "status after 2 seconds", "has only just tried"),
        ({"status after 2 minutes": "ErrImagePull"}, "status after 2 minutes", "what is the kubelet doing then"),
        ({"attempts in 2 minutes": 12}, "attempts in 2 minutes", "the wait grows after each failure"),
        ({"attempts in 2 minutes": 2}, "attempts in 2 minutes", "2 is too few"),
        ({"attempts in 2 minutes": "four"}, "attempts in 2 minutes", "should be of type int, but it is str: 'four'"),
        ({"attempts in 2 minutes": None}, "attempts in 2 minutes", "has no answer yet"),
    ],
)
def test_a_wrong_prediction_fails_its_own_criterion_only(wrong, criterion, message):
    found = failed(check.check_prediction(RIGHT | wrong))
    assert list(found) == [criterion]
    assert message in found[criterion]


def deleted_and_made_anew(cluster) -> None:
    cluster.kubectl("delete deployment shop")
    cluster.kubectl(f"create deployment shop --image={IMAGE} --replicas=2 -- /agnhost netexec --http-port=8080")


def without_a_way_back(cluster) -> None:
    set_image(cluster)
    cluster.run_for("20s")
    for line in cluster.kubectl("get rs -o name").stdout.split():
        if cluster.kubectl(f"get {line} -o jsonpath={{.spec.replicas}}").stdout == "0":
            cluster.kubectl(f"delete {line}")


def pods_of_somebody_else(cluster) -> None:
    for name in ("fake-a", "fake-b"):
        cluster.kubectl(f"run {name} --image=nginx --labels=app=shop")


def an_empty_fault(cluster) -> None:
    raise Fault("")


def cancelled(cluster) -> None:
    raise asyncio.CancelledError


class Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError


def speechless(cluster) -> None:
    raise Speechless


@pytest.mark.parametrize(
    ("repair", "criterion", "message"),
    [
        (lambda cluster: None, "two Pods are ready", "0 of 2 Pods are ready"),
        (lambda cluster: cluster.nothing(), "two Pods are ready", "your code raised AttributeError"),
        (lambda cluster: sys.exit(1), "two Pods are ready", "your code raised SystemExit"),
        (pods_of_somebody_else, "two Pods are ready", "0 of 2 Pods are ready"),
        (an_empty_fault, "two Pods are ready", "this is not right yet"),
        (cancelled, "two Pods are ready", "your code raised CancelledError"),
        (speechless, "two Pods are ready", "your code raised Speechless"),
        (None, "two Pods are ready", "should be a function, but it is still empty"),
        (deleted_and_made_anew, "the Deployment is the same one", "deleted and made anew"),
        (without_a_way_back, "there is a way back", "only one ReplicaSet"),
    ],
)
def test_a_wrong_repair_fails_the_criterion_meant_for_it(repair, criterion, message):
    result = check.check_repair(repair)
    found = failed(result)
    assert list(found) == [criterion]
    assert message in found[criterion]


def test_there_are_three_hints_for_each_part():
    for part in (check.PREDICTION, check.REPAIR):
        assert [bool(part.hint(number)) for number in (1, 2, 3)] == [True] * 3
        with pytest.raises(ValueError, match="there are hints 1 to 3"):
            part.hint(4)


def test_a_result_shows_as_text_and_as_a_table():
    result = check.check_prediction({})
    assert "0 of 3 points" in str(result)
    assert "<table>" in result._repr_html_()
