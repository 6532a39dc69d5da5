"""The judge of "Who is lost, and how fast to act".

The learner writes the three rules by which the node lifecycle controller decides: when a node is lost, what state a zone is
in, and how many nodes a second may be tainted there. The judge puts them into real clusters of its own, loses nodes in them,
and looks at what comes of it: conditions, taints, and when they were set. Other seeds, and a watch that tells late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from k8slab.api.coordination import Lease
from k8slab.api.core import Node
from k8slab.clock import from_rfc3339
from k8slab.controllers.node_lifecycle import NodeLifecycleController
from k8slab.controllers.node_taints import is_eviction
from k8slab.controllers.node_zones import FULL, NORMAL, PARTIAL, REGION, ZONE
from k8slab.lab.checks import Aloud, Check, Criterion, Fault, Result, check_callable, limited, raised, shown
from k8slab.lab.checks.guarded import told_first
from k8slab.lab.cluster import Cluster

COMPONENT = "node-lifecycle-controller"
SEEDS = (4, 9)
STEADY = 30.0
STATES = (NORMAL, PARTIAL, FULL)
NAMES = ("is_lost", "zone_state", "eviction_rate")


def practice(rules: Mapping[str, Any], nodes: Sequence[str] = ("a1", "a2", "a3", "a4", "a5")) -> Cluster:
    """A cluster that lives by the rules. A node's first letter is its zone. What goes wrong with them is printed."""
    judged = _Rules({name: limited(rule) for name, rule in rules.items()} if isinstance(rules, Mapping) else rules)
    judged.faults = Aloud()
    return _cluster(judged, 1, nodes)


def check_rules(rules: Any) -> Result:
    """Let clusters live by the rules, and lose nodes in them. 6 points."""
    return RULES(rules)


# The learner's functions, in a controller's hands.


class _Rules:
    """What they say is looked at, and what makes no sense is noted; the cluster goes on."""

    def __init__(self, rules: Any) -> None:
        if not isinstance(rules, Mapping):
            raise Fault(f"`rules` should be a dictionary of functions, but it is {shown(rules)}")
        for name in NAMES:
            check_callable(name, rules.get(name))
        self._rules = rules
        self.faults: list[str] = []

    def is_lost(self, silent: float, posted: bool) -> bool:
        said = self._ask("is_lost", silent, posted)
        return bool(self._fits("is_lost", said, isinstance(said, bool), "True or False", False))

    def zone_state(self, ready: int, not_ready: int) -> str:
        said = self._ask("zone_state", ready, not_ready)
        return str(self._fits("zone_state", said, said in STATES, f"one of {', '.join(STATES)}", NORMAL))

    def eviction_rate(self, state: str, size: int) -> float:
        said = self._ask("eviction_rate", state, size)
        number = isinstance(said, (int, float)) and not isinstance(said, bool) and said >= 0
        return float(self._fits("eviction_rate", said, number, "a number, nodes a second", 0.0))

    def _ask(self, name: str, *arguments: Any) -> Any:
        try:
            return self._rules[name](*arguments)
        except Exception as error:
            self.faults.append(f"in `{name}`, {raised(error)}")
            return None

    def _fits(self, name: str, said: Any, fits: bool, wanted: str, instead: Any) -> Any:
        if not fits:
            self.faults.append(f"`{name}` should return {wanted}, but what it returned is {shown(said)}")
            return instead
        return said


def _cluster(rules: _Rules, seed: int, nodes: Sequence[str]) -> Cluster:
    make = partial(
        NodeLifecycleController,
        is_lost=rules.is_lost, zone_state=rules.zone_state, eviction_rate=rules.eviction_rate,
    )  # fmt: skip
    cluster = Cluster(nodes=nodes, seed=seed, replace={"node-lifecycle": make})
    for name in nodes:
        labels = {REGION: "lab", ZONE: name[0]}
        cluster.client.patch(Node, name, "", {"metadata": {"labels": labels}})
    cluster.run_for(STEADY)
    return cluster


@dataclass(frozen=True, slots=True)
class World:
    """A cluster in which some nodes are lost."""

    says: str
    nodes: tuple[str, ...]
    lost: tuple[str, ...]
    seed: int = SEEDS[0]
    slow: bool = False


def _zone(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02}" for number in range(1, count + 1))


@contextmanager
def _living(rules: Any, world: World) -> Iterator[tuple[Cluster, float]]:
    """The world's cluster and the moment at which its nodes are lost. What is wrong with the rules is told first."""
    checked = _Rules(rules)
    with _cluster(checked, world.seed, world.nodes) as cluster:
        if world.slow:
            cluster.fault("slow-watch", component=COMPONENT, delay=3, repeat=0.2, lose=0).start()
        moment = cluster.now
        for name in world.lost:
            cluster.fault("node-lost", node=name).start()
        with told_first(checked.faults):
            try:
                yield cluster, moment
            except Fault as seen:
                raise Fault(f"{world.says}: {seen}") from seen


def _ready(cluster: Cluster, name: str) -> str:
    return cluster.client.get(Node, name).ready


def _tainted(cluster: Cluster) -> dict[str, float]:
    """The nodes that drive their Pods out, and since when; the first one first."""
    found = {
        node.name: from_rfc3339(taint.time_added or "1970-01-01T00:00:00Z")
        for node in cluster.client.list(Node)
        for taint in node.spec.taints
        if is_eviction(taint)
    }
    return dict(sorted(found.items(), key=lambda each: each[1]))


# What is judged.

ONE_OF_THREE = tuple(
    World("one of three nodes was lost", _zone("a", 3), ("a01",), seed, seed != SEEDS[0]) for seed in SEEDS
)
TWO_OF_THREE = World("two of three nodes were lost", _zone("a", 3), _zone("a", 2))
THREE_OF_FIVE = World("three of five nodes were lost", _zone("a", 5), _zone("a", 3), SEEDS[1])
THREE_OF_SIX = World("three of six nodes were lost", _zone("a", 6), _zone("a", 3))
A_ZONE = World("all three nodes of zone a were lost, and none of zone b", _zone("a", 3) + _zone("b", 2), _zone("a", 3))
LARGE = World("forty of sixty nodes were lost", _zone("a", 60), _zone("a", 40))


def _judge_lost(rules: Any) -> None:
    for world in ONE_OF_THREE:
        late = 10.0 if world.slow else 0.0
        with _living(rules, world) as (cluster, moment):
            lease = cluster.client.get(Lease, "a01", "kube-node-lease")
            last = from_rfc3339(lease.spec.renew_time or "") - moment
            for silent, says in ((38, ""), (49, "; 40 s is what older texts say")):
                _run_to(cluster, moment + last + silent)
                early = f"{silent} s after its last sign it was taken for lost already. It has 50 s since Kubernetes 1.32{says}"
                _expect_ready(cluster, "a01", "True", early)
            _run_to(cluster, moment + last + 56 + late)
            _expect_ready(
                cluster, "a01", "Unknown", "56 s after its last sign nobody had noticed. After 50 s it is lost"
            )
            _expect_ready(cluster, "a02", "True", "a node that renews its lease every ten seconds was taken for lost")


def _run_to(cluster: Cluster, when: float) -> None:
    cluster.run_for(max(0.0, when - cluster.now))


def _judge_by_hand(rules: Any) -> None:
    with _living(rules, World("a node was made by hand", _zone("a", 2), ())) as (cluster, _):
        cluster.client.create(Node, {"metadata": {"name": "by-hand"}})
        cluster.run_for("58s")
        _expect_ready(cluster, "by-hand", "", "58 s later it was taken for lost. One that has never posted has 60 s")
        cluster.run_for("8s")
        _expect_ready(
            cluster, "by-hand", "Unknown", "66 s later nobody had noticed. One that has never posted has 60 s"
        )


def _expect_ready(cluster: Cluster, name: str, ready: str, otherwise: str) -> None:
    if _ready(cluster, name) != ready:
        raise Fault(otherwise)


def _judge_normal(rules: Any) -> None:
    for world in (TWO_OF_THREE, THREE_OF_SIX):
        with _living(rules, world) as (cluster, moment):
            cluster.run_for("120s")
            found = {name: round(when - moment) for name, when in _tainted(cluster).items()}
            if len(found) != len(world.lost):
                raise Fault(
                    f"two minutes later {_count(found)} NoExecute. The zone is {NORMAL}: more than two nodes, *and* at least "
                    "55 % of them, make a disruption"
                )
            _expect_pace(list(found.values()), 10)


def _judge_partial(rules: Any) -> None:
    with _living(rules, THREE_OF_FIVE) as (cluster, _):
        cluster.run_for("10m")
        if found := _tainted(cluster):
            raise Fault(
                f"ten minutes later {_count(found)} NoExecute, and their Pods are being evicted. Three of five are 60 %: in a "
                "small zone nothing may be evicted then"
            )


def _judge_full(rules: Any) -> None:
    with _living(rules, A_ZONE) as (cluster, moment):
        cluster.run_for("120s")
        found = {name: round(when - moment) for name, when in _tainted(cluster).items()}
        if len(found) != len(A_ZONE.lost):
            raise Fault(
                f"two minutes later {_count(found)} NoExecute. Zone a is in {FULL}, and zone b is well: so zone a is emptied, as "
                "fast as a normal one"
            )
        _expect_pace(list(found.values()), 10)


def _judge_large(rules: Any) -> None:
    with _living(rules, LARGE) as (cluster, _):
        cluster.run_for("500s")
        found = len(_tainted(cluster))
        if not 3 <= found <= 7:
            raise Fault(
                f"after 500 s {found} nodes have NoExecute, and about 5 should. The zone has more than 50 nodes: in a "
                f"{PARTIAL} it goes on, one node each 100 s"
            )


def _expect_pace(when: Sequence[int], seconds: int) -> None:
    for first, second in pairwise(when):
        if abs(second - first - seconds) > 2:
            raise Fault(
                f"the nodes got NoExecute {', '.join(map(str, when))} s after they were lost. One each {seconds} s: "
                f"a rate is in nodes a second, {1 / seconds:g}"
            )


def _count(found: Mapping[str, Any]) -> str:
    if not found:
        return "no node has"
    return f"{len(found)} node{'s have' if len(found) > 1 else ' has'}"


LOST = "a silent node is lost after 50 s"

RULES = Check(
    [
        Criterion(LOST, 1, _judge_lost),
        Criterion("one that never posted has a minute", 1, _judge_by_hand, needs=LOST),
        Criterion("a normal zone: one node each 10 s", 1, _judge_normal, needs=LOST),
        Criterion("too many in a small zone: none", 1, _judge_partial, needs=LOST),
        Criterion("a zone that is lost as a whole", 1, _judge_full, needs=LOST),
        Criterion("too many in a large zone: slowly", 1, _judge_large, needs=LOST),
    ],
    hints=[
        "All numbers are in the table of chapter 07, in the section `When many are lost`. `silent` is in seconds.",
        "zone_state: first the zone without a ready node. Then two conditions that must both hold: more than 2, and "
        "not_ready / (ready + not_ready) >= 0.55.",
        "eviction_rate: 0.1 for Normal and for FullDisruption. For PartialDisruption 0.01 if size > 50, else 0. That all zones "
        "are lost is not your business here: the controller sees to that.",
    ],
)
