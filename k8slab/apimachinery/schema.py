"""What each kind's fields are: the schema, and what an object breaks of it.

The schema of every built-in kind comes from the package `kubernetes-validate`: upstream's own OpenAPI, with the patch
and list annotations that merging needs. It is read once, when first asked, and never changed.

`Definition.check` tells three kinds of fault apart, because the API server answers them differently: a value of the
wrong type can't be decoded (400), an unknown field is dropped, warned of or refused (`fieldValidation`), and a missing
one is for validation to report (422). `Definition.prune` then gives the object as Go would have decoded it: without
unknown fields and without nulls.

Kinds that the schema lacks (metrics.k8s.io) have no definition; those of custom resources are made from theirs, in
`apiserver/custom/kind.py`.

Models: sigs.k8s.io/json (strict decoding), k8s.io/kube-openapi (the annotations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import find_spec
from operator import is_
from pathlib import Path
from typing import Any

import orjson

from k8slab.apimachinery import checker
from k8slab.apimachinery.checker import REQUIRED, TYPE, UNKNOWN, FieldError
from k8slab.apimachinery.duplicates import find_duplicate_fields
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apimachinery.typed import ANY, SCALAR, Type

__all__ = [
    "Definition",
    "Field",
    "FieldError",
    "REQUIRED",
    "TYPE",
    "UNKNOWN",
    "definition_for",
    "definition_named",
    "find_duplicate_fields",
]

SCHEMA_VERSION = "v1.37.0-local"
REFERENCE = "#/$defs/"

# The Go types that read any JSON.
FREE_FORM = {
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
}

# The Go types whose JSON is a scalar of a format of their own.
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "date-time",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
}


@dataclass(frozen=True, slots=True)
class Field:
    """What one field, list element or map value may hold."""

    type: str
    """string, integer, number, boolean, array, map, object (of `ref`), any, or one of the formats in SCALARS."""
    format: str = ""
    """int32, int64, double, byte; empty where the type says it all."""
    ref: str = ""
    """For an object the name of its definition."""
    items: Field | None = None
    """For an array what its elements are, for a map what its values are."""
    merge_key: str = ""
    strategy: tuple[str, ...] = ()
    """Of a strategic merge patch: `merge`, `retainKeys`, `replace`."""
    list_type: str = ""
    """`atomic`, `set` or `map`, for server-side apply; empty means atomic."""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""
    """`atomic` or empty (granular), for server-side apply."""
    inline: Definition | None = None
    """For an object whose fields are described on the spot, as in custom resources: its definition, which has no name."""

    @property
    def definition(self) -> Definition | None:
        """The definition of the object that the field holds."""
        return self.inline or (definition_named(self.ref) if self.ref else None)

    @property
    def holds_fields(self) -> bool:
        """Whether there is a struct, or a map of anything, somewhere below."""
        if self.items is not None:
            return self.type == "map" or self.items.holds_fields
        return self.type == "object"

    @staticmethod
    def of(schema: Mapping[str, Any]) -> Field:
        """The field that a schema describes."""
        ref = schema.get("$ref", "").removeprefix(REFERENCE)
        kind, items = _type_of(schema, ref)
        return Field(
            type=kind,
            format=schema.get("format", ""),
            ref=ref if kind == "object" else "",
            items=Field.of(items) if items is not None else None,
            merge_key=schema.get("x-kubernetes-patch-merge-key", ""),
            strategy=tuple(filter(None, schema.get("x-kubernetes-patch-strategy", "").split(","))),
            list_type=schema.get("x-kubernetes-list-type", ""),
            list_map_keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
            map_type=schema.get("x-kubernetes-map-type", ""),
            inline=Definition("", schema) if kind == "object" and not ref else None,
        )


def _type_of(schema: Mapping[str, Any], ref: str) -> tuple[str, Mapping[str, Any] | None]:
    if ref:
        return "any" if ref in FREE_FORM else SCALARS.get(ref, "object"), None
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string", None
    kinds = schema.get("type", "any")
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    if kind == "array":
        return kind, schema.get("items", {})
    if kind == "object":
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            return "map", values
        return ("object" if schema.get("properties") else "any"), None
    return kind, None


@dataclass(frozen=True)
class Definition:
    """One Go struct: the fields of a kind, or of a part of one."""

    name: str
    """`io.k8s.api.core.v1.PodSpec`."""
    schema: Mapping[str, Any] = field(repr=False, hash=False, compare=False)
    """The OpenAPI schema it comes from. Read-only."""

    @cached_property
    def go_type(self) -> str:
        """The type as Go's error messages write it: `v1.PodSpec`."""
        return ".".join(self.name.split(".")[-2:])

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields by their JSON names."""
        return {name: Field.of(schema) for name, schema in self.schema.get("properties", {}).items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that may not be missing."""
        return tuple(self.schema.get("required", ()))

    @cached_property
    def map_type(self) -> str:
        """`atomic` for an object that server-side apply owns as a whole."""
        return str(self.schema.get("x-kubernetes-map-type", ""))

    @cached_property
    def containers(self) -> Mapping[str, Field | None]:
        """The fields by their JSON names; None for those that hold one scalar."""
        return {name: field if field.items or field.ref else None for name, field in self.fields.items()}

    @cached_property
    def checks(self) -> checker.Struct:
        """The compiled checks of the fields."""
        return checker.Struct(self)

    @cached_property
    def type(self) -> Type:
        """How its fields are owned and merged, for server-side apply."""
        return Type.of(self.schema, referenced_type, self.name)

    def check(self, obj: Any) -> list[FieldError]:
        """What is wrong with an object, in the order of its fields; empty when nothing is."""
        return checker.check(self, obj)

    def prune(self, obj: JsonObject) -> JsonObject:
        """The object without unknown fields and without nulls; parts that need no change are shared with the original.

        Call it only on what `check` finds decodable.
        """
        pruned: JsonObject = _pruned_struct(self, obj)
        return pruned


def _pruned_struct(definition: Definition, obj: Any) -> Any:
    known, changes, dropped = definition.containers, {}, False
    for key, value in obj.items():
        if key not in known or value is None:
            dropped = True
        elif type(value) in _CONTAINERS and value and (field := known[key]) is not None:
            new = _pruned(field, value)
            if new is not value:
                changes[key] = new
    if not dropped:
        return {**obj, **changes} if changes else obj
    return {k: changes.get(k, v) for k, v in obj.items() if v is not None and k in known}


def _pruned(known: Field, value: Any) -> Any:
    if known.type == "object" and type(value) is dict:
        return _pruned_struct(definition_named(known.ref), value)
    items = known.items
    if items is None:
        return value
    # Go reads a null in a list or a map as the zero of its type.
    zero = ZEROS.get(items.type)
    if type(value) is list:
        if not items.holds_fields and None not in value:
            return value
        new = [_pruned(items, copy_of(zero) if each is None else each) for each in value]
        return value if all(map(is_, new, value)) else new
    if not items.holds_fields and None not in value.values():
        return value
    changed = {k: _pruned(items, copy_of(zero) if v is None else v) for k, v in value.items()}
    return value if all(changed[k] is v for k, v in value.items()) else changed


ZEROS = {"string": "", "integer": 0, "number": 0, "boolean": False, "quantity": "0", "int-or-string": 0, "object": {},
         "array": [], "map": {}}  # fmt: skip
_CONTAINERS = (dict, list)


@cache
def schemas() -> Mapping[str, JsonObject]:
    """All schemas by name, as the package ships them. Read-only; about 10 ms once."""
    package = find_spec("kubernetes_validate")  # found, not imported: its validator would take a second to load
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "kubernetes-json-schema" / SCHEMA_VERSION / "_definitions.json"
    found: dict[str, JsonObject] = orjson.loads(path.read_bytes())["$defs"]
    return found


@cache
def _names_by_kind() -> Mapping[tuple[str, str, str], str]:
    return {
        (kind["group"], kind["version"], kind["kind"]): name
        for name, schema in schemas().items()
        for kind in schema.get("x-kubernetes-group-version-kind", ())
    }


@cache
def definition_named(name: str) -> Definition:
    """The definition of a Go type, by its OpenAPI name; KeyError where there is none."""
    return Definition(name, schemas()[name])


def referenced_type(name: str) -> Type:
    """The type of a built-in schema that another refers to."""
    if name in FREE_FORM:
        return ANY
    return Type(SCALAR) if name in SCALARS else definition_named(name).type


def definition_for(group: str, version: str, kind: str) -> Definition | None:
    """The definition of a kind, or None where the schema has none."""
    name = _names_by_kind().get((group, version, kind))
    return definition_named(name) if name else None
