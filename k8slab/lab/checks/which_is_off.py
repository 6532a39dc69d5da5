"""The judge of "Which component is off?".

Every component does one thing, and when it is off, that one thing no longer happens; everything else goes on, so that nothing
says what is wrong. The learner's `diagnose(cluster)` finds out by trying: it gets kubectl and time, as on any cluster of the
world, and none of the lab's instruments.

The judge has two clusters of different seeds and node names. In each it switches one component off, lets the learner's
function find out, and goes back in time to the healthy cluster for the next case; so no case sees what another one left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from k8slab.api.apps import Deployment
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, raised, shown
from k8slab.lab.checks.hands import Hands
from k8slab.lab.checks.manifests import AGNHOST, deployment, web_server
from k8slab.lab.cluster import Cluster

NOTHING = "none"
KUBELET = "kubelet-"
SETTLE_SECONDS = 30.0

TELLS: Mapping[str, str] = {
    "deployment-controller": "a new Deployment gets no ReplicaSet",
    "replicaset-controller": "a new Deployment gets its ReplicaSet, but that gets no Pods",
    "kube-scheduler": "new Pods stay Pending, and no node stands in their spec.nodeName",
    "kubelet": "for a while new Pods still get this node, and stay Pending there, while those on other nodes run. "
    "When nothing was heard of the node for 50 seconds, it is NotReady, and new Pods get other nodes",
    "garbage-collector-controller": "a Deployment is deleted, and its ReplicaSet and Pods stay",
    "namespace-controller": "a deleted Namespace stays Terminating",
    NOTHING: "all of this happens: ReplicaSet, Pods, nodes, containers on every node, and deleting takes everything away",
}
"""By what each is known. Every node's kubelet is `kubelet`."""


@dataclass(frozen=True, slots=True)
class World:
    """A healthy cluster."""

    nodes: tuple[str, ...]
    seed: int


SMALL, COLOURED = World(("node-1", "node-2"), 21), World(("blue", "green", "red"), 34)


@dataclass(frozen=True, slots=True)
class Case:
    """A component that is off."""

    off: str
    world: World


CASES: Mapping[str, tuple[Case, ...]] = {
    "Deployments and ReplicaSets": (Case("replicaset-controller", COLOURED), Case("deployment-controller", SMALL)),
    "the scheduler": (Case("kube-scheduler", SMALL),),
    "a node's kubelet": (Case("kubelet-green", COLOURED),),
    "the garbage collector": (Case("garbage-collector-controller", COLOURED),),
    "Namespaces": (Case("namespace-controller", SMALL),),
}
"""By criterion. One more, that nothing is off, follows them."""
HEALTHY = Case(NOTHING, SMALL)


@contextmanager
def practice(off: str = NOTHING) -> Iterator[Hands]:
    """A cluster to try on: `with check.practice("kube-scheduler") as cluster: ...`. Raises ValueError for an unknown name."""
    with _healthy(World(("node-1", "node-2"), 3)) as cluster:
        _switch_off(cluster, off)
        yield Hands(cluster)


def check_diagnosis(diagnose: Any) -> Result:
    """Let `diagnose(cluster)` find what is off, in seven cases. 6 points."""
    diagnosed = _Diagnosed(diagnose)
    try:
        return DIAGNOSIS(diagnosed)
    finally:
        diagnosed.close()


def _healthy(world: World) -> Cluster:
    """A cluster in which a Deployment `web` has long been running on every node."""
    cluster = Cluster(nodes=world.nodes, seed=world.seed)
    cluster.client.create(Deployment, deployment("web", AGNHOST, 2 * len(world.nodes), web_server()), "default")
    cluster.run_for(SETTLE_SECONDS)
    return cluster


def _switch_off(cluster: Cluster, off: str) -> None:
    if off != NOTHING:
        cluster.fault("crash", component=off).start()
    cluster.run_for(SETTLE_SECONDS)


class _Diagnosed:
    """The learner's function, and what it said of each case, played once."""

    def __init__(self, diagnose: Any) -> None:
        self._diagnose = diagnose
        self._clusters: dict[World, tuple[Cluster, int]] = {}
        self._said: dict[Case, Any] = {}

    def says(self, case: Case) -> Any:
        """What it says of a case. Raises Fault where it cannot be asked."""
        check_callable("diagnose", self._diagnose)
        if case not in self._said:
            cluster = self._cluster(case.world)
            _switch_off(cluster, case.off)
            try:
                self._said[case] = self._diagnose(Hands(cluster))
            except Exception as error:
                raise Fault(f"with {_named(case.off)}, {raised(error)}") from error
        return self._said[case]

    def _cluster(self, world: World) -> Cluster:
        """The healthy cluster of a world."""
        if world in self._clusters:
            cluster, healthy = self._clusters[world]
            return cluster.goto(healthy)
        cluster = _healthy(world)
        self._clusters[world] = cluster, cluster.steps
        return cluster

    def close(self) -> None:
        """Close the clusters."""
        for cluster, _ in self._clusters.values():
            cluster.close()


def _named(off: str) -> str:
    return "nothing off" if off == NOTHING else f"{off} off"


def _tells(off: str) -> str:
    return TELLS["kubelet" if off.startswith(KUBELET) else off]


def _judge_case(diagnosed: _Diagnosed, case: Case) -> None:
    """Raises Fault unless a case was told from the others, and from a cluster in which nothing is off."""
    said = diagnosed.says(case)
    if said is None or said is ...:
        raise Fault("`diagnose` has returned nothing; it should return a component's name, or 'none'")
    if not isinstance(said, str):
        raise Fault(f"`diagnose` should return a text, but what it returned is {shown(said)}")
    if case.off.startswith(KUBELET) and said in ("kubelet", case.off.removeprefix(KUBELET)):
        raise Fault(
            f"you said {said!r}. Every node has a kubelet of its own: the name is kubelet-NODE, as {case.off!r}"
        )
    if said != case.off:
        raise Fault(f"with {_named(case.off)}, you said {said!r}. What tells it: {_tells(case.off)}")
    if case.off != NOTHING and diagnosed.says(HEALTHY) == said:
        raise Fault(f"with {_named(NOTHING)}, you said {said!r} as well. What tells that: {_tells(NOTHING)}")


def _judge(cases: tuple[Case, ...]) -> Callable[[_Diagnosed], None]:
    def judge(diagnosed: _Diagnosed) -> None:
        for case in cases:
            _judge_case(diagnosed, case)

    return judge


FOUND = next(iter(CASES))

DIAGNOSIS = Check(
    [
        *(Criterion(name, 1, _judge(cases)) for name, cases in CASES.items()),
        Criterion("nothing is off", 1, _judge((HEALTHY,)), needs=FOUND),
    ],
    hints=[
        "Make something new, let time pass, and see how far it comes. What comes first in the chain must be looked at first. "
        "Then delete it, and see what stays.",
        "A Deployment in a Namespace of its own, with more replicas than there are nodes. Then look, in this order: is there a "
        "ReplicaSet? are there Pods? have all of them a spec.nodeName? are all of them Running, and if not, on which node?",
        "If all of that is well: `delete deployment` without the Namespace, run_for, and are there Pods left? Then "
        "`delete namespace --wait=false`, run_for, and is it still there (`get namespace NAME --ignore-not-found`)?",
    ],
)
