"""The judge of "Evicted, and when?".

Six times something happens to the nodes of a cluster, and the learner says what comes of it: when a node becomes NotReady, when
its Pod is deleted, and whether there is a new one. The judge lets each case happen in a cluster of its own, and measures. So
the table below holds no times; only what to say to those who err.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Node, Pod
from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.checks import Check, Criterion, Fault, Result, shown
from k8slab.lab.checks.manifests import NGINX, deployment
from k8slab.lab.cluster import Cluster

SEED = 5
APP = "web"
STEADY, PATIENCE, LOOK = 30, 600, 5
NEAR, EARLIEST = 15, 45
"""Seconds by which a prediction may be off; and what is too early for a node to be lost, however near."""
NEVER = "never"
UNREACHABLE = "node.kubernetes.io/unreachable"
FIELDS = ("NotReady", "deleted", "new Pod")


@dataclass(frozen=True, slots=True)
class Case:
    """Something that happens to nodes. The Pod in question is on the first one that is lost."""

    says: str
    nodes: int
    happens: Mapping[int, Callable[[Cluster, list[str]], None]]
    """By the second. Given the nodes, that of the Pod first."""
    because: str
    """What to say to those who err."""
    patience: int | None = None
    """For how many seconds the Pod tolerates it; None: as every Pod."""
    owned: bool = True
    """Whether a Deployment looks after the Pod."""


def cluster_of(case: str) -> Cluster:
    """A cluster in which a case can be tried: nothing has happened yet. Raises ValueError for a case that there is not."""
    if case not in CASES:
        raise ValueError(f"there is no case {case!r}; there are: {', '.join(CASES)}")
    return _steady(CASES[case])


def check_prediction(prediction: Any) -> Result:
    """Compare a prediction with what happens. 6 points."""
    return PREDICTION(prediction)


# What happens.

GRACE = "A node is lost when nothing was heard of it for 50 s (40 s is what older texts say)"


def _lose(cluster: Cluster, nodes: list[str], count: int = 1) -> None:
    for name in nodes[:count]:
        cluster.fault("node-lost", node=name).start()


def _find(cluster: Cluster, nodes: list[str]) -> None:
    cluster.fault("node-lost", node=nodes[0]).stop()


def _crash_the_kubelet(cluster: Cluster, nodes: list[str]) -> None:
    cluster.fault("crash", component=f"kubelet-{nodes[0]}").start()


CASES: Mapping[str, Case] = {
    "one of three": Case(
        "one of three nodes is switched off", 3, {0: _lose},
        f"{GRACE}. Then it gets its NoExecute taint, and the five minutes that every Pod tolerates begin only there",
    ),
    "for two minutes": Case(
        "one of three nodes is switched off, and on again two minutes later", 3, {0: _lose, 120: _find},
        f"{GRACE}. The taint goes when it is heard again, and the deletion is called off: its Pods start again where they were",
    ),
    "all three": Case(
        "all three nodes are switched off", 3, {0: partial(_lose, count=3)},
        f"{GRACE}. But when no node at all is heard, the fault is likely the controller's own: nothing is evicted",
    ),
    "three of five": Case(
        "three of five nodes are switched off", 5, {0: partial(_lose, count=3)},
        f"{GRACE}. More than two nodes, and at least 55 % of a small zone: eviction stops",
    ),
    "an impatient Pod": Case(
        "one of three nodes is switched off, and the Pod tolerates unreachable nodes for 30 s", 3, {0: _lose},
        f"{GRACE}. The Pod's own 30 s begin with the NoExecute taint, about five seconds after that", patience=30,
    ),
    "a Pod of nobody": Case(
        "the kubelet of one of three nodes crashes; the Pod there belongs to no Deployment", 3, {0: _crash_the_kubelet},
        f"{GRACE}, whether the machine runs or not. The Pod is deleted as all others, and nobody makes a new one", owned=False,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lived:
    """What has come of a case: seconds after it began, None for what did not happen."""

    not_ready: int | None
    deleted: int | None
    new: bool


@cache
def _lived(name: str) -> Lived:
    case = CASES[name]
    with _steady(case) as cluster:
        pod = _pods(cluster)[0]
        home = pod.spec.node_name
        nodes = [home, *(each for each in cluster.nodes if each != home)]
        not_ready: list[int] = []
        deleted: list[int] = []
        for second in range(0, PATIENCE, LOOK):
            if second in case.happens:
                case.happens[second](cluster, nodes)
            cluster.run_for(LOOK)
            if cluster.client.get(Node, home).ready != "True":
                not_ready.append(second + LOOK)
            if not any(each.uid == pod.uid and not each.metadata.deleting for each in _pods(cluster)):
                deleted.append(second + LOOK)
        new = any(each.uid != pod.uid for each in _pods(cluster))
        return Lived(next(iter(not_ready), None), next(iter(deleted), None), new)


def _pods(cluster: Cluster) -> list[Pod]:
    return cluster.client.list(Pod, "default", labels=f"app={APP}")


def _steady(case: Case) -> Cluster:
    cluster = Cluster(nodes=case.nodes, seed=SEED)
    body = deployment(APP, NGINX)
    template: JsonObject = body["spec"]["template"]
    if case.patience is not None:
        toleration = {
            "key": UNREACHABLE,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": case.patience,
        }
        template["spec"]["tolerations"] = [toleration]
    if case.owned:
        cluster.client.create(Deployment, body, "default")
    else:
        cluster.client.create(Pod, template, "default")
    cluster.run_for(STEADY)
    return cluster


# What was said.


def _row(prediction: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(prediction, Mapping):
        raise Fault(f"`prediction` should be a dictionary, but it is {shown(prediction)}")
    row = prediction.get(name)
    if not isinstance(row, Mapping) or set(row) != set(FIELDS):
        raise Fault(f"the row {name!r} should have {', '.join(FIELDS)}, but it is {shown(row)}")
    return row


def _seconds(row: Mapping[str, Any], field: str) -> float | None:
    said = row[field]
    if said == NEVER:
        return None
    if not isinstance(said, (int, float)) or isinstance(said, bool):
        raise Fault(f"{field!r} should be a number of seconds, or {NEVER!r}, but it is {shown(said)}")
    return float(said)


def _judge(name: str) -> Callable[[Any], None]:
    def judge(prediction: Any) -> None:
        row, case, lived = _row(prediction, name), CASES[name], _lived(name)
        for field, happened in (("NotReady", lived.not_ready), ("deleted", lived.deleted)):
            said = _seconds(row, field)
            near = happened is not None and said is not None and abs(said - happened) <= NEAR
            near = near and not (field == "NotReady" and said is not None and said < EARLIEST)
            if not near and said != happened:
                raise Fault(
                    f"{case.says}: you said {field} {_told(said)}, and it was {_told(happened)}. {case.because}"
                )
        if not isinstance(row["new Pod"], bool):
            raise Fault(f"'new Pod' should be True or False, but it is {shown(row['new Pod'])}")
        if row["new Pod"] != lived.new:
            there = "there was one" if lived.new else "there was none"
            raise Fault(
                f"{case.says}: you said new Pod {row['new Pod']}, and {there} after ten minutes. {case.because}"
            )

    return judge


def _told(seconds: float | None) -> str:
    return NEVER if seconds is None else f"after {seconds:g} s"


PREDICTION = Check(
    [Criterion(name, 1, _judge(name)) for name in CASES],
    hints=[
        "Three clocks run one after the other: the 50 s of the node lifecycle controller, its next look five seconds later, and "
        "what the Pod tolerates. Which of them never starts, in which case?",
        "NotReady comes after 50 to 55 s in every case. For how many nodes, and of how many, does the section `When many are "
        "lost` of chapter 07 say that nobody is evicted?",
        "Deleted: 50 + 5 + what the Pod tolerates; 'never' where the node is back before that, where all nodes are lost, and "
        "with three of five. A new Pod comes only where one was deleted, and somebody counts.",
    ],
)
