"""Whom to push aside: the least that makes room for a more important Pod.

On each node where fewer Pods would help: take away all that are less important; if the Pod fits then, put back as many as can
stay, the most important first, and those that a disruption budget protects before the others. Who cannot stay is a *victim*.
Of all nodes take the one where it hurts least.

Models: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go (SelectVictimsOnNode),
pkg/scheduler/framework/preemption/preemption.go (pickOneNodeForPreemption).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from k8slab.api.policy import PodDisruptionBudget
from k8slab.apimachinery.labels import Selector, from_label_selector
from k8slab.scheduler.fit_error import histogram
from k8slab.scheduler.framework import Plugin, State, Verdict, filter_nodes, fits
from k8slab.scheduler.node_info import NodeInfo, PodInfo, Resident

LEFT_OUT = (
    "Candidate nodes are looked at in their order; upstream begins at a random one.",
    "Fewest Pods with a budget broken is counted; how far each budget is overdrawn is not.",
)

NO_VICTIMS = "No preemption victims found for incoming pod"
NO_HELP = "Preemption is not helpful for scheduling"
PREFIX = "no new claims to deallocate, preemption: "
"""The first words are the DynamicResources plugin's: there are no claims that it could take from somebody."""
MIN_CANDIDATES, CANDIDATES_SHARE = 100, 0.1
"""So many candidates are enough, or such a share of the nodes."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget: whom it protects, and how many of them may go."""

    namespace: str
    selector: Selector
    allowed: int

    @classmethod
    def of(cls, budget: PodDisruptionBudget) -> Budget:
        """As it stands."""
        return cls(budget.namespace, from_label_selector(budget.spec.selector), budget.status.disruptions_allowed)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and who would have to go there."""

    node: str
    victims: tuple[Resident, ...]
    """The most important first."""
    violations: int
    """How many of them a budget protects."""


def find_room(
    plugins: Sequence[Plugin], state: State, pod: PodInfo, verdict: Verdict, budgets: Sequence[Budget]
) -> Candidate | str:
    """Where it hurts least to make room for a Pod that no node would take; or why there is none, in upstream's words."""
    if why := _not_eligible(state, pod):
        return f"{PREFIX}not eligible due to {why}"
    nodes = [node for node in state.nodes if node.name in verdict.reasons and node.name not in verdict.hopeless]
    candidates: list[Candidate] = []
    reasons: list[Sequence[str]] = [(NO_HELP,)] * len(verdict.hopeless)
    for node in nodes:
        found = candidate_on(plugins, state, pod, node, budgets)
        if isinstance(found, Candidate):
            candidates.append(found)
            if len(candidates) >= max(int(len(nodes) * CANDIDATES_SHARE), MIN_CANDIDATES):
                break
        else:
            reasons.append(found)
    if candidates:
        return pick_one(candidates)
    why = histogram(reason for each in reasons for reason in each)
    return f"{PREFIX}0/{len(state.nodes)} nodes are available: {why}."


def _not_eligible(state: State, pod: PodInfo) -> str:
    if pod.pod.spec.preemption_policy == "Never":
        return "preemptionPolicy=Never."
    nominated = pod.pod.status.nominated_node_name
    on_it = [each for node in state.nodes if node.name == nominated for each in node.pods.values()]
    if any(each.deleting and each.priority < pod.priority for each in on_it):
        return "a terminating pod on the nominated node."
    return ""


def candidate_on(
    plugins: Iterable[Plugin], state: State, pod: PodInfo, node: NodeInfo, budgets: Sequence[Budget]
) -> Candidate | Sequence[str]:
    """Who would have to go from a node; or the reasons why that would not help."""
    weaker = [each for each in node.pods.values() if each.priority < pod.priority]
    if not weaker:
        return (NO_VICTIMS,)
    plugins = tuple(plugins)
    kept = [each for each in node.pods.values() if each.priority >= pod.priority]
    emptied = node.with_pods(kept)
    if refusal := filter_nodes(plugins, state.with_node(emptied), pod, [emptied]).reasons:
        return refusal[node.name]
    protected, others = split_by_budgets(sorted(weaker, key=importance), budgets)
    victims, violations = [], 0
    for each in (*protected, *others):
        if fits(plugins, state, pod, node.with_pods([*kept, each])):
            kept.append(each)
        else:
            victims.append(each)
            violations += each in protected
    return Candidate(node.name, tuple(sorted(victims, key=importance)), violations)


def importance(pod: Resident) -> tuple[int, str]:
    """Sorts the most important first: by priority, then by who has been there longer."""
    return -pod.priority, pod.started or "~"  # who has not begun comes last


def split_by_budgets(pods: Sequence[Resident], budgets: Sequence[Budget]) -> tuple[list[Resident], list[Resident]]:
    """(those whose going would break a budget, the others), if they went in this order."""
    left = [budget.allowed for budget in budgets]
    protected: list[Resident] = []
    others: list[Resident] = []
    for pod in pods:
        breaks = False
        for place, budget in enumerate(budgets):
            if budget.namespace == pod.namespace and not budget.selector.empty and budget.selector.matches(pod.labels):
                left[place] -= 1
                breaks = breaks or left[place] < 0
        (protected if breaks else others).append(pod)
    return protected, others


def pick_one(candidates: Sequence[Candidate]) -> Candidate:
    """Where it hurts least: fewest budgets broken, then the least important first victim, the lowest sum of priorities, the
    fewest victims, and of those the ones that started last."""

    def hurt(candidate: Candidate) -> tuple[int, int, int, int]:
        priorities = [victim.priority for victim in candidate.victims]
        return candidate.violations, max(priorities), sum(priority + 2**31 for priority in priorities), len(priorities)

    least = min(hurt(each) for each in candidates)
    equals = [each for each in candidates if hurt(each) == least]
    return max(equals, key=_earliest_start_of_the_most_important)


def _earliest_start_of_the_most_important(candidate: Candidate) -> str:
    highest = candidate.victims[0].priority
    return min(victim.started or "~" for victim in candidate.victims if victim.priority == highest)
