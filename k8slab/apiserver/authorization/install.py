"""The default roles and bindings, put into a cluster that does not have them.

The API server writes them itself at its start: no request is made for them. Whoever changes one keeps the change for as
long as the server runs; at its next start it is mended, unless the object says
`rbac.authorization.kubernetes.io/autoupdate: "false"`.

Models: pkg/registry/rbac/rest/storage_rbac.go, pkg/registry/rbac/reconciliation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from k8slab.apimachinery.errors import AlreadyExists
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apiserver.authorization.controller_roles import ACCOUNTS, NAMESPACE, ROLE_PREFIX
from k8slab.apiserver.authorization.policy import rules_of_table
from k8slab.apiserver.authorization.rbac import CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP
from k8slab.apiserver.authorization.roles import AGGREGATE_TO, BINDINGS, EXTRA_BINDINGS, GATHERED, ROLES
from k8slab.apiserver.authorization.rules import Rule
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import ResourceInfo
from k8slab.clock import to_rfc3339

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def install_default_roles(registry: Registry) -> None:
    """Create what is missing, and mend what was changed."""
    for resource, default in default_objects():
        obj = copy_of(default)
        if not put_in_place(registry, resource, "", obj):
            _mend(registry, resource, obj)


def put_in_place(registry: Registry, resource: ResourceInfo, namespace: str, obj: JsonObject) -> bool:
    """Store an object that the server makes by itself, without a request; False if there is one of that name."""
    meta = obj["metadata"]
    meta["uid"] = registry.chance.uid(f"uid/{resource.plural}", (namespace, meta["name"]))
    meta["creationTimestamp"] = to_rfc3339(registry.clock.now())
    try:
        registry.create(resource, namespace, obj)
    except AlreadyExists:
        return False
    return True


@lru_cache(maxsize=1)
def default_objects() -> tuple[tuple[ResourceInfo, JsonObject], ...]:
    """Every default ClusterRole and ClusterRoleBinding: shared, read-only."""
    return (*_roles(), *_bindings())


def _roles() -> Iterator[tuple[ResourceInfo, JsonObject]]:
    tables = {name: rules_of_table(table) for name, table in ROLES.items()}
    labels: dict[str, JsonObject] = {}
    for gatherer, members in GATHERED.items():
        tables[gatherer] = tuple(dict.fromkeys(rule for member in members for rule in tables[member]))
        for member in members:
            labels[member] = {f"{AGGREGATE_TO}{gatherer}": "true"}
    for account in ACCOUNTS.values():
        tables[ROLE_PREFIX + account.name] = tuple(map(_also_patch, rules_of_table(account.rules)))
    for name in sorted(tables):
        yield CLUSTER_ROLES, _role(name, tables[name], labels.get(name, {}))


def _bindings() -> Iterator[tuple[ResourceInfo, JsonObject]]:
    bindings = {name: (name, subjects) for name, subjects in BINDINGS.items()} | dict(EXTRA_BINDINGS)
    for account in ACCOUNTS.values():
        role = ROLE_PREFIX + account.name
        bindings[role] = role, f"ServiceAccount {account.name}"
    for name, (role, subjects) in sorted(bindings.items()):
        yield CLUSTER_BINDINGS, _binding(name, role, subjects)


def _role(name: str, rules: Iterable[Rule], labels: JsonObject) -> JsonObject:
    role = _object("ClusterRole", name, labels)
    if name in GATHERED:
        selector = {"matchLabels": {f"{AGGREGATE_TO}{name}": "true"}}
        role["aggregationRule"] = {"clusterRoleSelectors": [selector]}
    return role | {"rules": [rule.to_json() for rule in rules]}


def _binding(name: str, role: str, subjects: str) -> JsonObject:
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    named = [_subject(*words.split()) for words in subjects.split(", ")]
    return _object("ClusterRoleBinding", name, {}) | {"roleRef": reference, "subjects": named}


def _subject(kind: str, name: str) -> JsonObject:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": NAMESPACE}
    return {"apiGroup": GROUP, "kind": kind, "name": name}


def _object(kind: str, name: str, labels: JsonObject) -> JsonObject:
    meta = {"name": name, "labels": {**BOOTSTRAPPING, **labels}, "annotations": {AUTOUPDATE: "true"}}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta}


def _also_patch(rule: Rule) -> Rule:
    if "update" not in rule.verbs or "patch" in rule.verbs:
        return rule
    return rule._replace(verbs=(*rule.verbs, "patch"))


def _mend(registry: Registry, resource: ResourceInfo, wanted: JsonObject) -> None:
    """Put the rules, or the subjects, of a default role or binding back; gathered rules are a controller's business."""
    field = "rules" if resource is CLUSTER_ROLES else "subjects"

    def change(obj: JsonObject) -> JsonObject:
        annotations = obj["metadata"].get("annotations") or {}
        if annotations.get(AUTOUPDATE) != "true" or "aggregationRule" in obj:
            return obj
        lost = [each for each in wanted[field] if each not in (obj.get(field) or [])]
        return {**obj, field: [*(obj.get(field) or []), *lost]} if lost else obj

    registry.update(resource, "", wanted["metadata"]["name"], change)
