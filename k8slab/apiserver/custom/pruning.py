"""Pruning and defaulting: an object as its schema would have it.

What a schema does not know is dropped before an object is stored, and told to who sent it (`fieldValidation`), unless the
schema says `x-kubernetes-preserve-unknown-fields`. What an object leaves out and the schema has a default for is filled in:
when it comes in, and again when it is read, so that a default that is new is seen in old objects too.

Both are pure: parts that need no change are shared with the original.

Models: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go, schema/defaulting/algorithm.go,
prunenulls.go, schema/objectmeta/algorithm.go.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apimachinery.schema import definition_named

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
TYPE_META = ("apiVersion", "kind")
PRESERVE, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"


def pruned(value: Any, schema: JsonObject, *, root: bool = False) -> tuple[Any, list[str]]:
    """A value without what the schema does not know, and the paths of that, sorted. `root`: it is a whole object."""
    unknown: list[str] = []
    new = _pruned(value, schema, "", unknown, root)
    return new, sorted(unknown)


def _pruned(value: Any, schema: JsonObject, path: str, unknown: list[str], resource: bool) -> Any:
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        new = [
            _pruned(each, items, f"{path}[{i}]", unknown, items.get(EMBEDDED, False)) for i, each in enumerate(value)
        ]
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    if not isinstance(value, dict):
        return value
    changes: JsonObject = {}
    dropped = set()
    for key, each in value.items():
        where = f"{path}.{key}" if path else key
        if resource and key in TYPE_META:
            continue
        if resource and key == "metadata":
            new = _pruned_metadata(each, where, unknown)
        elif (below := field_schema(schema, key)) is not None:
            new = _pruned(each, below, where, unknown, below.get(EMBEDDED, False))
        elif schema.get(PRESERVE) or schema.get("additionalProperties") is True:
            continue
        else:
            unknown.append(where)
            dropped.add(key)
            continue
        if new is not each:
            changes[key] = new
    if not changes and not dropped:
        return value
    return {key: changes.get(key, each) for key, each in value.items() if key not in dropped}


def _pruned_metadata(value: Any, path: str, unknown: list[str]) -> Any:
    """Metadata is the server's own: it is read as it is in every kind."""
    if not isinstance(value, dict):
        return value
    definition = definition_named(OBJECT_META)
    faults = definition.check(value)
    unknown += [f"{path}.{fault.path}" for fault in faults if fault.kind == "unknown"]
    return definition.prune(value) if all(fault.kind == "unknown" for fault in faults) else value


def field_schema(schema: JsonObject, key: str) -> JsonObject | None:
    """The schema of a field or of a map's values, None where the schema has none."""
    found = (schema.get("properties") or {}).get(key)
    if found is None:
        more = schema.get("additionalProperties")
        found = more if isinstance(more, dict) else None
    return found


def defaulted(value: Any, schema: JsonObject) -> Any:
    """A value with the schema's defaults where it says nothing, and without nulls where none is allowed."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        new = [defaulted(each, items) for each in value]
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    if not isinstance(value, dict):
        return value
    changes: JsonObject = {}
    dropped = set()
    for key, each in value.items():
        below = field_schema(schema, key)
        if below is None:
            continue
        if each is None and not below.get("nullable"):
            if "default" not in below:
                dropped.add(key)
            continue
        new = defaulted(each, below)
        if new is not each:
            changes[key] = new
    for key, below in (schema.get("properties") or {}).items():
        if "default" in below and (key not in value or (value[key] is None and not below.get("nullable"))):
            changes[key] = defaulted(copy_of(below["default"]), below)
    if not changes and not dropped:
        return value
    return {key: each for key, each in (value | changes).items() if key not in dropped}
