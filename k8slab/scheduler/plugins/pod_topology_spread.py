"""Pods of one sort spread evenly over zones, hosts, or whatever a label of nodes tells apart.

For each constraint the Pods that it counts are summed up by domain (by value of the label). The *skew* of a domain is its count
less the lowest count of all; with one Pod more it must not exceed `maxSkew` (DoNotSchedule), or had better not
(ScheduleAnyway).

Left out: the constraints that upstream adds by itself for Pods of a Service or a workload.
Models: pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from k8slab.api.placement import wants_node
from k8slab.apimachinery.labels import Selector, from_label_selector
from k8slab.scheduler.framework import MAX_SCORE, Plugin, State
from k8slab.scheduler.node_info import NodeInfo, PodInfo

LEFT_OUT = ("The constraints that upstream adds by itself, for Pods of a Service or a workload, are left out.",)

HOSTNAME = "kubernetes.io/hostname"
UNEVEN = "node(s) didn't match pod topology spread constraints"
UNLABELED = f"{UNEVEN} (missing required label)"


@dataclass(slots=True)
class Constraint:
    """One constraint, and the counts by domain."""

    key: str
    max_skew: int
    min_domains: int
    selector: Selector
    any_node: bool
    """Whether nodes count that the Pod would never go to, for its node affinity."""
    untainted: bool
    """Whether only nodes count whose taints the Pod bears."""
    matches_itself: bool
    domains: dict[str, int] = field(default_factory=dict)

    @property
    def lowest(self) -> int:
        """The lowest count of all domains; 0 as long as there are fewer domains than there should be."""
        return min(self.domains.values(), default=0) if len(self.domains) >= self.min_domains else 0


class PodTopologySpread(Plugin):
    """Spreading."""

    name, weight = "PodTopologySpread", 2

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Most have no constraints."""
        return not pod.pod.spec.topology_spread_constraints

    def pre_filter(self, state: State, pod: PodInfo) -> Sequence[str]:
        """Count for the constraints that must be met."""
        hard = constraints_of(pod, "DoNotSchedule")
        _count(hard, pod, state.nodes)
        state.data[self.name] = hard
        return ()

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """No domain may get too far ahead."""
        hard: list[Constraint] = state.data[self.name]
        labels = node.node.metadata.labels
        for each in hard:
            if each.key not in labels:
                return (UNLABELED,)
            there = each.domains.get(labels[each.key], 0)
            if there + each.matches_itself - each.lowest > each.max_skew:
                return (UNEVEN,)
        return ()

    def is_hopeless(self, pod: PodInfo, node: NodeInfo, reasons: Sequence[str]) -> bool:
        """A node without the label has no domain."""
        return UNLABELED in reasons

    def pre_score(self, state: State, pod: PodInfo, nodes: Sequence[NodeInfo]) -> None:
        """Count for the constraints that had better be met."""
        soft = constraints_of(pod, "ScheduleAnyway")
        _count(soft, pod, state.nodes)
        here = {
            labels[each.key] for each in soft for node in nodes if each.key in (labels := node.node.metadata.labels)
        }
        for each in soft:
            each.domains = {value: count for value, count in each.domains.items() if value in here}
        state.data["soft"] = soft

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """How many there are already; the more domains a constraint has, the more it counts."""
        soft: list[Constraint] = state.data["soft"]
        labels = node.node.metadata.labels
        found = 0.0
        for each in soft:
            if each.key in labels:
                weight = math.log(len(each.domains) + 2)
                found += each.domains.get(labels[each.key], 0) * weight + (each.max_skew - 1)
        return float(round(found))

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """The fewer the better; nodes without one of the labels get nothing."""
        soft: list[Constraint] = state.data["soft"]
        if not soft:
            return [0.0] * len(scores)
        labelled = [all(each.key in node.node.metadata.labels for each in soft) for node in nodes]
        counted = [score for score, has in zip(scores, labelled, strict=True) if has]
        low, high = min(counted, default=0.0), max(counted, default=0.0)
        if not high:
            return [float(MAX_SCORE) if has else 0.0 for has in labelled]
        return [
            float(int(MAX_SCORE * (high + low - score) / high)) if has else 0.0
            for score, has in zip(scores, labelled, strict=True)
        ]


def constraints_of(pod: PodInfo, unsatisfiable: str) -> list[Constraint]:
    """A Pod's constraints of one sort, nothing counted yet."""
    found = []
    labels = pod.pod.metadata.labels
    for raw in pod.pod.spec.topology_spread_constraints:
        if raw.get("whenUnsatisfiable") != unsatisfiable:
            continue
        selector = from_label_selector(_with_keys(raw, labels))
        found.append(
            Constraint(
                raw.get("topologyKey", ""),
                raw.get("maxSkew", 1),
                raw.get("minDomains") or 1,
                selector,
                raw.get("nodeAffinityPolicy", "Honor") == "Ignore",
                raw.get("nodeTaintsPolicy", "Ignore") == "Honor",
                selector.matches(labels),
            )
        )
    return found


def _with_keys(raw: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any] | None:
    """`matchLabelKeys`: as if the Pod's own values of these labels stood in the selector."""
    selector = raw.get("labelSelector")
    keys = [key for key in raw.get("matchLabelKeys") or () if key in labels]
    if selector is None or not keys:
        return selector
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **{key: labels[key] for key in keys}}}


def _count(constraints: Sequence[Constraint], pod: PodInfo, nodes: Sequence[NodeInfo]) -> None:
    """Fill in the domains, from those nodes that have all the labels."""
    for node in nodes if constraints else ():
        labels = node.node.metadata.labels
        if any(each.key not in labels for each in constraints):
            continue
        wanted = wants_node(pod.pod, node.node)
        for each in constraints:
            if (each.any_node or wanted) and (not each.untainted or _bears_taints(pod, node)):
                count = sum(
                    1
                    for other in node.pods.values()
                    if other.namespace == pod.pod.namespace
                    and not other.deleting
                    and each.selector.matches(other.labels)
                )
                each.domains[labels[each.key]] = each.domains.get(labels[each.key], 0) + count


def _bears_taints(pod: PodInfo, node: NodeInfo) -> bool:
    hard = [taint for taint in node.node.spec.taints if taint.effect in ("NoSchedule", "NoExecute")]
    return all(any(each.tolerates(taint) for each in pod.pod.spec.tolerations) for taint in hard)
