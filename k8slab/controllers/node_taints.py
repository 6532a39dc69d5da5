"""Which taints a node should have: its conditions, said in the language of the scheduler.

| what                     | is       | keeps Pods off by                                  |
|--------------------------|----------|----------------------------------------------------|
| Ready                    | False    | node.kubernetes.io/not-ready                       |
| Ready                    | Unknown  | node.kubernetes.io/unreachable                     |
| MemoryPressure           | True     | node.kubernetes.io/memory-pressure                 |
| DiskPressure             | True     | node.kubernetes.io/disk-pressure                   |
| PIDPressure              | True     | node.kubernetes.io/pid-pressure                    |
| NetworkUnavailable       | True     | node.kubernetes.io/network-unavailable             |
| spec.unschedulable       | true     | node.kubernetes.io/unschedulable                   |

All of these say NoSchedule, and follow the conditions at once. The first two come as NoExecute too, which drives out the Pods
that are there already: not at once, but when the zone's turn has come (`node_zones.py`).

Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go (nodeConditionToTaintKeyStatusMap, doNoScheduleTaintingPass).
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Node, Taint
from k8slab.clock import to_rfc3339

PREFIX = "node.kubernetes.io/"
NOT_READY, UNREACHABLE, UNSCHEDULABLE = PREFIX + "not-ready", PREFIX + "unreachable", PREFIX + "unschedulable"
OUT_OF_SERVICE = PREFIX + "out-of-service"
BY_CONDITION: Mapping[tuple[str, str], str] = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): PREFIX + "memory-pressure",
    ("DiskPressure", "True"): PREFIX + "disk-pressure",
    ("PIDPressure", "True"): PREFIX + "pid-pressure",
    ("NetworkUnavailable", "True"): PREFIX + "network-unavailable",
}
MANAGED = (*BY_CONDITION.values(), UNSCHEDULABLE)


def wanted_taints(node: Node, evicting: bool | None, now: float) -> list[Taint]:
    """The taints that a node should have. Those that somebody else has put there stay.

    `evicting`: whether Pods are to be driven out, None if that is not decided: then it stays as it is.
    """
    keys = [BY_CONDITION[pair] for each in node.status.conditions if (pair := (each.type, each.status)) in BY_CONDITION]
    if node.spec.unschedulable:
        keys.append(UNSCHEDULABLE)
    wanted = [(key, "NoSchedule") for key in keys]
    if evicting is None:
        wanted += [(taint.key, "NoExecute") for taint in node.spec.taints if is_eviction(taint)]
    elif evicting and (key := BY_CONDITION.get(("Ready", node.ready))):
        wanted.append((key, "NoExecute"))
    kept = [taint for taint in node.spec.taints if (taint.key, taint.effect) in wanted or not _is_ours(taint)]
    there = {(taint.key, taint.effect) for taint in kept}
    added = [
        Taint(key=key, effect=effect, time_added=to_rfc3339(now))
        for key, effect in wanted
        if (key, effect) not in there
    ]
    return kept + added


def is_eviction(taint: Taint) -> bool:
    """Whether it is one of the two by which Pods are driven off a node that is not ready."""
    return taint.effect == "NoExecute" and taint.key in (NOT_READY, UNREACHABLE)


def _is_ours(taint: Taint) -> bool:
    return is_eviction(taint) or (taint.effect == "NoSchedule" and taint.key in MANAGED)
