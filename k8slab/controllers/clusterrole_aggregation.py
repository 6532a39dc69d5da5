"""The aggregation controller: a ClusterRole that gathers others has their rules together.

`admin`, `edit` and `view` are such roles. Whoever brings a kind brings a role for it with the label
`rbac.authorization.k8s.io/aggregate-to-view: "true"`, and from then on whoever may view may view that kind too.

Models: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.rbac import ClusterRole
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.names import Chance

LEFT_OUT = ()


class ClusterRoleAggregationController(Controller):
    """Keeps the rules of gathering roles. Its keys are ClusterRoles."""

    name = "clusterrole-aggregation-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.roles = self.informer(ClusterRole, on_change=self._changed)

    def reconcile(self, key: str) -> float | None:
        """Gather the rules of the roles that are chosen, in the order of their names, each rule once."""
        role = self.roles.get(key)
        if role is None or role.aggregation_rule is None:
            return None
        rules: list[JsonObject] = []
        for selector in role.aggregation_rule.get("clusterRoleSelectors") or []:
            chosen = from_label_selector(selector)
            for other in self.roles.list():
                if other.name != role.name and chosen.matches(other.metadata.labels):
                    rules += [dict(rule) for rule in other.rules or () if dict(rule) not in rules]
        if rules != [dict(rule) for rule in role.rules or ()]:
            self.client.patch(ClusterRole, role.name, "", {"rules": rules})
        return None

    def _changed(self, old: ClusterRole | None, new: ClusterRole | None) -> None:
        for role in self.roles.list():
            if role.aggregation_rule is not None:
                self.queue.add(role.key)
