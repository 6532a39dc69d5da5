"""Merging a configuration into an object, and taking fields out of it: the two hands of server-side apply.

Both go by the type: what is granular is merged piece by piece, what is atomic is replaced as a whole.

The order of a merged list follows the configuration for the items that it names, and leaves the others where they were among
their neighbours.

Models: sigs.k8s.io/structured-merge-diff/v6/typed (merge.go, remove.go), fieldpath/set.go (EnsureNamedFieldsAreMembers).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.fieldset import SELF, FieldSet, as_member, is_member
from k8slab.apimachinery.typed import LIST, STRUCT, Type, entry, is_granular


def merge(type_: Type, live: Any, config: Any) -> Any:
    """The live value with a configuration put over it. Parts that need no change are shared with either."""
    if type_.is_leaf:
        return config
    if config is None:
        return live or None
    if not is_granular(type_, config) or not is_granular(type_, live):
        return config
    if type_.kind == LIST:
        return _merged_list(type_, live, config)
    merged = dict(live)
    for name, each in config.items():
        merged[name] = merge(entry(type_, name)[1], live[name], each) if name in live else each
    return merged


def _merged_list(type_: Type, live: list[Any], config: list[Any]) -> list[Any]:
    """The items of both: see the module for their order."""
    ours, theirs = [type_.step(item) for item in config], [_step(type_, item) for item in live]
    named, by_step = set(ours), dict(zip(theirs, live, strict=True))
    shared = [step for step in ours if step in by_step]
    merged: list[Any] = []
    at = 0
    for step, item in zip(ours, config, strict=True):
        # First what only the live list has, up to the next item that both have.
        while at < len(live) and theirs[at] != (shared[0] if shared else None):
            if theirs[at] not in named:
                merged.append(live[at])
            at += 1
        if step in by_step:
            del shared[0]
            at += at < len(live)
        merged.append(merge(type_.items, by_step[step], item) if step in by_step else item)
    return merged + [live[place] for place in range(at, len(live)) if theirs[place] not in named]


def _step(type_: Type, item: Any) -> str:
    try:
        return type_.step(item)
    except ValueError:
        return ""  # an item without keys can't be spoken of: it stays


def remove(type_: Type, value: Any, fields: FieldSet) -> Any:
    """The value without the fields of a set; None where nothing is left of it."""
    if not fields or not value or not is_granular(type_, value):
        return value
    if type_.kind == LIST:
        return [
            left for item in value for left in _remaining(type_.items, item, fields.get(_step(type_, item)))
        ] or None
    kept = {}
    for name, each in value.items():
        step, inner, _ = entry(type_, name)
        for left in _remaining(inner, each, fields.get(step)):
            kept[name] = left
    return kept or None


def _remaining(type_: Type, value: Any, fields: FieldSet | None) -> list[Any]:
    """What is left of one entry: the value in a list of one, or nothing."""
    if fields is None:
        return [value]
    return [] if is_member(fields) else [remove(type_, value, fields)]


def with_structs(type_: Type, fields: FieldSet) -> FieldSet:
    """The set, and in it each struct of whose fields there are some: who owned all of a struct owned the struct.

    Maps and lists are not structs: they are in the set only if they were.
    """
    if type_.is_leaf:
        return fields
    found: FieldSet = {}
    for step, below in fields.items():
        if step == SELF or not below:
            found[step] = below
            continue
        inner, is_field = _type_at(type_, step)
        tree = with_structs(inner, below) if inner is not None else below
        found[step] = as_member(tree) if is_field else tree
    return found


def _type_at(type_: Type, step: str) -> tuple[Type | None, bool]:
    """(the type that a step leads to, whether the step is a struct's field)."""
    if step.startswith("f:"):
        _, inner, known = entry(type_, step[2:])
        return inner, known and type_.kind == STRUCT
    return (type_.items if type_.kind == LIST else None), False
