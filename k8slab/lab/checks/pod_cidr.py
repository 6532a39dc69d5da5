"""The judge of "A range for every node".

The learner writes two pure functions: which range has a given number, and which number comes next. The second one is put into
a real cluster's node IPAM controller, in clusters of the judge's own: other seeds, nodes that come and go, a watch that tells
late and twice, a range that is too small. What counts is which ranges the nodes have in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from itertools import islice
from typing import Any

from k8slab.api.core import Event, Node
from k8slab.controllers.node_ipam import NodeIpamController
from k8slab.lab.checks import Aloud, Check, Criterion, Fault, Result, check_callable, limited, raised, shown
from k8slab.lab.checks.guarded import told_first
from k8slab.lab.cluster import Cluster

COMPONENT = "node-ipam-controller"
SEEDS = (3, 11)
LARGE, SMALL = "10.244.0.0/16", "10.244.0.0/22"
SMALL_COUNT = 4
SETTLE = "30s"


def practice(next_free: Any, cluster_cidr: str = LARGE) -> Cluster:
    """A cluster of three nodes whose ranges are chosen by `next_free`. What goes wrong with it is printed."""
    find = _Guarded(limited(next_free))
    find.faults = Aloud()
    return _cluster(find, 1, cluster_cidr, 3)


def check_cidr(cidr_of: Any) -> Result:
    """Ask for some parts of some ranges. 2 points."""
    return CIDR(cidr_of)


def check_allocation(next_free: Any) -> Result:
    """Let `next_free` give ranges to nodes, in clusters of the judge's own. 4 points."""
    return ALLOCATION(next_free)


# Which range has this number?

Part = tuple[str, int, int]
CASES: Mapping[str, tuple[Part, ...]] = {
    "parts of /24": ((LARGE, 24, 0), (LARGE, 24, 1), (LARGE, 24, 255), ("172.16.0.0/12", 24, 300)),
    "parts of other sizes": (
        ("10.244.0.0/16", 26, 5),
        ("10.128.64.0/18", 27, 9),
        ("10.0.0.0/8", 16, 200),
        (LARGE, 16, 0),
    ),
}


def _right(part: Part) -> str:
    cluster_cidr, mask, number = part
    return str(next(islice(ip_network(cluster_cidr).subnets(new_prefix=mask), number, None)))


def _judge_parts(parts: tuple[Part, ...]) -> Callable[[Any], None]:
    def judge(cidr_of: Any) -> None:
        check_callable("cidr_of", cidr_of)
        for part in parts:
            _judge_part(cidr_of(*part), part)

    return judge


def _judge_part(said: Any, part: Part) -> None:
    cluster_cidr, mask, number = part
    if not isinstance(said, str):
        raise Fault(f"`cidr_of` should return a text, but what it returned is {shown(said)}")
    if said == (right := _right(part)):
        return
    asked = f"cidr_of({cluster_cidr!r}, {mask}, {number}) is {right!r}, and you said {said!r}"
    if "/" not in said:
        raise Fault(f"{asked}. A range is an address, a slash, and how many bits of it are given")
    if said.partition("/")[0] == right.partition("/")[0]:
        raise Fault(f"{asked}. The address is right; behind the slash comes the mask of the part, {mask}")
    size = 2 ** (32 - mask)
    raise Fault(f"{asked}. A part of /{mask} has 2 ** (32 - {mask}) = {size} addresses, so part {number} begins "
                f"{number} * {size} addresses behind the first one")  # fmt: skip


CIDR = Check(
    [Criterion(name, 1, _judge_parts(parts)) for name, parts in CASES.items()],
    hints=[
        "An address is a number of 32 bits: `int(ipaddress.ip_address('10.244.0.0'))`. And a number is an address: "
        "`ipaddress.ip_address(number)`.",
        "The first address of the cluster's range is `ipaddress.ip_network(cluster_cidr).network_address`. "
        "How many addresses has one part? How many parts come before this one?",
        "first = int(ipaddress.ip_network(cluster_cidr).network_address), size = 2 ** (32 - mask), and the part begins at "
        "ipaddress.ip_address(first + number * size).",
    ],
)


# Which number comes next?


class _Guarded:
    """The learner's function in a controller's hands: it may raise, or say what makes no sense, and the cluster goes on."""

    def __init__(self, next_free: Any) -> None:
        check_callable("next_free", next_free)
        self._next_free = next_free
        self.faults: list[str] = []

    def __call__(self, taken: Collection[int], count: int, start: int) -> int | None:
        try:
            said = self._next_free(set(taken), count, start)
        except Exception as error:
            self.faults.append(raised(error))
            return None
        asked = f"next_free({_some(taken)}, {count}, {start})"
        if said is None:
            return None
        if not isinstance(said, int) or isinstance(said, bool):
            self.faults.append(f"`next_free` should return a number, or None; {asked} returned {shown(said)}")
            return None
        if not 0 <= said < count:
            self.faults.append(f"{asked} returned {said}, but the parts have the numbers 0 to {count - 1}")
            return None
        return said


def _some(taken: Collection[int]) -> str:
    return "{" + ", ".join(map(str, sorted(taken))) + "}" if taken else "set()"


def _cluster(find: _Guarded, seed: int, cluster_cidr: str, nodes: int) -> Cluster:
    make = partial(NodeIpamController, find=find, cluster_cidr=cluster_cidr)
    return Cluster(nodes=nodes, seed=seed, replace={"node-ipam": make})


@contextmanager
def _world(next_free: Any, seed: int, cluster_cidr: str = LARGE, nodes: int = 0) -> Iterator[Cluster]:
    """A cluster with the learner's function in it. What was wrong with that is told first, whatever else is."""
    find = _Guarded(next_free)
    with _cluster(find, seed, cluster_cidr, nodes) as cluster, told_first(find.faults):
        yield cluster


def _add(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.client.create(Node, {"metadata": {"name": name}})
        cluster.run_for(SETTLE)


def _delete(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.client.delete(Node, name)
        cluster.run_for(SETTLE)


def _ranges(cluster: Cluster) -> dict[str, str]:
    return {node.name: node.spec.pod_cidr for node in cluster.client.list(Node)}


def _told(ranges: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {cidr or 'none'}" for name, cidr in ranges.items())


def _expect_all_different(cluster: Cluster) -> None:
    ranges = _ranges(cluster)
    without = [name for name, cidr in ranges.items() if not cidr]
    if without:
        raise Fault(
            f"the node {without[0]!r} has no range, though there are many left. The nodes have: {_told(ranges)}"
        )
    for name, cidr in ranges.items():
        if twin := next((other for other in ranges if other != name and ranges[other] == cidr), None):
            raise Fault(
                f"the nodes {name!r} and {twin!r} have the same range, {cidr}: their Pods will have the same addresses. "
                "What is in `taken` must not be given again"
            )


def _judge_own(next_free: Any) -> None:
    for seed in SEEDS:
        with _world(next_free, seed, nodes=3) as cluster:
            cluster.fault("slow-watch", component=COMPONENT, delay=8, repeat=0.3, lose=0).start()
            for number in range(3):
                cluster.client.create(Node, {"metadata": {"name": f"late-{number}"}})
            cluster.run_for("60s")
            _delete(cluster, "late-1")
            _add(cluster, "late-3", "late-4")
            _expect_all_different(cluster)


def _judge_turn(next_free: Any) -> None:
    with _world(next_free, SEEDS[0]) as cluster:
        _add(cluster, "a", "b", "c")
        before = _ranges(cluster)
        _delete(cluster, "a", "c")
        _add(cluster, "d", "a")
        after = _ranges(cluster)
        again = [name for name in ("d", "a") if after[name] in (before["a"], before["c"])]
        if again:
            raise Fault(
                f"after a, b and c, the nodes a and c were deleted, and d and a added: {again[0]} got {after[again[0]]}, which "
                "had just been given back. Others come first: the search begins at `start`, behind the one that was given last"
            )


def _judge_round(next_free: Any) -> None:
    with _world(next_free, SEEDS[1], SMALL) as cluster:
        for name, cidr in (("y", "10.244.2.0/24"), ("z", "10.244.3.0/24")):
            cluster.client.create(Node, {"metadata": {"name": name}, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}})
        _add(cluster, "a", "b")
        _delete(cluster, "a")
        _add(cluster, "c")
        found = _ranges(cluster)
        if not found["c"]:
            raise Fault(
                "y and z have the parts 2 and 3, and a and b got 0 and 1; then a was deleted, and c was added, with start = 2: "
                "part 0 is free, and c got none. Behind the last number comes 0: the search goes round"
            )


def _judge_nothing_left(next_free: Any) -> None:
    with _world(next_free, SEEDS[0], SMALL) as cluster:
        _add(cluster, "a", "b", "c", "d", "e")
        found = _ranges(cluster)
        if sum(map(bool, found.values())) > SMALL_COUNT:
            raise Fault(
                f"there are {SMALL_COUNT} ranges, and five nodes have one: {_told(found)}. Return None if none is free"
            )
        reasons = {event.reason for event in cluster.client.list(Event)}
        if "CIDRNotAvailable" not in reasons:
            raise Fault("with five nodes and four ranges there should be an Event CIDRNotAvailable: return None")
        _delete(cluster, "c")
        found = _ranges(cluster)
        if not found["e"]:
            raise Fault(f"c was deleted, and e, which waited for a range, still has none: {_told(found)}")


OWN = "every node has a range of its own"

ALLOCATION = Check(
    [
        Criterion(OWN, 1, _judge_own),
        Criterion("what is given back waits for its turn", 1, _judge_turn, needs=OWN),
        Criterion("the search goes round", 1, _judge_round, needs=OWN),
        Criterion("nothing is left", 1, _judge_nothing_left, needs=OWN),
    ],
    hints=[
        "Look at the numbers start, start + 1, start + 2, ..., and return the first one that is not in `taken`.",
        "Behind count - 1 comes 0: `number % count` does that. How many numbers are there to look at, at most?",
        "for offset in range(count): number = (start + offset) % count. And behind the loop: None.",
    ],
)
