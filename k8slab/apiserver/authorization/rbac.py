"""RBAC: who is bound to a role may do what the role's rules allow.

A ClusterRoleBinding binds everywhere, a RoleBinding in its namespace; there are no rules that forbid. Roles and bindings
are ordinary objects in the store, so a change of one counts from the next request on.

Every request is decided, and nearly all are like one before: decisions are kept, by user and kind of request, until a role
or a binding changes. Which objects a rule names is decided anew each time: names are too many to keep.

Models: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject, UserInfo
from k8slab.apiserver.authorization.decision import NO_OPINION, Decision
from k8slab.apiserver.authorization.rules import Rule
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.etcd.store import Entry

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = RESOURCES[GROUP, "roles"], RESOURCES[GROUP, "clusterroles"]
BINDINGS, CLUSTER_BINDINGS = RESOURCES[GROUP, "rolebindings"], RESOURCES[GROUP, "clusterrolebindings"]
PREFIXES = tuple(each.key_prefix for each in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS))
MAX_DECISIONS = 20_000

SERVICE_ACCOUNT = "system:serviceaccount:"


class Grant(NamedTuple):
    """What one binding gives one subject."""

    namespace: str
    """Where it holds; empty for everywhere."""
    rules: tuple[Rule, ...]
    reason: str
    error: str = ""
    """What is wrong with it: a role that is not there."""


class Verdict(NamedTuple):
    """What was found out about a kind of request of one user."""

    decision: Decision
    """For an object of any name."""
    named: tuple[tuple[frozenset[str], Decision], ...]
    """For objects that rules name."""

    def about(self, name: str) -> Decision:
        """The decision for one object."""
        if not self.decision.allowed:
            for names, decision in self.named:
                if name in names:
                    return decision
        return self.decision


class Rbac:
    """Decides by roles and their bindings."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._grants: dict[tuple[str, str], list[Grant]] | None = None
        """By (kind of subject, name); None: to be read again."""
        registry.store.subscribe(self._committed)

    def decide(self, user: UserInfo, info: RequestInfo) -> Decision:
        """Whether the user may do this, and by which binding."""
        what = (info.group, info.plural, info.subresource, info.namespace) if info.is_resource else (info.path,)
        key = (user.name, user.groups, info.verb, *what)
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= MAX_DECISIONS:
                self._verdicts.clear()
            verdict = self._verdicts[key] = self._find_out(user, info)
        return verdict.about(info.name)

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[list[Rule], list[str]]:
        """(all rules that hold for a user in a namespace, what is wrong with bindings of theirs)."""
        grants = list(self._of(user, namespace))
        return [rule for grant in grants for rule in grant.rules], [grant.error for grant in grants if grant.error]

    def rules_of(self, reference: JsonObject, namespace: str) -> tuple[Rule, ...]:
        """The rules of the role that a binding refers to. Raises NotFound."""
        resource = ROLES if reference.get("kind") == "Role" else CLUSTER_ROLES
        role = self._registry.get(resource, namespace if resource is ROLES else "", reference.get("name", ""))
        return rules_in(role)

    def _find_out(self, user: UserInfo, info: RequestInfo) -> Verdict:
        named: list[tuple[frozenset[str], Decision]] = []
        errors: dict[str, None] = {}
        for grant in self._of(user, info.namespace):
            if grant.error:
                errors[grant.error] = None
            for rule in grant.rules:
                if not rule.allows(info):
                    continue
                decision = Decision(True, grant.reason)
                if not rule.names:
                    return Verdict(decision, ())
                named.append((frozenset(rule.names), decision))
        return Verdict(_no(list(errors)), tuple(named))

    def _of(self, user: UserInfo, namespace: str) -> Iterator[Grant]:
        grants = self._grants if self._grants is not None else self._read()
        for subject in (("User", user.name), *(("Group", group) for group in user.groups)):
            for grant in grants.get(subject, ()):
                if not grant.namespace or grant.namespace == namespace:
                    yield grant

    def _read(self) -> dict[tuple[str, str], list[Grant]]:
        found: dict[tuple[str, str], list[Grant]] = {}
        for resource in (CLUSTER_BINDINGS, BINDINGS):
            for binding in self._registry.list(resource).items:
                for subject, grant in self._granted(binding):
                    found.setdefault(subject, []).append(grant)
        self._grants = found
        return found

    def _granted(self, binding: JsonObject) -> Iterator[tuple[tuple[str, str], Grant]]:
        meta, reference = binding["metadata"], binding.get("roleRef") or {}
        namespace = meta.get("namespace", "")
        rules, error = self._rules_or_error(reference, namespace)
        name = f"{meta['name']}/{namespace}" if namespace else meta["name"]
        by = f'{binding["kind"]} "{name}" of {reference.get("kind")} "{reference.get("name")}"'
        for subject in binding.get("subjects") or []:
            kind, who, home = subject.get("kind", ""), subject.get("name", ""), subject.get("namespace", "")
            shown = f'"{who}/{home}"' if kind == "ServiceAccount" else f'"{who}"'
            key = ("User", f"{SERVICE_ACCOUNT}{home or namespace}:{who}") if kind == "ServiceAccount" else (kind, who)
            yield key, Grant(namespace, rules, f"RBAC: allowed by {by} to {kind} {shown}", error)

    def _rules_or_error(self, reference: JsonObject, namespace: str) -> tuple[tuple[Rule, ...], str]:
        try:
            return self.rules_of(reference, namespace), ""
        except NotFound:
            return (), f'{str(reference.get("kind", "")).lower()}.{GROUP} "{reference.get("name")}" not found'

    def _committed(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.key.startswith(PREFIXES):
                self._grants = None
                self._verdicts.clear()


def rules_in(role: JsonObject) -> tuple[Rule, ...]:
    """The rules of a Role or ClusterRole."""
    return tuple(Rule.of(rule) for rule in role.get("rules") or [])


def _no(errors: list[str]) -> Decision:
    if not errors:
        return NO_OPINION
    return Decision(False, f"RBAC: {errors[0] if len(errors) == 1 else '[' + ', '.join(errors) + ']'}")
