"""How fast may Pods be taken off nodes that are not ready? That depends on their neighbours.

One silent node is probably dead. If most of a zone falls silent at once, it is probably the network, or the controller's own
line: to evict everything then would make a small trouble a big one.

| the zone               | when                                               | nodes tainted a second            |
|------------------------|----------------------------------------------------|-----------------------------------|
| Normal                 | otherwise                                          | 0.1                               |
| PartialDisruption      | more than 2 nodes, and 55 % of all, are not ready  | 0.01; none in a zone of 50 or less |
| FullDisruption         | no node is ready                                   | 0.1                               |
| every zone like that   | (*master disruption*)                              | none: the fault is likely ours    |

Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go (ComputeZoneState, handleDisruption, HealthyQPSFunc,
ReducedQPSFunc), k8s.io/component-helpers/node/topology (GetZoneKey).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8slab.api.core import Node

INITIAL, NORMAL, PARTIAL, FULL = "Initial", "Normal", "PartialDisruption", "FullDisruption"
UNHEALTHY_SHARE, UNHEALTHY_COUNT = 0.55, 2
EVICTION_RATE, SECONDARY_EVICTION_RATE = 0.1, 0.01
LARGE_ZONE = 50
"""Up to so many nodes a zone counts as small."""
EXCLUDE_LABEL = "node.kubernetes.io/exclude-disruption"
REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"

ZoneState = Callable[[int, int], str]
EvictionRate = Callable[[str, int], float]


def zone_of(node: Node) -> str:
    """`region:zone`, as the node's labels say; empty if they do not."""
    labels = node.metadata.labels
    region, zone = labels.get(REGION, ""), labels.get(ZONE, "")
    return f"{region}:{zone}" if region or zone else ""


def zone_state(ready: int, not_ready: int) -> str:
    """The state of a zone of so many nodes that are ready, and that are not."""
    if not ready and not_ready:
        return FULL
    if not_ready > UNHEALTHY_COUNT and not_ready / (ready + not_ready) >= UNHEALTHY_SHARE:
        return PARTIAL
    return NORMAL


def eviction_rate(state: str, size: int) -> float:
    """How many nodes a second may be tainted in a zone of that state, with so many nodes."""
    if state == PARTIAL:
        return SECONDARY_EVICTION_RATE if size > LARGE_ZONE else 0.0
    return EVICTION_RATE


def all_disrupted(states: Iterable[str]) -> bool:
    """Whether no zone has a ready node."""
    return all(state == FULL for state in states)
