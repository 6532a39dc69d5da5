"""A custom kind: what one version of a CustomResourceDefinition says, ready to be used.

Built-in kinds have their schema in a package and their rules in tables. A custom kind carries both: its row in the table
of resources has a `CustomKind`, which has the same parts that built-in kinds are found by: a definition (schema), a
strategy (rules), a printer (columns). So the handlers treat them all alike.

Models: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (getOrCreateServingInfoFor),
pkg/registry/customresource/strategy.go, validator.go, tableconvertor/tableconvertor.go,
pkg/controller/openapi/builder/builder.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from k8slab.apimachinery.checker import TYPE, UNKNOWN, FieldError
from k8slab.apimachinery.errors import Cause, invalid
from k8slab.apimachinery.jsonpath import parse_jsonpath, text_of
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import REFERENCE, Definition, definition_named, referenced_type
from k8slab.apimachinery.typed import Type
from k8slab.apiserver.custom.pruning import OBJECT_META, defaulted, pruned
from k8slab.apiserver.custom.validating import MISSING, faults
from k8slab.apiserver.printers.cells import Column, Printer, name, since
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.strategies.selectable import values
from k8slab.apiserver.strategy import Strategy
from k8slab.clock import from_rfc3339

MAX_INT32 = 2**31 - 1
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_TYPE_META = ("apiVersion", "kind")


@cache
def _what_every_kind_has() -> JsonObject:
    """The schema of apiVersion, kind and metadata, described as in the kinds that are built in."""
    fields = definition_named("io.k8s.api.core.v1.Pod").schema["properties"]
    plain = {key: {k: v for k, v in fields[key].items() if k != "enum"} for key in _TYPE_META}
    return {**plain, "metadata": fields["metadata"]}


@dataclass(frozen=True, eq=False)
class CustomKind:
    """What a definition says of a kind in one version."""

    definition: CustomDefinition
    strategy: CustomStrategy
    printer: Printer
    storage: str
    """The apiVersion under which its objects are stored."""
    scale: ScalePaths | None
    terminating: bool
    """Whether the definition is being deleted: then nothing new may be created."""
    warning: str
    """What everybody who uses this version is told; empty if nothing."""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where an object says how many there are: paths of fields, such as ("spec", "replicas")."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...]
    """Empty: it has no selector."""


class CustomDefinition(Definition):
    """The schema of a custom kind."""

    @staticmethod
    def of(group: str, version: str, kind: str, schema: JsonObject) -> CustomDefinition:
        """The definition of a kind; `schema` is what its CustomResourceDefinition says."""
        fields = {**(schema.get("properties") or {}), **_what_every_kind_has()}
        whole = {**schema, "type": "object", "properties": fields} | _identity(group, version, kind)
        return CustomDefinition(_name(group, version, kind), whole)

    @cached_property
    def body(self) -> JsonObject:
        """The schema without what all kinds share: that is checked elsewhere."""
        fields = {k: v for k, v in self.schema["properties"].items() if k not in (*_TYPE_META, "metadata")}
        return {**self.schema, "properties": fields}

    @cached_property
    def type(self) -> Type:
        """How its fields are owned: it is no Go struct, so that no field is there before somebody adds it."""
        return Type.of(self.schema, referenced_type)

    def check(self, obj: Any) -> list[FieldError]:
        """The fields that the schema does not know, and what of the metadata cannot be read."""
        _, unknown = pruned(obj, self.body, root=True)
        found = [FieldError(path, UNKNOWN, f'unknown field "{path}"') for path in unknown]
        metadata = obj.get("metadata")
        wrong = definition_named(OBJECT_META).check(metadata) if isinstance(metadata, dict) else []
        return [
            *found,
            *(FieldError(f"metadata.{each.path}", TYPE, each.detail) for each in wrong if each.kind == TYPE),
        ]

    def prune(self, obj: JsonObject) -> JsonObject:
        """The object without the fields that the schema does not know."""
        new: JsonObject = pruned(obj, self.body, root=True)[0]
        return new


def list_definition(resource: ResourceInfo) -> Definition:
    """The schema of a list of a custom kind."""
    item = _name(resource.group, resource.version, resource.kind)
    items = {"type": "array", "items": {"$ref": REFERENCE + item}, "description": f"List of {resource.plural}."}
    schema: JsonObject = {
        "type": "object",
        "description": f"{resource.kind_of_list} is a list of {resource.kind}",
        "required": ["items"],
        "properties": {**_what_every_kind_has(), "metadata": {"$ref": f"{REFERENCE}{_META}ListMeta"}, "items": items},
    } | _identity(resource.group, resource.version, resource.kind_of_list)
    return Definition(_name(resource.group, resource.version, resource.kind_of_list), schema)


def _name(group: str, version: str, kind: str) -> str:
    """A kind's name in OpenAPI: `com.example.stable.v1.CronTab`."""
    return ".".join([*reversed(group.split(".")), version, kind])


def _identity(group: str, version: str, kind: str) -> JsonObject:
    return {"x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": kind}]}


class CustomStrategy(Strategy):
    """The rules of a custom kind."""

    def __init__(self, definition: CustomDefinition, version: JsonObject, scale: ScalePaths | None) -> None:
        self._schema, self._scale = definition.body, scale
        self.status_subresource = (version.get("subresources") or {}).get("status") is not None
        paths = [each["jsonPath"].removeprefix(".") for each in version.get("selectableFields") or []]
        self._rows = tuple((path, tuple(path.split(".")), "") for path in paths)

    def default(self, obj: JsonObject) -> None:
        """Fill in the schema's defaults."""
        new = self.defaulted(obj)
        if new is not obj:
            obj.clear()
            obj.update(new)

    def defaulted(self, obj: JsonObject) -> JsonObject:
        """An object with the schema's defaults: the same one, if it lacks nothing."""
        new: JsonObject = defaulted(obj, self._schema)
        return new

    def prepare_for_create(self, obj: JsonObject) -> None:
        """A status that has its own path is not written here."""
        if self.status_subresource:
            obj.pop("status", None)

    def validate(self, obj: JsonObject) -> list[Cause]:
        """What the schema says is wrong with an object."""
        return [*faults(_content(obj), self._schema), *self._scale_faults(obj)]

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The same, but of what did not change."""
        return [*faults(_content(obj), self._schema, _content(old)), *self._scale_faults(obj)]

    def prepare_for_status_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Fill in the defaults of a status."""
        self.default(obj)

    def validate_status_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """A status follows the schema too."""
        return self.validate_update(obj, old)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The values of the definition's `selectableFields`."""
        return values(self._rows, obj)

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset(row[0] for row in self._rows)

    def _scale_faults(self, obj: JsonObject) -> Iterator[Cause]:
        for path in (self._scale.spec, self._scale.status) if self._scale else ():
            value, where = at(obj, path), "." + ".".join(path)
            if value is MISSING:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                yield invalid(
                    where, 0, f"{where} accessor error: {value} is of the type {_go_type(value)}, expected int64"
                )
            elif value < 0:
                yield invalid(where, value, "should be a non-negative integer")
            elif value > MAX_INT32:
                yield invalid(where, value, f"should be less than or equal to {MAX_INT32}")


def at(obj: JsonObject, path: tuple[str, ...]) -> Any:
    """The value of a field deep in an object, MISSING where there is none."""
    found: Any = obj
    for part in path:
        found = found.get(part, MISSING) if isinstance(found, dict) else MISSING
    return found


def _content(obj: JsonObject) -> JsonObject:
    """What the schema is about."""
    return {key: value for key, value in obj.items() if key not in (*_TYPE_META, "metadata")}


def _go_type(value: Any) -> str:
    names = {str: "string", bool: "bool", float: "float64", list: "[]interface {}", dict: "map[string]interface {}"}
    return names.get(type(value), "<nil>")


# Columns.


def printer_of(columns: list[JsonObject]) -> Printer:
    """How a kind with these additional columns is shown: as kubectl prints it."""
    if not columns:
        columns = [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    heads = [Column("Name"), *(_head(column) for column in columns)]
    cells = [(column["type"], parse_jsonpath(column["jsonPath"])) for column in columns]

    def row(obj: JsonObject, now: float) -> list[Any]:
        found: list[Any] = [name(obj)]
        for kind, find in cells:
            results = find(obj)
            found.append(_cell(kind, results[0], now) if results else None)
        return found

    return Printer(tuple(heads), row)


def _head(column: JsonObject) -> Column:
    path = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return Column(
        column["name"], column["type"], column.get("priority", 0), column.get("format", ""),
        column.get("description") or path,
    )  # fmt: skip


def _cell(kind: str, value: Any, now: float) -> Any:
    """A value as a column of a type shows it; None where it is of another type."""
    if kind == "string":
        return text_of(value)
    if kind == "date" and isinstance(value, str):
        try:
            from_rfc3339(value)
        except ValueError:
            return "<invalid>"
        return since(value, now)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return int(value) if kind == "integer" else float(value)


# From a definition to its kinds.


def rows_of(crd: JsonObject) -> list[ResourceInfo]:
    """The rows of the table of resources that a definition makes: one for each version served, the preferred one first.

    There are none until its names are accepted.
    """
    spec, status = crd["spec"], crd.get("status") or {}
    true = {each.get("type") for each in status.get("conditions") or [] if each.get("status") == "True"}
    names = status.get("acceptedNames") or {}
    if not {"NamesAccepted", "Established"} & true or not names.get("plural") or not names.get("kind"):
        return []
    versions = sorted(
        (each for each in spec["versions"] if each.get("served")), key=lambda each: priority(each["name"])
    )
    return [_row(crd, spec, names, version) for version in versions]


def _row(crd: JsonObject, spec: JsonObject, names: JsonObject, version: JsonObject) -> ResourceInfo:
    group, kind = spec["group"], names["kind"]
    definition = CustomDefinition.of(
        group, version["name"], kind, (version.get("schema") or {}).get("openAPIV3Schema") or {}
    )
    parts = version.get("subresources") or {}
    scale = _scale_paths(parts["scale"]) if parts.get("scale") else None
    storage = next(each["name"] for each in spec["versions"] if each.get("storage"))
    warning = f"{group}/{version['name']} {kind} is deprecated"
    custom = CustomKind(
        definition=definition,
        strategy=CustomStrategy(definition, version, scale),
        printer=printer_of(version.get("additionalPrinterColumns") or []),
        storage=f"{group}/{storage}",
        scale=scale,
        terminating=bool(crd["metadata"].get("deletionTimestamp")),
        warning=version.get("deprecationWarning", warning) if version.get("deprecated") else "",
    )
    return ResourceInfo(
        group=group,
        version=version["name"],
        plural=names["plural"],
        kind=kind,
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(part for part in ("status", "scale") if parts.get(part) is not None),
        storage=group,
        singular=names.get("singular", ""),
        list_kind=names.get("listKind", ""),
        by_group=True,
        custom=custom,
    )


def _scale_paths(scale: JsonObject) -> ScalePaths:
    spec, status, selector = (
        tuple(filter(None, (scale.get(key) or "").split(".")))
        for key in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    )
    return ScalePaths(spec, status, selector)


def priority(version: str) -> tuple[int, int, int, str]:
    """The order of versions, the preferred first: v2, v1, v1beta2, v1beta1, v1alpha1, then all others by their names."""
    match = re.fullmatch(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?", version)
    if match is None:
        return 3, 0, 0, version
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return stage, -int(match[1]), -int(match[3] or 0), ""
