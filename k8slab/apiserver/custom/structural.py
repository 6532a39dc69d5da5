"""What a schema of a custom resource must be like: *structural*.

A structural schema says of every field of what type it is, in one place, outside of `allOf`, `anyOf`, `oneOf` and `not`;
inside of those only values are restricted. So whatever field the server meets, it knows what may be there: that is what
pruning, defaulting and server-side apply stand on.

Models: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go, complete.go, convert.go,
pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinitionOpenAPISchema).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8slab.apimachinery.errors import Cause, forbidden, invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.custom.formats import KNOWN
from k8slab.apiserver.custom.pruning import EMBEDDED, PRESERVE
from k8slab.apiserver.custom.validating import INT_OR_STRING, LIST_KEYS, LIST_TYPE, compile_pattern, faults

ROOT, ITEM, FIELD = "root", "item", "field"
TYPES = ("array", "boolean", "integer", "number", "object", "string")
RULES = "x-kubernetes-validations"
MAP_TYPE = "x-kubernetes-map-type"
JUNCTORS = ("allOf", "anyOf", "oneOf")

# What OpenAPI v3 knows, and Kubernetes does not take.
NOT_SUPPORTED = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
_EMPTY_TYPE = {
    ROOT: "must not be empty at the root",
    ITEM: "must not be empty for specified array items",
    FIELD: "must not be empty for specified object fields",
}
# What may not be said inside of a junctor, and what upstream says of it.
_NOT_NESTED = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    INT_OR_STRING: "must be false to be structural",
    LIST_KEYS: "must be empty to be structural",
    LIST_TYPE: "must be undefined to be structural",
    MAP_TYPE: "must be undefined to be structural",
    RULES: "must be empty to be structural",
}
_INT_OR_STRING_TYPES = [{"type": "integer"}, {"type": "string"}]


def schema_faults(schema: JsonObject, path: str) -> list[Cause]:
    """What is wrong with a schema; the shape of the schema's own JSON was checked before."""
    supported = list(_unsupported(schema, path))
    if supported:
        return supported
    found = [*_structure(schema, ROOT, path), *_completeness(schema, schema, path)]
    return sorted(found, key=lambda cause: (cause.field, cause.message))


def has_rules(schema: Any) -> bool:
    """Whether a schema has rules in the Common Expression Language anywhere."""
    return any(RULES in each for each in _everywhere(schema))


def unknown_formats(schema: Any) -> list[str]:
    """The formats that nobody knows, in the order in which they are met."""
    formats = (each.get("format") for each in _everywhere(schema) if isinstance(each.get("format"), str))
    return list(dict.fromkeys(form for form in formats if form and form not in KNOWN))


def _everywhere(schema: Any) -> Iterator[JsonObject]:
    """A schema and all schemas in it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("items", "additionalProperties", "not"):
        yield from _everywhere(schema.get(key))
    for each in (schema.get("properties") or {}).values():
        yield from _everywhere(each)
    for key in JUNCTORS:
        for each in schema.get(key) or ():
            yield from _everywhere(each)


def _below(schema: JsonObject, path: str) -> Iterator[tuple[JsonObject, str]]:
    """The schemas directly in a schema, with their paths."""
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            yield schema[key], f"{path}.{key}"
    for name, each in (schema.get("properties") or {}).items():
        yield each, f"{path}.properties[{name}]"
    for key in JUNCTORS:
        for index, each in enumerate(schema.get(key) or ()):
            yield each, f"{path}.{key}[{index}]"


def _unsupported(schema: JsonObject, path: str) -> Iterator[Cause]:
    for key in NOT_SUPPORTED:
        if schema.get(key) is not None:
            yield forbidden(f"{path}.{key}", f"{key} is not supported")
    if schema.get("type") == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif schema.get("type") and schema["type"] not in TYPES:
        yield not_supported(f"{path}.type", schema["type"], TYPES)
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", text)
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    more = schema.get("additionalProperties")
    if more is not None and more is not True and schema.get("properties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", text)
    yield from _list_type(schema, path)
    for below, where in _below(schema, path):
        yield from _unsupported(below, where)


def _list_type(schema: JsonObject, path: str) -> Iterator[Cause]:
    kind, keys = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or []
    if kind is not None and schema.get("type") != "array":
        where = f"{path}.type"
        text = f"must be array if {LIST_TYPE} is specified"
        yield invalid(where, schema["type"], text) if schema.get("type") else required(where, text)
    if kind is not None and kind not in ("atomic", "map", "set"):
        yield not_supported(f"{path}.{LIST_TYPE}", kind, ("atomic", "set", "map"))
    if keys and kind != "map":
        text = f"must be map if {LIST_KEYS} is non-empty"
        yield invalid(f"{path}.{LIST_TYPE}", kind, text) if kind else required(f"{path}.{LIST_TYPE}", text)
    if kind == "map" and not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    items = schema.get("items") or {}
    for index, key in enumerate(keys if isinstance(items, dict) else ()):
        known = (items.get("properties") or {}).get(key)
        where = f"{path}.{LIST_KEYS}[{index}]"
        if known is None:
            yield invalid(where, key, "entries must all be names of item properties")
        elif "default" not in known and key not in (items.get("required") or ()):
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{path}.items.properties[{key}].default", text)
    if schema.get(MAP_TYPE) is not None and schema[MAP_TYPE] not in ("granular", "atomic"):
        yield not_supported(f"{path}.{MAP_TYPE}", schema[MAP_TYPE], ("atomic", "granular"))


# Structure: of every field its type, outside of junctors.


def _structure(schema: JsonObject, level: str, path: str) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    items, more = schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and items is None:
        yield required(f"{path}.items", "must be specified")
    if isinstance(items, dict):
        yield from _structure(items, ITEM, f"{path}.items")
    for name, each in (schema.get("properties") or {}).items():
        yield from _structure(each, FIELD, f"{path}.properties[{name}]")
    if more is not None:
        if level == ROOT:
            yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
        if isinstance(more, dict):
            yield from _structure(more, FIELD, f"{path}.additionalProperties")
    yield from _type_rules(schema, kind, level, path)
    yield from _metadata_rules(schema, level, path)
    yield from _values(schema, path, _junctor_types_are_free(schema))
    if "default" in schema:
        yield from _default_faults(schema, level, path)


def _type_rules(schema: JsonObject, kind: str, level: str, path: str) -> Iterator[Cause]:
    embedded, preserve = schema.get(EMBEDDED), schema.get(PRESERVE)
    if schema.get(INT_OR_STRING):
        text = "must be false if x-kubernetes-int-or-string is true"
        if preserve:
            yield invalid(f"{path}.{PRESERVE}", True, text)
        if embedded:
            yield invalid(f"{path}.{EMBEDDED}", True, text)
        if kind:
            yield invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")
    if embedded and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)
    elif not kind and not schema.get(INT_OR_STRING) and not preserve:
        yield required(f"{path}.type", _EMPTY_TYPE[level])
    if embedded and not preserve and not schema.get("properties"):
        text = (
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        )
        yield required(f"{path}.properties", text)
    if embedded and schema.get("additionalProperties") is not None:
        text = "must not be used if x-kubernetes-embedded-resource is set"
        yield forbidden(f"{path}.additionalProperties", text)
    if level == ROOT and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")


def _metadata_rules(schema: JsonObject, level: str, path: str) -> Iterator[Cause]:
    """What a schema may say of the fields that every object has."""
    if level != ROOT and not schema.get(EMBEDDED):
        return
    fields = schema.get("properties") or {}
    for name, wanted in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object")):
        if name in fields and fields[name].get("type") != wanted:
            yield invalid(f"{path}.properties[{name}].type", fields[name].get("type", ""), f"must be {wanted}")
    metadata = fields.get("metadata") or {}
    said = {key for key in metadata if key not in ("type", "description")}
    allowed = said <= {"properties"} and set(metadata.get("properties") or ()) <= {"name", "generateName"}
    if level == ROOT and not allowed:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(f"{path}.properties[metadata]", text)


def _default_faults(schema: JsonObject, level: str, path: str) -> Iterator[Cause]:
    if level == ROOT:
        yield forbidden(f"{path}.default", "must not be set at the root")
        return
    for cause in faults(schema["default"], schema):
        where = f"{path}.default" + (f".{cause.field}" if cause.field not in ("", "<nil>") else "")
        yield Cause(where, cause.reason, cause.message.replace(":  in body", f": {path}.default in body"))


# Junctors: values only.


def _junctor_types_are_free(schema: JsonObject) -> bool:
    """`x-kubernetes-int-or-string` may say its two types again."""
    first = (schema.get("allOf") or [{}])[0]
    return _INT_OR_STRING_TYPES in (schema.get("anyOf"), first.get("anyOf"))


def _values(schema: JsonObject, path: str, types_are_free: bool) -> Iterator[Cause]:
    for key in JUNCTORS:
        for index, each in enumerate(schema.get(key) or ()):
            free = types_are_free and (key == "anyOf" or (key == "allOf" and index == 0))
            yield from _nested(each, f"{path}.{key}[{index}]", free)
    if isinstance(schema.get("not"), dict):
        yield from _nested(schema["not"], f"{path}.not", False)
    if pattern := schema.get("pattern"):
        try:
            compile_pattern(pattern)
        except re.error as fault:
            text = f"must be a valid regular expression, but isn't: error parsing regexp: {fault}"
            yield invalid(f"{path}.pattern", pattern, text)


def _nested(schema: JsonObject, path: str, types_are_free: bool) -> Iterator[Cause]:
    if types_are_free and (schema in _INT_OR_STRING_TYPES or schema.get("anyOf") == _INT_OR_STRING_TYPES):
        return
    for key, text in _NOT_NESTED.items():
        if schema.get(key) not in (None, False, "", []):
            yield forbidden(f"{path}.{key}", text)
    yield from _values(schema, path, False)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items", False)
    for name, each in (schema.get("properties") or {}).items():
        where = f"{path}.properties[{name}]"
        if name == "metadata":
            yield forbidden(where, "must not be specified in a nested context")
        yield from _nested(each, where, False)


def _completeness(schema: JsonObject, structure: JsonObject | None, path: str) -> Iterator[Cause]:
    """Whatever a junctor speaks of must have its place in the structure too."""
    structure = structure or {}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _completeness(schema[key], structure.get(key), f"{path}.{key}")
    for name, each in (schema.get("properties") or {}).items():
        known = (structure.get("properties") or {}).get(name)
        if known is None:
            yield required(
                _structural_path(path) + f".properties[{name}]", f"because it is defined in {path}.properties[{name}]"
            )
        else:
            yield from _completeness(each, known, f"{path}.properties[{name}]")
    for key in (*JUNCTORS, "not"):
        inner = schema.get(key) or ()
        for index, each in enumerate([inner] if isinstance(inner, dict) else inner):
            yield from _completeness(each, structure, f"{path}.{key}" + ("" if key == "not" else f"[{index}]"))


def _structural_path(path: str) -> str:
    return re.sub(r"\.((allOf|anyOf|oneOf)\[\d+\]|not)(?=[.\[]|$)", "", path)
