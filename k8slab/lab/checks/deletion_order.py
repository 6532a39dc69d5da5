"""The judge of "Which Pod goes first?": the order in which a ReplicaSet gives up Pods that are too many.

The learner writes `deletion_order`, a pure function: Pods in, the same Pods out, those that go first in front. Each criterion has
pairs of Pods that differ in one thing, or in two where the earlier reason must win. The last one puts the function into a real
cluster, in place of the ReplicaSet controller's own, and scales down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.clock import from_rfc3339
from k8slab.controllers.pod_ranking import DELETION_COST, ready_since
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, raised, shown
from k8slab.lab.checks.manifests import AGNHOST, deployment, web_server
from k8slab.lab.cluster import Cluster

MINUTE, HOUR = 60.0, 3600.0
CLUSTERS = ((8, 0.0), (9, 5.0))
"""Seeds, and how late the controller's watch is, in seconds."""


@dataclass(frozen=True)
class Candidate:
    """A Pod that may have to go."""

    name: str
    node: str = "node-1"
    """Empty: it has none yet."""
    phase: str = "Running"
    """Pending, Unknown or Running."""
    ready: bool = True
    cost: int = 0
    """What its annotation `controller.kubernetes.io/pod-deletion-cost` says."""
    siblings: int = 1
    """How many Pods of this ReplicaSet are on its node, itself included."""
    ready_for: float = HOUR
    """Seconds since it became ready; 0 if it is not."""
    restarts: int = 0
    age: float = HOUR
    """Seconds since it was made."""


READY = Candidate("ready")
PENDING = replace(READY, name="pending", phase="Pending", ready=False, ready_for=0)
PAIRS: dict[str, tuple[tuple[Candidate, Candidate], ...]] = {
    "no node before a node, and not running before running": (
        (replace(PENDING, name="homeless", node=""), PENDING),
        (PENDING, replace(READY, name="unready", ready=False, ready_for=0)),
        (replace(READY, name="unknown", phase="Unknown", ready=False, ready_for=0), READY),
    ),
    "not ready before ready": ((replace(READY, name="unready", ready=False, ready_for=0), READY),),
    "the cheaper one first": (
        (replace(READY, name="cheap", cost=-5), READY),
        (READY, replace(READY, name="dear", cost=100)),
        (replace(READY, name="unready but dear", ready=False, ready_for=0, cost=100), READY),
    ),
    "from the fullest node first": (
        (replace(READY, name="one of three", siblings=3), READY),
        (READY, replace(READY, name="one of three but dear", siblings=3, cost=1)),
    ),
    "then the newest, and the one that restarts": (
        (replace(READY, name="ready since a minute", ready_for=MINUTE), READY),
        (replace(READY, name="restarts", restarts=4), READY),
        (replace(READY, name="young", age=MINUTE), READY),
        (replace(READY, name="ready since a minute", ready_for=MINUTE), replace(READY, name="restarts", restarts=4)),
        (replace(READY, name="restarts", restarts=4), replace(READY, name="young", age=MINUTE)),
    ),
}
"""By criterion: pairs of which the first has to go before the second."""


def check_deletion_order(deletion_order: Any) -> Result:
    """Judge `deletion_order(pods)` by pairs, and in a real cluster. 6 points."""
    return ORDER(deletion_order)


def _asked(deletion_order: Any, pods: Sequence[Candidate]) -> list[Candidate]:
    """What the function makes of them. Raises Fault if that is no order of them."""
    check_callable("deletion_order", deletion_order)
    given = list(pods)
    try:
        found = deletion_order(given)
    except Exception as error:
        raise Fault(f"of {_names(pods)}, {raised(error)}") from error
    if found is None or found is ...:
        raise Fault("`deletion_order` has returned nothing; it should return the Pods in their order")
    if not isinstance(found, Iterable) or isinstance(found, str):
        raise Fault(f"`deletion_order` should return a list of the Pods, but what it returned is {shown(found)}")
    order = list(found)
    if len(order) != len(pods) or any(each not in order for each in pods):
        raise Fault(f"given {_names(pods)}, you returned {len(order)} others: return the same Pods, each once")
    return order


def _names(pods: Iterable[Any]) -> str:
    return ", ".join(repr(getattr(each, "name", each)) for each in pods)


def _judge(pairs: Sequence[tuple[Candidate, Candidate]]) -> Callable[[Any], None]:
    def judge(deletion_order: Any) -> None:
        for first, second in pairs:
            for given in permutations((first, second)):
                found = _asked(deletion_order, given)
                if found[0] != first:
                    raise Fault(f"{first.name!r} has to go before {second.name!r}: {_difference(first, second)}")

    return judge


def _difference(first: Candidate, second: Candidate) -> str:
    fields = [name for name in vars(first) if name != "name" and getattr(first, name) != getattr(second, name)]
    return ", ".join(f"{name} is {getattr(first, name)!r} against {getattr(second, name)!r}" for name in fields)


class _Ranked(ReplicaSetController):
    """A ReplicaSet controller with the learner's order."""

    deletion_order: Callable[[Sequence[Candidate]], Iterable[Candidate]]

    def rank(self, pods: Sequence[Pod], related: Iterable[Pod], now: float) -> list[Pod]:
        """The learner's order, of Pods as candidates."""
        nodes = [pod.spec.node_name for pod in related]
        by_name = {pod.name: pod for pod in pods}
        found = _asked(self.deletion_order, [_candidate(pod, nodes.count(pod.spec.node_name), now) for pod in pods])
        return [by_name[each.name] for each in found]


def _candidate(pod: Pod, siblings: int, now: float) -> Candidate:
    return Candidate(
        pod.name,
        pod.spec.node_name,
        pod.status.phase,
        pod.ready,
        int(pod.metadata.annotations.get(DELETION_COST, "0")),
        siblings,
        now - ready_since(pod) if pod.ready else 0,
        max((each.restart_count for each in pod.status.container_statuses), default=0),
        now - from_rfc3339(pod.metadata.creation_timestamp),
    )


def _in_a_cluster(deletion_order: Any) -> None:
    """Of four Pods one is dear, one cannot be pulled: two are to stay."""

    class Ranked(_Ranked):
        pass

    Ranked.deletion_order = staticmethod(deletion_order)
    for seed, slow in CLUSTERS:
        with Cluster(nodes=2, seed=seed, replace={"replicaset": Ranked}) as cluster:
            if slow:
                late = {"component": Ranked.name, "delay": slow, "repeat": 0.2, "lose": 0}
                cluster.fault("slow-watch", **late).start()
            _judge_scaling_down(cluster)


def _judge_scaling_down(cluster: Cluster) -> None:
    cluster.client.create(ReplicaSet, deployment("web", AGNHOST, 3, web_server()), "default")
    cluster.run_for("2m")
    dear = cluster.client.list(Pod, "default")[0].name
    cluster.client.patch(Pod, dear, "default", {"metadata": {"annotations": {DELETION_COST: "100"}}})
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    broken = {
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": f"{AGNHOST}-none"}]}}, "replicas": 4}
    }
    cluster.client.patch(ReplicaSet, "web", "default", broken)
    cluster.run_for("1m")
    new = [pod.name for pod in cluster.client.list(Pod, "default") if pod.status.phase == "Pending"]
    cluster.client.patch(ReplicaSet, "web", "default", {"spec": {"replicas": 2}})
    cluster.run_for("2m")
    left = [pod.name for pod in cluster.client.list(Pod, "default")]
    if set(left) & set(new):
        raise Fault(f"scaled from 4 to 2, {new[0]} is still there: its image cannot be pulled, so it should go first")
    if dear not in left:
        raise Fault(f"scaled from 4 to 2, {dear} has gone, whose deletion cost is 100; the others have none")
    if len(left) != 2:
        raise Fault(f"scaled from 4 to 2, two minutes later there are {len(left)} Pods")


ORDER = Check(
    [
        *(Criterion(name, 1, _judge(pairs)) for name, pairs in PAIRS.items()),
        Criterion("in a cluster", 1, _in_a_cluster, needs="the cheaper one first"),
    ],
    hints=[
        "`sorted(pods, key=...)`: a key may be a tuple, and then the first difference decides. `False` sorts before `True`.",
        "The first parts of the tuple: `bool(pod.node)`, then the phase as a number (Pending 0, Unknown 1, Running 2), then "
        "`pod.ready`, then `pod.cost`.",
        "Then `-pod.siblings` (the fullest node first), `pod.ready_for` (the newest first), `-pod.restarts`, `pod.age`.",
    ],
)
