"""Kinds that say what may be done to others.

Models: k8s.io/api/policy/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from k8slab.api.core import Condition
from k8slab.apimachinery.meta import no_entries
from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.scheme import Resource


class PodDisruptionBudgetSpec(View):
    """How many must stay, or how many may go."""

    selector: Mapping[str, Any] | None = None
    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    unhealthy_pod_eviction_policy: str = "IfHealthyBudget"


class PodDisruptionBudgetStatus(View):
    """What is left of the budget."""

    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    observed_generation: int = 0
    disrupted_pods: Mapping[str, str] = no_entries()
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(KubeObject):
    """How many Pods of a sort may be missing of someone's free will."""

    resource: ClassVar = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")

    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
