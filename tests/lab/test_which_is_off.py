"""The judge of "Which component is off?": what a learner's function says of clusters in which one part is missing."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import which_is_off as check
from k8slab.lab.checks.hands import Hands

CHAIN, SCHEDULER, KUBELET = "Deployments and ReplicaSets", "the scheduler", "a node's kubelet"
GARBAGE, NAMESPACES, NOTHING = "the garbage collector", "Namespaces", "nothing is off"


def probe(cluster) -> str:
    """The solution: by kubectl alone."""
    cluster.kubectl("create namespace probe")
    cluster.kubectl("create deployment probe -n probe --image=nginx --replicas=9")
    cluster.run_for("30s")
    return growing(cluster) or going(cluster) or "none"


def growing(cluster) -> str:
    found = cluster.kubectl("get replicasets,pods -n probe -o json").json()["items"]
    pods = [each for each in found if each["kind"] == "Pod"]
    if not found:
        return "deployment-controller"
    if not pods:
        return "replicaset-controller"
    for pod in pods:
        if "nodeName" not in pod["spec"]:
            return "kube-scheduler"
        if pod["status"]["phase"] != "Running":
            return "kubelet-" + pod["spec"]["nodeName"]
    return ""


def going(cluster) -> str:
    cluster.kubectl("delete deployment probe -n probe")
    cluster.run_for("60s")
    if cluster.kubectl("get pods -n probe -o name").stdout:
        return "garbage-collector-controller"
    cluster.kubectl("delete namespace probe --wait=false")
    cluster.run_for("60s")
    if cluster.kubectl("get namespace probe --ignore-not-found").stdout:
        return "namespace-controller"
    return ""


class Told(Hands):
    """Hands that know what is off, so that a test of a wrong answer needs no kubectl."""

    def __init__(self, cluster) -> None:
        super().__init__(cluster)
        missing = set(cluster._engine.processes.components) - set(cluster.components)
        self.off = missing.pop() if missing else "none"


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(check, "Hands", Told)


def mistaking(**wrong):
    """A diagnosis that is right but for some answers. Underscores stand for dashes."""
    wrong = {off.replace("_", "-"): said for off, said in wrong.items()}
    return lambda cluster: wrong.get(cluster.off, cluster.off)


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_diagnosis(probe).points == 6


def test_a_right_answer_gets_all_points_however_it_was_found(told):
    assert check.check_diagnosis(lambda cluster: cluster.off).points == 6


@pytest.mark.parametrize("starter", [None, ..., lambda cluster: None])
def test_the_starter_gets_none(starter):
    assert check.check_diagnosis(starter).points == 0


@pytest.mark.parametrize("name", ["none", *(case.off for cases in check.CASES.values() for case in cases)])
def test_one_name_for_every_case_gets_none(name):
    assert check.check_diagnosis(lambda cluster: name).points == 0


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        (
            mistaking(deployment_controller="replicaset-controller"), [CHAIN],
            "with deployment-controller off, you said 'replicaset-controller'. What tells it: a new Deployment gets no Repl",
        ),
        (
            mistaking(replicaset_controller="kube-scheduler"), [CHAIN],
            "with replicaset-controller off, you said 'kube-scheduler'. What tells it: a new Deployment gets its ReplicaSet",
        ),
        (
            mistaking(kube_scheduler="kubelet-node-1"), [SCHEDULER],
            "with kube-scheduler off, you said 'kubelet-node-1'. What tells it: new Pods stay Pending, and no node stands",
        ),
        (
            mistaking(kubelet_green="none"), [KUBELET],
            "with kubelet-green off, you said 'none'. What tells it: for a while new Pods still get this node",
        ),
        (mistaking(kubelet_green="kubelet-red"), [KUBELET], "with kubelet-green off, you said 'kubelet-red'"),
        (mistaking(kubelet_green="kubelet"), [KUBELET], "Every node has a kubelet of its own: the name is kubelet-NODE"),
        (mistaking(kubelet_green="green"), [KUBELET], "you said 'green'. Every node has a kubelet of its own"),
        (
            mistaking(garbage_collector_controller="none"), [GARBAGE],
            "with garbage-collector-controller off, you said 'none'. What tells it: a Deployment is deleted",
        ),
        (
            mistaking(namespace_controller="none"), [NAMESPACES],
            "you said 'none'. What tells it: a deleted Namespace stays Terminating",
        ),
        (
            mistaking(none="namespace-controller"), [NAMESPACES, NOTHING],
            "with nothing off, you said 'namespace-controller' as well. What tells that: all of this happens",
        ),
    ],
)  # fmt: skip
def test_a_wrong_diagnosis_fails_the_criteria_meant_for_it(told, wrong, criteria, message):
    found = failed(check.check_diagnosis(wrong))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def by_the_nodes_conditions(cluster) -> str:
    """It takes 50 seconds until somebody says of a node that it is not Ready any more: too long for who looks at once."""
    for node in cluster.kubectl("get nodes -o json").json()["items"]:
        ready = [each for each in node["status"]["conditions"] if each["type"] == "Ready"]
        if ready[0]["status"] != "True":
            return "kubelet-" + node["metadata"]["name"]
    return "none"


def by_what_is_there(cluster) -> str:
    """All that was running before looks fine, whatever is off."""
    found = cluster.kubectl("get deployments web -o json").json()
    return "none" if found["status"]["readyReplicas"] == found["spec"]["replicas"] else "kube-scheduler"


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (by_the_nodes_conditions, KUBELET, "When nothing was heard of the node for 50 seconds, it is NotReady"),
        (by_what_is_there, SCHEDULER, "with kube-scheduler off, you said 'none'"),
        (lambda cluster: cluster.components, CHAIN, "has only kubectl and run_for, and no 'components'"),
        (lambda cluster: cluster.fault("crash"), CHAIN, "has only kubectl and run_for, and no 'fault'"),
        (lambda cluster: cluster.trace, CHAIN, "has only kubectl and run_for, and no 'trace'"),
        (lambda cluster: 1 / 0, CHAIN, "with replicaset-controller off, your code raised ZeroDivisionError"),
        (lambda cluster: ["none"], CHAIN, "should return a text, but what it returned is list"),
        (lambda: "none", CHAIN, "your code raised TypeError"),
    ],
)
def test_a_wrong_way_gets_no_points(wrong, criterion, message):
    result = check.check_diagnosis(wrong)
    assert result.points == 0
    assert message in failed(result)[criterion]


def test_no_case_sees_what_another_one_left():
    seen = []

    def look(cluster) -> str:
        seen.append(cluster.kubectl("get namespaces -o name").stdout)
        cluster.kubectl("create namespace left-behind")
        return "none"

    check.check_diagnosis(look)
    assert len(set(seen)) == 1


def test_a_kubectl_that_waits_in_vain_does_not_wait_for_long():
    with check.practice("namespace-controller") as cluster:
        cluster.kubectl("create namespace probe")
        before = cluster.kubectl("get namespace probe").stdout
        cluster.kubectl("delete namespace probe")
        after = cluster.kubectl("get namespace probe").stdout
    assert before.split()[-1] == "0s"
    assert after.split()[-2:] == ["Terminating", "30s"]


def test_there_are_three_hints():
    assert len(check.DIAGNOSIS.hints) == 3
