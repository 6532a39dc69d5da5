"""Which Pods go first when there are too many.

A list of reasons, the first difference decides: a Pod that does little harm by going goes before one that does much.

Models: pkg/controller/controller_utils.go (ActivePodsWithRanks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log2
from typing import Any

from k8slab.api.core import Pod
from k8slab.clock import from_rfc3339

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def rank_for_deletion(pods: Sequence[Pod], related: Iterable[Pod], now: float) -> list[Pod]:
    """The Pods, those to be deleted first in front. `related`: all active Pods of the same workload, other versions too."""
    on_node = Counter(pod.spec.node_name for pod in related)

    def reasons(pod: Pod) -> tuple[Any, ...]:
        ready = pod.ready
        return (
            bool(pod.spec.node_name),
            _PHASES.get(pod.status.phase, 1),
            ready,
            _cost(pod),
            -on_node[pod.spec.node_name],
            _age(ready_since(pod), now) if ready else 0,
            -max((status.restart_count for status in pod.status.container_statuses), default=0),
            _age(from_rfc3339(pod.metadata.creation_timestamp), now),
            pod.uid,
        )

    return sorted(pods, key=reasons)


def ready_since(pod: Pod) -> float:
    """When it became ready, in seconds since the epoch; 0 if that is not known."""
    for condition in pod.status.conditions:
        if condition.type == "Ready" and condition.last_transition_time:
            return from_rfc3339(condition.last_transition_time)
    return 0.0


def is_available(pod: Pod, min_ready_seconds: int, now: float) -> bool:
    """Whether it is ready, and has been for long enough."""
    return pod.ready and (not min_ready_seconds or ready_since(pod) <= now - min_ready_seconds)


def _cost(pod: Pod) -> int:
    try:
        return int(pod.metadata.annotations.get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _age(since: float, now: float) -> int:
    """Ages in powers of two: Pods of about the same age are equal, so that chance, not order of birth, decides."""
    seconds = now - since
    return int(log2(seconds)) + 1 if seconds >= 1 else 0
