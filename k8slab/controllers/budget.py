"""The arithmetic of a disruption budget, as pure functions.

`minAvailable` says how many Pods must stay, `maxUnavailable` how many may be missing; a percentage is of the number that
there should be, which is what the Pods' controllers say (their scale), and is rounded up.

Models: pkg/controller/disruption/disruption.go (getExpectedPodCount, countHealthyPods, buildDisruptedPodMap,
nonTerminatingPodHasStaleDisruptionCondition).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

from k8slab.api.core import Pod
from k8slab.api.policy import PodDisruptionBudgetSpec
from k8slab.clock import from_rfc3339

DELETION_TIMEOUT = 120.0
"""An eviction that has not led to a deletion after so many seconds no longer counts."""

BY_KUBELET = "TerminationByKubelet"
"""A kubelet that ends a Pod may take any time."""


def needs_scale(spec: PodDisruptionBudgetSpec) -> bool:
    """Whether the number that there should be matters."""
    return spec.max_unavailable is not None or isinstance(spec.min_available, str)


def counts(spec: PodDisruptionBudgetSpec, pods: int, scale: int) -> tuple[int, int]:
    """(expected, desired healthy): how many Pods there should be, and how many of them must be healthy."""
    if spec.max_unavailable is not None:
        return scale, max(0, scale - share_of(spec.max_unavailable, scale))
    if isinstance(spec.min_available, str):
        return scale, share_of(spec.min_available, scale)
    return pods, spec.min_available or 0


def share_of(amount: int | str, total: int) -> int:
    """A number, or a percentage of a total, rounded up."""
    return ceil(int(amount.removesuffix("%")) * total / 100) if isinstance(amount, str) else amount


def still_disrupted(pods: Iterable[Pod], disrupted: Mapping[str, str], now: float) -> dict[str, str]:
    """Of the Pods that were evicted those that are still to be deleted: the eviction has not arrived yet."""
    found = {}
    for pod in pods:
        when = disrupted.get(pod.name)
        if when is not None and not pod.metadata.deleting and now < from_rfc3339(when) + DELETION_TIMEOUT:
            found[pod.name] = when
    return found


def seconds_to_stale(pod: Pod, now: float) -> float | None:
    """In how many seconds the word that a Pod is to be disrupted no longer counts, for it is still there; None: it counts."""
    said = pod.condition("DisruptionTarget")
    if said is None or said.status != "True" or said.reason == BY_KUBELET or not pod.active:
        return None
    since = from_rfc3339(said.last_transition_time) if said.last_transition_time else now
    return max(0.0, since + DELETION_TIMEOUT - now)


def healthy(pods: Iterable[Pod], disrupted: Mapping[str, str]) -> int:
    """How many are ready, and neither evicted nor being deleted."""
    return sum(1 for pod in pods if pod.ready and not pod.metadata.deleting and pod.name not in disrupted)
