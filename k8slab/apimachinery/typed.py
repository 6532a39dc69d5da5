"""How the fields of a kind are owned: one by one, item by item, or as a whole.

Server-side apply looks at an object through its schema. A struct's fields and a map's entries are owned one by one
(*granular*), the items of a list by what tells them apart: their keys (`list-type: map`) or their value (`set`). All else is
*atomic*: one thing, with one owner, whatever is in it. So two managers can each add a port to a container, but not a
toleration to a Pod.

A `Type` is made from whatever OpenAPI schema a kind has, piece by piece as it is needed, and never changes. Walks that need
one are in `fields_of.py` (which fields does a value have, which did a write change?) and `merging.py`.

Models: sigs.k8s.io/structured-merge-diff/v6/schema, typed/helpers.go; k8s.io/kube-openapi/pkg/schemaconv.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from k8slab.apimachinery.fieldset import field, item_of_keys, item_of_value

Schema = Mapping[str, Any]
Resolve = Callable[[str], "Type"]
"""From the name of a schema that another refers to, to its type."""

KEY_DEFAULTS = {"protocol": "TCP"}
"""What a key of a list's items is where it is left out: upstream's schema says it, the one used here does not."""

VALUE_STRUCTS: Mapping[str, tuple[str, ...]] = {
    "io.k8s.api.core.v1.PodTemplateSpec": ("metadata", "spec"),
    "io.k8s.api.apps.v1.DeploymentSpec": ("strategy",),
    "io.k8s.api.apps.v1.StatefulSetSpec": ("updateStrategy",),
    "io.k8s.api.apps.v1.DaemonSetSpec": ("updateStrategy",),
    "io.k8s.api.apps.v1.ReplicaSetSpec": ("template",),
    "io.k8s.api.batch.v1.JobTemplateSpec": ("metadata", "spec"),
    "io.k8s.api.core.v1.PersistentVolumeClaimSpec": ("resources",),
    "io.k8s.api.core.v1.ServiceStatus": ("loadBalancer",),
    "io.k8s.api.core.v1.NodeStatus": ("daemonEndpoints", "nodeInfo"),
    "io.k8s.api.core.v1.NodeDaemonEndpoints": ("kubeletEndpoint",),
    "io.k8s.api.core.v1.Event": ("source",),
    "io.k8s.api.networking.v1.IngressStatus": ("loadBalancer",),
}
"""Optional structs that Go writes even when they are empty, since they are no pointers: so nobody ever adds them."""

SCALAR, STRUCT, MAP, LIST, ATOMIC = "scalar", "struct", "map", "list", "atomic"


class Type:
    """What a value may be. Compared by identity."""

    def __init__(
        self,
        kind: str,
        *,
        scalar: str = "any scalar",
        schema: Schema | None = None,
        resolve: Resolve | None = None,
        keys: tuple[str, ...] = (),
        whole: Type | None = None,
        name: str = "",
    ) -> None:
        self.kind = kind
        """SCALAR, STRUCT, MAP, LIST (of items that can be told apart) or ATOMIC."""
        self.scalar = scalar
        """`string`, `numeric`, `boolean` or `any scalar`."""
        self.keys = keys
        """The fields that tell a list's items apart; none for a set of scalars."""
        self.whole = whole
        """What an atomic value is made of, where that is known."""
        self.name = name
        """The Go type that the schema describes; empty where it has no name."""
        self.is_leaf = kind in (SCALAR, ATOMIC)
        self._schema, self._resolve = schema or {}, resolve
        self.open = bool(self._schema.get("x-kubernetes-preserve-unknown-fields"))
        """Of a struct: whether it may have fields that the schema does not name."""

    @staticmethod
    def of(schema: Schema, resolve: Resolve, name: str = "") -> Type:
        """The type that a schema describes."""
        found = _of(schema, resolve, name)
        if schema.get("x-kubernetes-map-type") == "atomic" and not found.is_leaf:
            return Type(ATOMIC, whole=found)
        return found

    @cached_property
    def fields(self) -> Mapping[str, tuple[str, Type]]:
        """Of a struct: its fields by name, each with its step and its type."""
        assert self._resolve is not None
        properties = self._schema.get("properties") or {}
        return {name: (field(name), Type.of(each, self._resolve)) for name, each in properties.items()}

    @cached_property
    def items(self) -> Type:
        """Of a list the type of its items, of a map that of its values."""
        if self._resolve is None:
            return ANY
        inner = self._schema.get("items" if "items" in self._schema else "additionalProperties")
        return Type.of(inner, self._resolve) if isinstance(inner, dict) else ANY

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """Of a list: what its keys are where an item leaves them out."""
        properties = (self.items._schema.get("properties") or {}) if self.items.kind == STRUCT else {}
        found = {key: (properties.get(key) or {}).get("default", KEY_DEFAULTS.get(key)) for key in self.keys}
        return {key: value for key, value in found.items() if value is not None}

    @cached_property
    def empty(self) -> dict[str, Any]:
        """Of a built-in kind's struct: what Go writes of it when nothing is set. Read-only."""
        if not self.name:
            return {}
        required = self._schema.get("required") or ()
        is_kind = "apiVersion" in self.fields
        always = VALUE_STRUCTS.get(self.name, ()) + (("metadata", "spec", "status") if is_kind else ())
        found: dict[str, Any] = {}
        for name, (_, type_) in self.fields.items():
            struct = type_.whole or type_
            if struct.kind == STRUCT and (name in required or name in always):
                found[name] = struct.empty
            elif name in required:
                found[name] = None
        return found

    def step(self, item: Any) -> str:
        """Of a list: the step to one of its items. ValueError, in upstream's words, for one that has none."""
        if not self.keys:
            if item is None:
                raise ValueError("associative list without keys has an element that's an explicit null")
            if isinstance(item, dict):
                raise ValueError("associative list without keys has an element that's a map type")
            if isinstance(item, list):
                raise ValueError("not supported: associative list with lists as elements")
            return item_of_value(item)
        if not isinstance(item, dict):
            what = "a null element" if item is None else "non-map elements"
            raise ValueError(f"associative list with keys may not have {what}")
        if len(self.keys) == 1:
            value = item.get(self.keys[0])
            if type(value) is str:
                return _step_of_one(self.keys[0], value)
        found = {}
        for key in self.keys:
            value = item.get(key, self.defaults.get(key))
            if value is None:
                text = f'omits key field "{key}" (and doesn\'t have default value)'
                raise ValueError(f"associative list with keys has an element that {text}")
            found[key] = value
        return item_of_keys(found)


@lru_cache(maxsize=4096)
def _step_of_one(key: str, value: str) -> str:
    """Of lists with one key: the usual ones are asked for with every change of a condition."""
    return item_of_keys({key: value})


def _of(schema: Schema, resolve: Resolve, name: str) -> Type:
    reference = schema.get("$ref") or next((each["$ref"] for each in schema.get("allOf", ()) if "$ref" in each), "")
    if reference:
        return resolve(reference.rpartition("/")[2])
    if schema.get("x-kubernetes-int-or-string"):
        return Type(SCALAR)
    kinds = schema.get("type")
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    if kind in ("string", "boolean"):
        return Type(SCALAR, scalar=str(kind))
    if kind in ("integer", "number"):
        return Type(SCALAR, scalar="numeric")
    if kind == "array":
        return _list_of(schema, resolve)
    if schema.get("properties"):
        return Type(STRUCT, schema=schema, resolve=resolve, name=name)
    if isinstance(schema.get("additionalProperties"), dict):
        return Type(MAP, schema=schema, resolve=resolve)
    return Type(STRUCT, schema=schema, resolve=resolve, name=name) if name else ANY


def _list_of(schema: Schema, resolve: Resolve) -> Type:
    """A list says how its items are told apart, or has the merge key of a strategic merge patch; else it is atomic."""
    sort = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if sort is None and "merge" in schema.get("x-kubernetes-patch-strategy", "").split(","):
        key = schema.get("x-kubernetes-patch-merge-key")
        sort, keys = ("map", (key,)) if key else ("set", ())
    found = Type(LIST, schema=schema, resolve=resolve, keys=keys if sort == "map" else ())
    return found if sort in ("map", "set") else Type(ATOMIC, whole=found)


ANY = Type(MAP)
"""JSON of no known schema: its maps are granular, its lists atomic."""


def is_granular(type_: Type, value: Any) -> bool:
    """Whether a value is owned piece by piece: else it is a leaf."""
    return not type_.is_leaf and type(value) is (list if type_.kind == LIST else dict)


def entry(type_: Type, name: str) -> tuple[str, Type, bool]:
    """(step, type, whether it is a struct's field) of what a struct or a map has under a name."""
    known = type_.fields.get(name) if type_.kind == STRUCT else None
    if known is not None:
        return *known, True
    return field(name), ANY if type_.kind == STRUCT else type_.items, False
