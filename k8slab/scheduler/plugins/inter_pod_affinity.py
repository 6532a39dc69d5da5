"""Near to some Pods, away from others.

*Near* is a label of nodes (`topologyKey`): same host, same zone. For each term the Pods that it means are counted by the value
of that label; a node is then judged by the counts of its own values. Anti-affinity is mutual: a Pod that wants to be away from
others keeps them away too.

Models: pkg/scheduler/framework/plugins/interpodaffinity (filtering.go, scoring.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from k8slab.scheduler.framework import MAX_SCORE, Plugin, State
from k8slab.scheduler.node_info import NodeInfo, PodInfo, Resident
from k8slab.scheduler.plugins.terms import AFFINITY, ANTI_AFFINITY, Term, preferred_terms, required_terms

HARD_WEIGHT = 1
"""How much the required affinity of a Pod that is there speaks for having the newcomer near it."""
NOT_NEAR = "node(s) didn't match pod affinity rules"
NOT_AWAY = "node(s) didn't match pod anti-affinity rules"
KEPT_AWAY = "node(s) didn't satisfy existing pods anti-affinity rules"
Place = tuple[str, str]
"""A label of nodes and a value of it."""


@dataclass(slots=True)
class Counts:
    """Where the Pods are that matter to this one."""

    near: list[Term]
    away: list[Term]
    wanted: Counter[Place] = field(default_factory=Counter)
    """Pods that match all of `near`."""
    unwanted: Counter[Place] = field(default_factory=Counter)
    """Pods that match a term of `away`, by that term's label."""
    closed: Counter[Place] = field(default_factory=Counter)
    """Pods that want to be away from this one."""
    first: bool = False
    """Whether the Pod would be the first of those that it wants to be near to, itself included."""


class InterPodAffinity(Plugin):
    """Affinity and anti-affinity between Pods."""

    name, weight = "InterPodAffinity", 2

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Where nobody minds anybody."""
        affinity = pod.pod.spec.affinity or {}
        return not state.social and AFFINITY not in affinity and ANTI_AFFINITY not in affinity

    def pre_filter(self, state: State, pod: PodInfo) -> Sequence[str]:
        """Count."""
        affinity, namespace = pod.pod.spec.affinity, pod.pod.namespace
        counts = Counts(
            required_terms(affinity, AFFINITY, namespace), required_terms(affinity, ANTI_AFFINITY, namespace)
        )
        labels, spaces = pod.pod.metadata.labels, state.namespaces
        for node, other in _others(state, bool(counts.near or counts.away)):
            if counts.near and all(term.matches(other.namespace, other.labels, spaces) for term in counts.near):
                counts.wanted.update(_places(counts.near, node))
            met = [term for term in counts.away if term.matches(other.namespace, other.labels, spaces)]
            counts.unwanted.update(_places(met, node))
            theirs = required_terms(other.affinity, ANTI_AFFINITY, other.namespace)
            counts.closed.update(_places([term for term in theirs if term.matches(namespace, labels, spaces)], node))
        counts.first = not counts.wanted and all(term.matches(namespace, labels, spaces) for term in counts.near)
        state.data[self.name] = counts
        return ()

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Near to all that it wants, away from all that it does not, and not where others want it away."""
        counts: Counts = state.data[self.name]
        labels = node.node.metadata.labels
        if counts.near and not self._is_near(counts, labels):
            return (NOT_NEAR,)
        if any(counts.unwanted[place] for place in _places(counts.away, node)):
            return (NOT_AWAY,)
        if counts.closed and any(labels.get(key) == value for key, value in counts.closed):
            return (KEPT_AWAY,)
        return ()

    def is_hopeless(self, pod: PodInfo, node: NodeInfo, reasons: Sequence[str]) -> bool:
        """To have fewer Pods around brings nobody nearer."""
        return NOT_NEAR in reasons

    def pre_score(self, state: State, pod: PodInfo, nodes: Sequence[NodeInfo]) -> None:
        """What each place is worth."""
        affinity, namespace = pod.pod.spec.affinity, pod.pod.namespace
        labels, spaces = pod.pod.metadata.labels, state.namespaces
        ours = preferred_terms(affinity, namespace)
        worth: Counter[Place] = Counter()
        for node, other in _others(state, bool(ours)):
            for term in ours:
                if term.matches(other.namespace, other.labels, spaces):
                    _add(worth, term, term.weight, node)
            for term in preferred_terms(other.affinity, other.namespace):
                if term.matches(namespace, labels, spaces):
                    _add(worth, term, term.weight, node)
            for term in required_terms(other.affinity, AFFINITY, other.namespace):
                if term.matches(namespace, labels, spaces):
                    _add(worth, term, HARD_WEIGHT, node)
        state.data["worth"] = worth

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """The sum over the node's places."""
        worth: Mapping[Place, int] = state.data["worth"]
        labels = node.node.metadata.labels
        return (
            float(sum(points for (key, value), points in worth.items() if labels.get(key) == value)) if worth else 0.0
        )

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """The lowest gets 0, the highest 100."""
        low, high = min(scores, default=0.0), max(scores, default=0.0)
        if low == high:
            return [0.0] * len(scores)
        return [float(int(MAX_SCORE * (score - low) / (high - low))) for score in scores]

    @staticmethod
    def _is_near(counts: Counts, labels: Mapping[str, str]) -> bool:
        if any(term.topology_key not in labels for term in counts.near):
            return False
        places = [(term.topology_key, labels[term.topology_key]) for term in counts.near]
        return counts.first or all(counts.wanted[place] for place in places)


def _others(state: State, everybody: bool) -> Iterator[tuple[NodeInfo, Resident]]:
    """The Pods on the nodes: all, or only those that have something to say about others."""
    for node in state.nodes if everybody else state.social:
        for other in (node.pods if everybody else node.social).values():
            yield node, other


def _places(terms: Sequence[Term], node: NodeInfo) -> list[Place]:
    labels = node.node.metadata.labels
    return [(term.topology_key, labels[term.topology_key]) for term in terms if term.topology_key in labels]


def _add(worth: Counter[Place], term: Term, points: int, node: NodeInfo) -> None:
    labels: Mapping[str, Any] = node.node.metadata.labels
    if term.topology_key in labels:
        worth[term.topology_key, labels[term.topology_key]] += points
