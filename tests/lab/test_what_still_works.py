"""The judge of "What still works?": it plays what it judges, and has something to say to every error."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import what_still_works as check

RIGHT = {
    "deployment-controller": ["scaled"],
    "replicaset-controller": ["scaled", "replaced"],
    "kube-scheduler": ["gets-a-node"],
    "kubelets": ["restarted", "cleaned-up"],
    "garbage-collector-controller": ["cleaned-up"],
    "API server": ["scaled", "replaced", "gets-a-node", "cleaned-up"],
}
REASONS = {"back again": "lists", "cut off": "knows"}


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_prediction(RIGHT).points == 6
    assert check.check_reasons(REASONS).points == 2


def test_the_starter_gets_none():
    assert check.check_prediction(dict.fromkeys(RIGHT)).points == 0
    assert check.check_reasons(dict.fromkeys(REASONS)).points == 0
    assert check.check_prediction(...).points == check.check_reasons(...).points == 0


def test_nothing_and_everything_get_none():
    assert check.check_prediction({off: [] for off in RIGHT}).points == 0
    assert check.check_prediction({off: list(check.THINGS) for off in RIGHT}).points == 0


@pytest.mark.parametrize("seed", [3, 29])
def test_what_happens_is_the_same_for_every_seed(seed, monkeypatch):
    monkeypatch.setattr(check, "SEED", seed)
    played = {off: {code for code in check.THINGS if not check.happens.__wrapped__(off, code)} for off in check.OFF}
    assert played == {off: set(codes) for off, codes in RIGHT.items()}


def test_everything_happens_in_a_healthy_cluster(monkeypatch):
    monkeypatch.setattr(check, "switch_off", lambda cluster, off: None)
    assert all(check.happens.__wrapped__("nothing", code) for code in check.THINGS)


@pytest.mark.parametrize(
    ("off", "said", "message"),
    [
        (
            "deployment-controller",
            ["scaled", "replaced"],
            "the ReplicaSet is there already, and its own controller counts",
        ),
        ("deployment-controller", ["scaled", "cleaned-up"], "who follows the ownerReferences"),
        ("deployment-controller", [], "Somebody has to carry it over to the ReplicaSet"),
        ("replicaset-controller", ["replaced"], "who makes Pods of it"),
        ("replicaset-controller", ["replaced", "scaled", "restarted"], "a crashed container stays in its Pod"),
        ("kube-scheduler", ["gets-a-node", "scaled"], "They are Pending, which is another matter"),
        ("kube-scheduler", ["gets-a-node", "replaced"], "It is Pending, which is another matter"),
        ("kubelets", ["restarted", "cleaned-up", "runs-on"], "containers are processes of the machine"),
        ("kubelets", ["restarted", "cleaned-up", "replaced"], "does not count a Pod that is being deleted"),
        ("kubelets", ["restarted"], "stays Terminating until the kubelet there says"),
        ("garbage-collector-controller", [], "To take them away is the garbage collector's work"),
        (
            "garbage-collector-controller",
            ["cleaned-up", "runs-on"],
            "has the garbage-collector-controller a part in this",
        ),
        ("API server", [*RIGHT["API server"], "restarted"], "It needs nobody's leave to start one again"),
        ("API server", [*RIGHT["API server"], "get-answers"], "only the components' lines are cut"),
        ("API server", ["replaced", "scaled", "cleaned-up"], "who does this, and what does that one need?"),
        ("kube-scheduler", ["gets-a-node", "get-answers"], "which answers from its store"),
        ("kube-scheduler", ["gets a node"], "there is no 'gets a node'; there are runs-on, restarted"),
        ("kube-scheduler", "gets-a-node", "should be a list of codes, but it is str"),
        ("kube-scheduler", 4, "should be a list of codes, but it is int: 4"),
        ("kube-scheduler", [["gets-a-node"]], "there is no ['gets-a-node']"),
        ("kube-scheduler", None, "has no answer yet"),
    ],
)
def test_a_wrong_row_fails_its_own_criterion_only(off, said, message):
    found = failed(check.check_prediction(RIGHT | {off: said}))
    assert list(found) == [check.OFF[off]]
    assert message in found[check.OFF[off]]


@pytest.mark.parametrize(
    ("question", "said", "message"),
    [
        ("back again", "called", "nobody keeps calls for the scheduler"),
        ("back again", "recreated", "the same name and uid"),
        ("back again", "kubelet", "only for Pods that name its own node"),
        ("cut off", "runtime", "restarted without a kubelet too"),
        ("cut off", "replicaset", "its controller was cut off as well"),
        ("cut off", "cache", "the API server runs nothing"),
        ("cut off", "magic", "there is no answer 'magic'; there are cache, knows, replicaset, runtime"),
        ("cut off", ["knows"], "there is no answer ['knows']"),
        ("cut off", None, "has no answer yet"),
    ],
)
def test_a_wrong_reason_gets_its_own_message(question, said, message):
    found = failed(check.check_reasons(REASONS | {question: said}))
    assert list(found) == [question]
    assert message in found[question]


def test_a_part_that_there_is_not_cannot_be_switched_off():
    with (
        check.running_cluster() as cluster,
        pytest.raises(ValueError, match="cannot switch off 'etcd'; there are: dep"),
    ):
        check.switch_off(cluster, "etcd")


def test_there_are_three_hints_for_each_part():
    assert len(check.PREDICTION.hints) == len(check.REASONS.hints) == 3
