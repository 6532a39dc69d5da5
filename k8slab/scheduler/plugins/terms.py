"""The words in which a Pod speaks of other Pods: those with these labels, in these namespaces, within the same such-and-such.

Models: pkg/scheduler/framework/types.go (AffinityTerm), k8s.io/api/core/v1 (PodAffinityTerm).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from k8slab.api.placement import REQUIRED
from k8slab.apimachinery.labels import Selector, from_label_selector
from k8slab.scheduler.plugins.node_affinity import PREFERRED

AFFINITY, ANTI_AFFINITY = "podAffinity", "podAntiAffinity"
Namespaces = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Term:
    """One term: which Pods are meant, and what a node must share with theirs."""

    selector: Selector
    topology_key: str
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    """None: only those that are named."""
    weight: int = 0
    """For a preference: how much it counts; below zero for one that keeps apart."""

    def matches(self, namespace: str, labels: Mapping[str, str], namespaces: Namespaces) -> bool:
        """Whether a Pod with these labels is meant."""
        named = namespace in self.namespaces or (
            self.namespace_selector is not None and self.namespace_selector.matches(namespaces.get(namespace, {}))
        )
        return named and self.selector.matches(labels)


def required_terms(affinity: Mapping[str, Any] | None, which: str, namespace: str) -> list[Term]:
    """The terms without which it will not do. `which` is podAffinity or podAntiAffinity; `namespace` the Pod's own."""
    found = ((affinity or {}).get(which) or {}).get(REQUIRED) or ()
    return [_term(each, namespace) for each in found]


def preferred_terms(affinity: Mapping[str, Any] | None, namespace: str) -> list[Term]:
    """The terms that only count, of both sorts."""
    return [
        _term(each.get("podAffinityTerm") or {}, namespace, sign * each.get("weight", 0))
        for which, sign in ((AFFINITY, 1), (ANTI_AFFINITY, -1))
        for each in ((affinity or {}).get(which) or {}).get(PREFERRED) or ()
    ]


def _term(raw: Mapping[str, Any], own: str, weight: int = 0) -> Term:
    selector = raw.get("namespaceSelector")
    named = frozenset(raw.get("namespaces") or ())
    return Term(
        from_label_selector(raw.get("labelSelector")),
        raw.get("topologyKey", ""),
        named or (frozenset({own}) if selector is None else frozenset()),
        from_label_selector(selector) if selector is not None else None,
        weight,
    )
