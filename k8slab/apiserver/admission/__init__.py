"""Admission: the last word on a write, after defaults and before it is stored.

A plugin sees the whole request: who asks, what it was before, what it would be. Mutating plugins may change the object in
place (and refuse early); validating plugins only refuse, after the kind's own rules. Each is a file of its own, a function in
a table below, in upstream's order: to add one, write it and put it in its table.

Models: k8s.io/apiserver/pkg/admission (chain.go), pkg/kubeapiserver/options/plugins.go (the order).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.apiserver.admission.attributes import CONNECT, CREATE, DELETE, UPDATE, Attributes
from k8slab.apiserver.admission.certificate_requests import name_requester
from k8slab.apiserver.admission.limit_ranger import fill_in_limits, keep_to_limits
from k8slab.apiserver.admission.namespace_lifecycle import namespace_exists, namespace_is_mortal
from k8slab.apiserver.admission.node_restriction import restrict_nodes
from k8slab.apiserver.admission.priority import one_default_priority, priority
from k8slab.apiserver.admission.resource_quota import keep_to_quota
from k8slab.apiserver.admission.service_account import service_account
from k8slab.apiserver.admission.taint_nodes import taint_new_nodes
from k8slab.apiserver.admission.toleration_seconds import tolerate_short_troubles
from k8slab.apiserver.registry import Registry
from k8slab.clock import Clock
from k8slab.names import Chance

LEFT_OUT = (
    "Webhooks and admission policies are stored and not called; Pod Security, storage and ingress defaults are left out.",
)

__all__ = ["CONNECT", "CREATE", "DELETE", "UPDATE", "Admission", "Attributes", "Plugin"]

Plugin = Callable[[Attributes, Registry], None]

MUTATING: tuple[Plugin, ...] = (
    namespace_exists,
    fill_in_limits,
    service_account,
    taint_new_nodes,
    priority,
    tolerate_short_troubles,
    name_requester,
)
VALIDATING: tuple[Plugin, ...] = (namespace_is_mortal, keep_to_limits, restrict_nodes, one_default_priority)
LAST: tuple[Plugin, ...] = (keep_to_quota,)
"""What counts must come after all that may still refuse: else it would count what never was."""


class Admission:
    """The chain of plugins. `plugins`: validating ones that need more than the registry."""

    def __init__(self, registry: Registry, clock: Clock, chance: Chance, *plugins: Plugin) -> None:
        self.registry, self.clock, self.chance = registry, clock, chance
        self._validating = (*VALIDATING, *plugins, *LAST)

    def mutate(self, attributes: Attributes) -> None:
        """Let every mutating plugin complete the object. Raises ApiError where one refuses."""
        for plugin in MUTATING:
            plugin(attributes, self.registry)

    def validate(self, attributes: Attributes) -> None:
        """Ask every validating plugin. Raises ApiError where one refuses."""
        for plugin in self._validating:
            plugin(attributes, self.registry)
