"""OpenAPI v3: how the server tells clients what its kinds look like.

One document for each group and version. kubectl asks for it before it creates or applies anything: it looks for the
PATCH operation of the kind, and if that takes a parameter `fieldValidation`, leaves all checking to the server.
`kubectl explain` prints it, and `kubectl apply` learns from it which lists merge, and by which key.

The schemas are those of `schema.py`, in OpenAPI's dialect: no null types, and a reference that stands beside other words
is wrapped in `allOf`. The paths are made from the list of resources.

Models: k8s.io/kube-openapi/pkg/builder3, k8s.io/apiserver/pkg/endpoints/installer.go (the paths' extensions).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import REFERENCE, Definition, definition_for, schemas
from k8slab.apimachinery.scheme import Resource

VERSION = "v1.37.0"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
COMPONENTS = "#/components/schemas/"
JSON = "application/json"

PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
CUSTOM_PATCH_TYPES = PATCH_TYPES[:-1]
"""A strategic merge needs to know more of a kind's lists than a custom kind's schema says."""

# HTTP method -> x-kubernetes-action, for a collection and for one object.
ON_COLLECTION = {"get": "list", "post": "post", "delete": "deletecollection"}
ON_OBJECT = {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}

# What each action takes in its query: name -> type.
WRITING = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string"}
SELECTING = {
    "allowWatchBookmarks": "boolean", "continue": "string", "fieldSelector": "string", "labelSelector": "string",
    "limit": "integer", "resourceVersion": "string", "resourceVersionMatch": "string", "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer", "watch": "boolean",
}  # fmt: skip
DELETING = {
    "dryRun": "string", "gracePeriodSeconds": "integer", "orphanDependents": "boolean", "propagationPolicy": "string",
}  # fmt: skip
PARAMETERS: dict[str, dict[str, str]] = {
    "list": SELECTING,
    "get": {},
    "post": WRITING,
    "put": WRITING,
    "patch": WRITING | {"force": "boolean"},
    "delete": DELETING,
    "deletecollection": DELETING | SELECTING,
}


def openapi_v3(
    group: str, version: str, resources: Iterable[Resource], custom: Mapping[str, Definition] | None = None
) -> JsonObject:
    """The document of a group and version. Resources whose kind has no schema get paths, but no component.

    `custom` has the definitions of the kinds, and of their lists, that are not built in, by their names.
    """
    paths: JsonObject = {}
    roots = [META + name for name in ("DeleteOptions", "Patch", "Status", "WatchEvent")]
    own = {each.name: _translated(each.schema) for each in (custom or {}).values()}
    for each in own.values():
        roots += [name for name in _referred(each) if name not in own]
    for resource in resources:
        for kind in (resource.kind, resource.kind + "List"):
            if definition := definition_for(group, version, kind):
                roots.append(definition.name)
        paths |= _paths(resource, custom or {})
    components = {name: _component(name) for name in _reachable(roots)} | own
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": dict(sorted(components.items()))},
    }


# ---- schemas


@cache
def _component(name: str) -> JsonObject:
    """A schema in OpenAPI's dialect. Read-only."""
    found = _translated(schemas()[name])
    for field in ("apiVersion", "kind"):
        # The package lists the one value that it accepts; upstream's documents do not.
        if name.startswith("io.k8s.") and field in found.get("properties", {}):
            found["properties"][field].pop("enum", None)
    return found


def _translated(schema: Mapping[str, Any]) -> JsonObject:
    found: JsonObject = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):
            found[key] = next(each for each in value if each != "null")
        elif key == "properties":
            found[key] = {name: _translated(each) for name, each in value.items()}
        elif isinstance(value, dict) and key in ("items", "additionalProperties", "not"):
            found[key] = _translated(value)
        elif key in ("oneOf", "anyOf", "allOf"):
            found[key] = [_translated(each) for each in value]
        elif key != "$ref":
            found[key] = value
    if "$ref" in schema:
        reference = {"$ref": COMPONENTS + schema["$ref"].removeprefix(REFERENCE)}
        return {**found, "allOf": [reference]} if found else reference
    return found


def _reachable(roots: Iterable[str]) -> list[str]:
    """The schemas that some schemas need, themselves included, by name."""
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _references(name)
    return sorted(seen)


@cache
def _references(name: str) -> tuple[str, ...]:
    return _referred(_component(name))


def _referred(schema: JsonObject) -> tuple[str, ...]:
    """The names of the schemas that a schema refers to."""
    return tuple(reference.removeprefix(COMPONENTS) for reference in _references_in(schema))


def _references_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference
        for each in value.values():
            yield from _references_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references_in(each)


# ---- paths


def _paths(resource: Resource, custom: Mapping[str, Definition]) -> JsonObject:
    """The paths of a resource: of all namespaces, of the collection, of one object."""
    where = resource.prefix + ("/namespaces/{namespace}" if resource.namespaced else "")
    found = {
        f"{where}/{resource.plural}": _operations(resource, ON_COLLECTION, custom),
        f"{where}/{resource.plural}/{{name}}": _operations(resource, ON_OBJECT, custom)
        | {"parameters": [_in_path("name")]},
    }
    if resource.namespaced:
        for item in found.values():
            item["parameters"] = [*item.get("parameters", []), _in_path("namespace")]
        found[f"{resource.prefix}/{resource.plural}"] = _operations(resource, {"get": "list"}, custom)
    return found


def _operations(resource: Resource, actions: Mapping[str, str], custom: Mapping[str, Definition]) -> JsonObject:
    return {method: _operation(resource, method, action, custom) for method, action in actions.items()}


def _operation(resource: Resource, method: str, action: str, custom: Mapping[str, Definition]) -> JsonObject:
    """What one method does. kubectl reads the extensions and the names of the parameters."""
    kind = _content(resource, resource.kind, custom)
    answers = {"list": _content(resource, resource.kind + "List", custom)}.get(action, kind)
    operation: JsonObject = {
        "tags": [f"{resource.group or 'core'}_{resource.version}"],
        "operationId": f"{action}{resource.version.capitalize()}{resource.kind}",
        "parameters": [_in_query(name, type_) for name, type_ in PARAMETERS[action].items()],
        "responses": {"200": {"description": "OK", "content": {JSON: answers}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    }
    if method == "patch":
        types = CUSTOM_PATCH_TYPES if resource.kind in custom else PATCH_TYPES
        operation["requestBody"] = {"content": dict.fromkeys(types, _schema_of(META + "Patch")), "required": True}
    elif method in ("post", "put"):
        operation["requestBody"] = {"content": {"*/*": kind}, "required": True}
    elif method == "delete":
        operation["requestBody"] = {"content": {"*/*": _schema_of(META + "DeleteOptions")}}
    return operation


def _content(resource: Resource, kind: str, custom: Mapping[str, Definition]) -> JsonObject:
    definition = custom.get(kind) or definition_for(resource.group, resource.version, kind)
    return _schema_of(definition.name) if definition else {"schema": {"type": "object"}}


def _schema_of(name: str) -> JsonObject:
    return {"schema": {"$ref": COMPONENTS + name}}


def _in_query(name: str, type_: str) -> JsonObject:
    return {"name": name, "in": "query", "schema": {"type": type_, "uniqueItems": True}}


def _in_path(name: str) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
