"""How far a rollout may go: its arithmetic, as pure functions.

Two fences: never more than `replicas + maxSurge` Pods, never fewer than `replicas - maxUnavailable` available ones. Each step
moves as far as the fences allow; what becomes available afterwards moves them on.

Models: pkg/controller/deployment/rolling.go, sync.go (scale), util/deployment_util.go (ResolveFenceposts, NewRSNewReplicas).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True, slots=True)
class Fences:
    """How far a rollout may go at any moment."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def maximum(self) -> int:
        """Never more Pods than this."""
        return self.replicas + self.surge

    @property
    def minimum(self) -> int:
        """Never fewer available Pods than this."""
        return self.replicas - self.unavailable


@dataclass(frozen=True, slots=True)
class Size:
    """A ReplicaSet, as the arithmetic sees it."""

    name: str
    replicas: int
    """What its spec says."""
    available: int
    """What its status says."""
    before: int = 0
    """The Deployment's maximum when this one was last sized; 0 if that is not known."""


def fences(kind: str, rolling: Mapping[str, int | str] | None, replicas: int) -> Fences:
    """Percentages resolved: surge rounds up, unavailable rounds down; both 0 would never move, so then 1 is unavailable."""
    if kind == "Recreate":
        return Fences(replicas, 0, 0)
    limits = rolling or {}
    surge = _resolve(limits.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _resolve(limits.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Fences(replicas, surge, min(unavailable, replicas))


def _resolve(value: int | str, total: int, up: bool) -> int:
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total / 100
    return ceil(share) if up else floor(share)


def new_size(limits: Fences, new: Size, old: Sequence[Size]) -> int:
    """How large the new ReplicaSet may be now."""
    total = new.replicas + sum(each.replicas for each in old)
    if new.replicas > limits.replicas:
        return limits.replicas
    room = limits.maximum - total
    return new.replicas + max(0, min(room, limits.replicas - new.replicas))


def old_sizes(limits: Fences, new: Size, old: Sequence[Size]) -> dict[str, int]:
    """How small the old ReplicaSets may be now, by name: those that change only. `old` is oldest first.

    First those Pods go that are not available anyway; then available ones, while enough others are.
    """
    sizes = {each.name: each.replicas for each in old}
    total = new.replicas + sum(sizes.values())
    room = total - limits.minimum - (new.replicas - new.available)
    if room <= 0:
        return {}
    cleaned = 0
    for each in old:
        broken = min(max(0, each.replicas - each.available), room - cleaned)
        sizes[each.name] -= broken
        cleaned += broken
    available = new.available + sum(min(each.available, each.replicas) for each in old)
    spare = available - limits.minimum
    for each in old:
        if spare <= 0:
            break
        gone = min(sizes[each.name], spare)
        sizes[each.name] -= gone
        spare -= gone
    return {each.name: sizes[each.name] for each in old if sizes[each.name] != each.replicas}


def proportions(limits: Fences, sets: Sequence[Size]) -> dict[str, int]:
    """Sizes after the Deployment was scaled in the middle of a rollout, by name: each ReplicaSet gets its share.

    `sets`: those with replicas, newest first. The largest are served first; of equals the newest when it grows, the oldest
    when it shrinks. What rounding leaves over goes to the largest.
    """
    total = sum(each.replicas for each in sets)
    allowed = limits.maximum if limits.replicas > 0 else 0
    change = allowed - total
    ordered = sorted(sets if change > 0 else reversed(sets), key=lambda each: -each.replicas)
    sizes = {each.name: each.replicas for each in sets}
    if not total:
        return sizes
    left = change
    for each in ordered:
        if left == 0:
            break
        share = floor(each.replicas * allowed / (each.before or total) + 0.5) - each.replicas
        share = min(share, left) if change > 0 else max(share, left)
        sizes[each.name] = max(0, each.replicas + share)
        left -= share
    if left and ordered:
        largest = ordered[0].name
        sizes[largest] = max(0, sizes[largest] + left)
    return sizes
