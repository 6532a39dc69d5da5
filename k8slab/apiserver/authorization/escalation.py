"""Nobody can hand out more than they hold.

Whoever writes a role must hold all that it allows, or the verb `escalate` on it; whoever binds somebody to a role must hold
all that the role allows, or the verb `bind` on it. Without this, the right to write roles would be the right to do everything.
Only `system:masters` need not be asked.

Models: pkg/registry/rbac/escalation_check.go, pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.apimachinery.rest import MASTERS_GROUP
from k8slab.apiserver.admission import CREATE, UPDATE, Attributes
from k8slab.apiserver.authorization import Authorizer
from k8slab.apiserver.authorization.rbac import GROUP, rules_in
from k8slab.apiserver.authorization.rules import ALL, Rule, missing, quoted
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.routes import RequestInfo

ROLES, BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")
EVERYTHING = (Rule((ALL,), (ALL,), (), (), (ALL,)), Rule(paths=(ALL,), verbs=(ALL,)))


class Escalation:
    """A validating plugin: looks at writes of roles and bindings."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, attributes: Attributes, registry: Registry) -> None:
        """Raises Forbidden where somebody would hand out what they do not hold."""
        if attributes.resource.group != GROUP or attributes.operation not in (CREATE, UPDATE):
            return
        if MASTERS_GROUP in attributes.user.groups or attributes.object is None:
            return
        if attributes.resource.plural in ROLES:
            self._role(attributes)
        elif attributes.resource.plural in BINDINGS:
            self._binding(attributes)

    def _role(self, attributes: Attributes) -> None:
        obj, old = attributes.object or {}, attributes.old or {}
        gathers = bool(obj.get("aggregationRule"))
        if old and all(obj.get(field) == old.get(field) for field in ("rules", "aggregationRule")):
            return
        if self._may(attributes, "escalate", attributes.resource.plural, attributes.name):
            return
        self._check(attributes, rules_in(obj))
        if gathers and self._missing(attributes, EVERYTHING):
            raise attributes.forbidden("must have cluster-admin privileges to use an aggregationRule")

    def _binding(self, attributes: Attributes) -> None:
        obj, old = attributes.object or {}, attributes.old or {}
        reference = obj.get("roleRef") or {}
        if old and all(obj.get(field) == old.get(field) for field in ("roleRef", "subjects")):
            return
        plural = "roles" if reference.get("kind") == "Role" else "clusterroles"
        if self._may(attributes, "bind", plural, reference.get("name", "")):
            return
        self._check(attributes, self._authorizer.rbac.rules_of(reference, attributes.namespace))

    def _may(self, attributes: Attributes, verb: str, plural: str, name: str) -> bool:
        asked = RequestInfo(verb, "", True, GROUP, "v1", plural, namespace=attributes.namespace, name=name)
        return self._authorizer.decide(attributes.user, asked).allowed

    def _missing(self, attributes: Attributes, wanted: Iterable[Rule]) -> list[str]:
        held, _ = self._authorizer.rbac.rules_for(attributes.user, attributes.namespace)
        return missing(held, wanted)

    def _check(self, attributes: Attributes, wanted: Iterable[Rule]) -> None:
        lacking = self._missing(attributes, wanted)
        if lacking:
            user, listed = attributes.user, "\n".join(lacking)
            raise attributes.forbidden(
                f'user "{user.name}" (groups=[{quoted(user.groups)}]) is attempting to grant RBAC permissions '
                f"not currently held:\n{listed}"
            )
