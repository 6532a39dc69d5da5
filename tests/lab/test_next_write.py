"""The judge of "What is written next?": its truths come from the causal graph, and are the same for every seed."""

from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.lab.checks import next_write as check

FIELDS = ("who", "verb", "kind", "because of")
ROWS = {
    "there is a Deployment": ("deployment-controller", "create", "ReplicaSet", "Deployment"),
    "there is a ReplicaSet": ("replicaset-controller", "create", "Pod", "ReplicaSet"),
    "there is a Pod": ("kube-scheduler", "update", "Pod", "Pod"),
    "the Pod has a node": ("kubelet", "update", "Pod", "Pod"),
    "the Pod is ready": ("replicaset-controller", "update", "ReplicaSet", "Pod"),
    "the ReplicaSet has counted": ("deployment-controller", "update", "Deployment", "ReplicaSet"),
}


def prediction(**wrong):
    rows = {stop: dict(zip(FIELDS, row, strict=True)) for stop, row in ROWS.items()}
    return rows | {stop.replace("_", " "): row for stop, row in wrong.items()}


def row(*words):
    return dict(zip(FIELDS, words, strict=True))


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_prediction(prediction()).points == 6


def test_the_starter_gets_none():
    empty = {stop: dict.fromkeys(FIELDS) for stop in ROWS}
    assert check.check_prediction(empty).points == 0
    assert check.check_prediction(...).points == 0


@pytest.mark.parametrize("seed", range(1, 21))
def test_the_next_write_is_the_same_for_every_seed(seed):
    told = {stop: (each.who, each.verb, each.kind, each.because) for stop, each in check._lived(seed).items()}
    assert told == ROWS


def test_a_kubelet_may_be_named_with_its_node_and_kinds_in_any_spelling():
    found = prediction(the_Pod_has_a_node=row("kubelet-node-2", "Update", "pods", "po"))
    assert check.check_prediction(found).points == 6


@pytest.mark.parametrize(
    ("stop", "words", "message"),
    [
        ("there is a Deployment", ("deployment-controller", "create", "Pod", "Deployment"), "never writes Pods"),
        ("there is a Deployment", ("kubectl", "create", "ReplicaSet", "Deployment"), "kubectl has sent one request"),
        ("there is a ReplicaSet", ("kubelet", "create", "Pod", "ReplicaSet"), "a kubelet does not create Pods"),
        ("there is a Pod", ("kube-apiserver", "update", "Pod", "Pod"), "nobody is called"),
        ("there is a Pod", ("kube-scheduler", "update", "Pod", "API server"), "nobody is called"),
        ("there is a Pod", ("kube-scheduler", "update", "Pod", "a call"), "nobody is called"),
        ("there is a Pod", ("kube-scheduler", "bind", "Pod", "Pod"), "A binding, too, is an update"),
        ("there is a Pod", ("kubelet", "update", "Pod", "Pod"), "'who' is not 'kubelet' here"),
        ("the Pod has a node", ("kube-scheduler", "update", "Pod", "Pod"), "the scheduler does not start containers"),
        ("the Pod has a node", ("kubelet", "delete", "Pod", "Pod"), "'verb' is not 'delete' here"),
        ("the Pod is ready", ("replicaset-controller", "update", "Pod", "Pod"), "'kind' is not 'Pod' here"),
        (
            "the ReplicaSet has counted", ("deployment-controller", "update", "Deployment", "Pod"),
            "'because of' is not 'Pod' here",
        ),
        ("the Pod is ready", ("kubelet", None, "Pod", "Pod"), "['verb']` has no answer yet"),
        ("the Pod is ready", (7, "update", "Pod", "Pod"), "should be a text, but it is int: 7"),
        ("the Pod is ready", ("", "", "", ""), "the verb should be as the log has it"),
    ],
)  # fmt: skip
def test_a_wrong_row_fails_its_own_criterion_only(stop, words, message):
    found = failed(check.check_prediction(prediction() | {stop: row(*words)}))
    assert list(found) == [stop]
    assert message in found[stop]


def test_a_message_does_not_give_the_answer_away():
    wrong = row("garbage-collector-controller", "delete", "Namespace", "Node")
    for stop, (who, *_) in ROWS.items():
        assert who not in failed(check.check_prediction(prediction() | {stop: wrong}))[stop]


def test_the_learner_can_go_to_every_stop():
    cluster, steps = check.stopped_cluster()
    with cluster:
        assert cluster.steps == steps["there is a Deployment"]
        assert list(steps) == list(ROWS)
        cluster.goto(steps["the Pod has a node"])
        kubelet = f"kubelet-{cluster.client.list(Pod)[0].spec.node_name}"
        assert cluster.step(by="write", component=kubelet) == kubelet


def test_there_are_three_hints():
    assert len(check.PREDICTION.hints) == 3
