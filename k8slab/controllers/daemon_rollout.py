"""Which Pods a DaemonSet makes and removes, as pure functions.

`manage` keeps one Pod on each node. `roll` moves on to a new version: by deleting old Pods, as many as may be unavailable; or,
with a surge, by making new Pods beside old ones, as many as the surge allows.

Models: pkg/controller/daemon/daemon_controller.go (podsShouldBeOnNode), update.go (rollingUpdate).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from k8slab.api.core import Pod
from k8slab.controllers.daemon_placement import Verdict


@dataclass(frozen=True, slots=True)
class Version:
    """How Pods are judged."""

    new: Callable[[Pod], bool]
    """Whether a Pod is of the present version."""
    available: Callable[[Pod], bool]
    """Whether it has been ready for long enough."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a rollout may go at any moment; one of the two is 0."""

    surge: int
    unavailable: int


@dataclass(slots=True)
class Changes:
    """What is to be done."""

    create: list[str] = field(default_factory=list)
    """Nodes."""
    delete: list[Pod] = field(default_factory=list)
    ended: list[Pod] = field(default_factory=list)
    """Those that have ended by themselves: to be deleted too, the failed ones not too often."""


def limits(rolling: Mapping[str, int | str] | None, nodes: int) -> Limits:
    """Percentages resolved; both round up. Both 0 would never move, so then 1 is unavailable."""
    given = rolling or {}
    surge, unavailable = (_resolve(given.get(name, default), nodes) for name, default in _DEFAULTS)
    return Limits(surge, unavailable or int(not surge))


_DEFAULTS = (("maxSurge", 0), ("maxUnavailable", 1))


def _resolve(value: int | str, total: int) -> int:
    return value if isinstance(value, int) else ceil(int(value.rstrip("%")) * total / 100)


def by_seniority(pod: Pod) -> tuple[bool, str, str]:
    """Those that are on their node first, then the oldest."""
    return not pod.spec.node_name, pod.metadata.creation_timestamp, pod.name


def manage(changes: Changes, verdict: Verdict, node: str, pods: Sequence[Pod], version: Version, surge: bool) -> None:
    """Note what is to be done on one node. `pods`: the DaemonSet's there."""
    if verdict.run and not pods:
        changes.create.append(node)
        return
    staying = [pod for pod in pods if not pod.metadata.deleting]
    if not verdict.stay:
        changes.delete += staying
        return
    changes.ended += [pod for pod in staying if pod.finished]
    running = sorted((pod for pod in staying if not pod.finished), key=by_seniority)
    if not surge:
        changes.delete += running[1:]
        return
    if not running and verdict.run:
        changes.create.append(node)  # one that is going need not be waited for
    new = [pod for pod in running if version.new(pod)]
    old = [pod for pod in running if not version.new(pod)]
    changes.delete += [*new[1:], *old[1:]]
    if new and old and (not old[0].ready or version.available(new[0])):
        changes.delete.append(old[0])


def roll(
    verdicts: Mapping[str, Verdict], pods: Mapping[str, Sequence[Pod]], version: Version, allowed: Limits
) -> Changes:
    """What a rolling update does now. `pods`: by node; `verdicts`: of all nodes."""
    desired = sum(verdict.run for verdict in verdicts.values())
    nodes = sorted({*pods, *(node for node, verdict in verdicts.items() if verdict.run)})
    pairs = {node: _pair(pods.get(node, ()), version) for node in nodes}
    if allowed.surge:
        return _surge(pairs, verdicts, desired, version, allowed.surge)
    return _replace(pairs, version, allowed.unavailable)


_Pair = tuple[Pod | None, Pod | None] | None
"""The new and the old Pod on a node; None if there are more: `manage` will see to that first."""


def _pair(pods: Sequence[Pod], version: Version) -> _Pair:
    staying = [pod for pod in pods if not pod.metadata.deleting]
    new = [pod for pod in staying if version.new(pod)]
    old = [pod for pod in staying if not version.new(pod)]
    if len(new) > 1 or len(old) > 1:
        return None
    return (new[0] if new else None), (old[0] if old else None)


def _replace(pairs: Mapping[str, _Pair], version: Version, allowed: int) -> Changes:
    """Delete old Pods: those that are unavailable anyway, and as many others as may be."""
    broken: list[Pod] = []
    candidates: list[Pod] = []
    unavailable = 0
    for pair in pairs.values():
        new, old = pair or (None, None)
        if (new is None) == (old is None):
            unavailable += 1
        elif new is not None:
            unavailable += not version.available(new)
        elif old is not None and not version.available(old):
            broken.append(old)
            unavailable += 1
        elif old is not None:
            candidates.append(old)
    return Changes(delete=[*broken, *candidates[: max(0, allowed - unavailable)]])


def _surge(
    pairs: Mapping[str, _Pair], verdicts: Mapping[str, Verdict], desired: int, version: Version, allowed: int
) -> Changes:
    """Make new Pods beside old ones: where the old is unavailable anyway, and as many others as may be."""
    changes, candidates, leaving = Changes(), list[str](), list[Pod]()
    surge = available = 0
    for node, pair in pairs.items():
        if pair is None:
            surge += 1
            continue
        new, old = pair
        present = old or new
        available += present is not None and version.available(present)
        if old is None:
            continue
        may_run = node in verdicts and verdicts[node].run
        if new is not None:
            if version.available(new):
                changes.delete.append(old)
            else:
                surge += 1
        elif not version.available(old):
            (changes.create.append(node) if may_run else changes.delete.append(old))
        elif may_run:
            candidates.append(node)
        else:
            leaving.append(old)
    changes.create += candidates[: max(0, allowed - surge)]
    changes.delete += leaving[: max(0, available - desired)]
    return changes
