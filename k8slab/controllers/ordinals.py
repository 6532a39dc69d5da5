"""What a StatefulSet does next, as pure functions.

Its Pods are numbered, and the numbers are a rank: OrderedReady makes the next Pod when all before it are available, and
removes the last first, one at a time. Parallel does not wait. An update goes from the last to the first in either case.

Models: pkg/controller/statefulset/stateful_set_control.go (processReplica, processCondemned, updateStatefulSet).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from k8slab.api.apps import StatefulSet
from k8slab.api.core import Pod

_NAME = re.compile(r"(.*)-([0-9]+)")
CREATE, DELETE, UPDATE = "create", "delete", "update"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about the Pod of an ordinal. `pod`: the one there is."""

    verb: str
    """`create`; `delete`, for it is in the way; `update`: delete, for it is of an old version."""
    ordinal: int
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides about the Pods of a set."""

    ordinals: range
    """Those that there should be."""
    ordered: bool
    available: Callable[[Pod], bool]
    """Whether a Pod has been ready for long enough."""
    outdated: Callable[[Pod], bool]
    """Whether a Pod is of another version than it should be in the end."""
    update_from: int | None
    """The first ordinal that an update touches; None: it waits until somebody deletes the Pods."""
    unavailable: int = 1
    """How many Pods an update may take away at a time."""


def ordinal_of(name: str, owner: str) -> int | None:
    """The number in a Pod's name, None if it is not a name of this owner's."""
    match = _NAME.fullmatch(name)
    return int(match[2]) if match and match[1] == owner else None


def next_steps(plan: Plan, pods: Mapping[int, Pod]) -> list[Step]:
    """What to do now. `pods`: those there are, by ordinal. In an ordered set one step at most."""
    steps: list[Step] = []
    for ordinal in plan.ordinals:
        pod = pods.get(ordinal)
        step = _living(ordinal, pod)
        steps += [step] if step else []
        if plan.ordered and (step or not _healthy(plan, pod)):
            return steps
    surplus = sorted((each for each in pods if each not in plan.ordinals), reverse=True)
    condemned = _condemned(plan, pods, surplus)
    if plan.ordered and surplus:
        return condemned[:1]
    steps += condemned
    return steps + _updates(plan, pods, {step.ordinal for step in steps})


def _living(ordinal: int, pod: Pod | None) -> Step | None:
    """A Pod that should be there, and is not, or has ended."""
    if pod is None:
        return Step(CREATE, ordinal)
    if pod.finished and not pod.metadata.deleting:
        return Step(DELETE, ordinal, pod)
    return None


def _condemned(plan: Plan, pods: Mapping[int, Pod], surplus: Sequence[int]) -> list[Step]:
    """Those beyond the number, the last first. An ordered set waits for them too, but for the first that is not well."""
    ill = [ordinal for ordinal in surplus if not _healthy(plan, pods[ordinal])]
    steps = []
    for ordinal in surplus:
        if plan.ordered and ordinal in ill and (pods[ordinal].metadata.deleting or ordinal != ill[-1]):
            break
        if not pods[ordinal].metadata.deleting:
            steps.append(Step(DELETE, ordinal, pods[ordinal]))
    return steps


def _updates(plan: Plan, pods: Mapping[int, Pod], busy: set[int]) -> list[Step]:
    """From the last to the first; one that is away, or not available yet, counts as one of those that may be."""
    steps: list[Step] = []
    if plan.update_from is None:
        return steps
    spare = plan.unavailable
    for ordinal in reversed([each for each in plan.ordinals if each >= plan.update_from]):
        if spare == 0:
            break
        pod = pods.get(ordinal)
        if pod is not None and ordinal not in busy and plan.outdated(pod) and not pod.metadata.deleting:
            steps.append(Step(UPDATE, ordinal, pod))
            spare -= 1
        elif not _healthy(plan, pod):
            spare -= 1
    return steps


def _healthy(plan: Plan, pod: Pod | None) -> bool:
    return pod is not None and not pod.metadata.deleting and plan.available(pod)


# What the set's words come to.


def ordinals_of(stateful: StatefulSet) -> range:
    """The numbers of its Pods."""
    start = stateful.spec.ordinals.start
    return range(start, start + stateful.spec.replicas)


def update_from(stateful: StatefulSet) -> int | None:
    """The first ordinal that gets the new version; None if no Pod gets it by itself."""
    strategy = stateful.spec.update_strategy
    if strategy.type != "RollingUpdate":
        return None
    return stateful.spec.ordinals.start + int((strategy.rolling_update or {}).get("partition", 0))


def unavailable_of(stateful: StatefulSet) -> int:
    """How many Pods an update may take away at a time: 1 unless the strategy says more. A percentage rounds up."""
    value = (stateful.spec.update_strategy.rolling_update or {}).get("maxUnavailable", 1)
    if isinstance(value, str):
        value = ceil(int(value.rstrip("%")) * stateful.spec.replicas / 100)
    return max(1, value)
