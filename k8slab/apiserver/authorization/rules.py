"""Rules: what a role allows, and whether one set of rules covers another.

A rule is a product: each of its verbs, on each of its resources, in each of its API groups; or each of its verbs on each of
its paths. `*` stands for all. Whether a set of rules covers another is decided atom by atom: every (verb, group, resource,
name) of the one must be allowed by some rule of the other. That is how nobody can hand out more than they hold.

Models: pkg/registry/rbac/validation (policy_compact.go, rule.go), k8s.io/component-helpers/auth/rbac/validation
(policy_comparator.go), pkg/apis/rbac/v1/evaluation_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.routes import RequestInfo

ALL = "*"


class Rule(NamedTuple):
    """One rule of a role. The order of the fields is that in which a rule is written out in messages."""

    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Only these objects; empty for all."""
    verbs: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: JsonObject) -> Self:
        """A rule as the API has it."""
        fields = ("apiGroups", "resources", "nonResourceURLs", "resourceNames", "verbs")
        return cls(*(tuple(raw.get(field) or ()) for field in fields))

    def to_json(self) -> JsonObject:
        """The same, back."""
        fields = (
            ("verbs", self.verbs), ("apiGroups", self.groups), ("resources", self.resources),
            ("resourceNames", self.names), ("nonResourceURLs", self.paths),
        )  # fmt: skip
        return {name: list(values) for name, values in fields if values}

    def __str__(self) -> str:
        labels = ("APIGroups", "Resources", "NonResourceURLs", "ResourceNames", "Verbs")
        parts = [f"{label}:[{quoted(values)}]" for label, values in zip(labels, self, strict=True) if values]
        return "{" + ", ".join(parts) + "}"

    def allows(self, info: RequestInfo) -> bool:
        """Whether this rule allows a request, whatever the name of its object."""
        if ALL not in self.verbs and info.verb not in self.verbs:
            return False
        if not info.is_resource:
            return any(_path_fits(path, info.path) for path in self.paths)
        if ALL not in self.groups and info.group not in self.groups:
            return False
        return _resource_fits(self.resources, info.plural, info.subresource)


def quoted(values: Iterable[str]) -> str:
    """A list as Go's %q prints it."""
    return " ".join(f'"{value}"' for value in values)


def missing(held: Sequence[Rule], wanted: Iterable[Rule]) -> list[str]:
    """What of the wanted rules is not held, as a message says it: sorted, verbs on one thing together."""
    lacking = [atom for rule in wanted for atom in _atoms(rule) if not any(_covers(each, atom) for each in held)]
    return sorted({str(rule) for rule in _compact(lacking)})


def _atoms(rule: Rule) -> Iterator[Rule]:
    names: list[tuple[str, ...]] = [(name,) for name in rule.names] or [()]
    for group in rule.groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                for name in names:
                    yield Rule((group,), (resource,), (), name, (verb,))
    for path in rule.paths:
        for verb in rule.verbs:
            yield Rule(paths=(path,), verbs=(verb,))


def _covers(held: Rule, atom: Rule) -> bool:
    if ALL not in held.verbs and atom.verbs[0] not in held.verbs:
        return False
    if atom.paths:
        return any(_path_fits(path, atom.paths[0]) for path in held.paths)
    if ALL not in held.groups and atom.groups[0] not in held.groups:
        return False
    plural, _, subresource = atom.resources[0].partition("/")
    if not (_resource_fits(held.resources, plural, subresource) or atom.resources[0] in held.resources):
        return False
    return not held.names or (bool(atom.names) and atom.names[0] in held.names)


def _compact(atoms: Iterable[Rule]) -> list[Rule]:
    verbs: dict[Rule, list[str]] = {}
    for atom in atoms:
        found = verbs.setdefault(atom._replace(verbs=()), [])
        if atom.verbs[0] not in found:
            found.append(atom.verbs[0])
    return [rule._replace(verbs=tuple(found)) for rule, found in verbs.items()]


def _resource_fits(resources: tuple[str, ...], plural: str, subresource: str) -> bool:
    if ALL in resources:
        return True
    if not subresource:
        return plural in resources
    return f"{plural}/{subresource}" in resources or f"{ALL}/{subresource}" in resources


def _path_fits(allowed: str, asked: str) -> bool:
    if allowed.endswith(ALL):
        return asked.startswith(allowed.rstrip(ALL))
    return allowed == asked
