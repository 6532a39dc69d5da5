"""Which fields a value has, and which a write has changed.

Two walks over an object by its type. `fields_of` is for a configuration that is applied: its leaves, and besides them the
entries of its maps and the items of its lists. `compare` is for any other write: it names each leaf that is new or differs, and
each container that was not there before. It looks only into what differs; of an object that is as it was it sees one `==`.

Models: sigs.k8s.io/structured-merge-diff/v6/typed (tofieldset.go, compare.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from k8slab.apimachinery.fieldset import LEAF, SELF, FieldSet, as_member, field
from k8slab.apimachinery.typed import ANY, LIST, STRUCT, Type, entry, is_granular


def fields_of(type_: Type, value: Any) -> FieldSet:
    """The fields that a value has: its leaves, the entries of its maps and the items of its lists."""
    found: FieldSet = {}
    if type_.kind == LIST:
        for item in value:
            found[type_.step(item)] = as_member(_fields_below(type_.items, item))
        return found
    for name, each in value.items():
        step, inner, known = entry(type_, name)
        below = _fields_below(inner, each)
        if not is_granular(inner, each) or each == {}:
            found[step] = LEAF
        elif not known:
            found[step] = as_member(below)
        elif below:
            found[step] = below
    return found


def _fields_below(type_: Type, value: Any) -> FieldSet:
    return fields_of(type_, value) if is_granular(type_, value) else LEAF


def fields_of_new(type_: Type, obj: Mapping[str, Any], skipped: Mapping[str, tuple[str, ...]]) -> FieldSet:
    """The fields of an object that is created: what it adds to what Go writes of an empty one.

    Remembered: most objects that are created are like others, as the Pods of a template. `skipped` are top-level fields
    with the names in them that nobody owns, and that tell them apart.
    """
    fields = type_.fields
    parts = []
    for name, value in obj.items():
        known = fields.get(name)
        if known is not None and known[1].is_leaf:
            parts.append((name, b"null"))
            continue
        if name in skipped:
            value = {key: each for key, each in value.items() if key not in skipped[name]}
        parts.append((name, orjson.dumps(value)))
    return _fields_of_new(type_, tuple(parts))


@lru_cache(maxsize=1024)
def _fields_of_new(type_: Type, parts: tuple[tuple[str, bytes], ...]) -> FieldSet:
    return compare(type_, type_.empty, {name: orjson.loads(value) for name, value in parts})[0]


def compare(type_: Type, old: Any, new: Any) -> tuple[FieldSet, FieldSet]:
    """(what was added or changed, what was removed) from one granular value to another; either may be null."""
    changed: FieldSet = {}
    removed: FieldSet = {}
    if type_.kind == LIST:
        before, after = _by_step(type_, old or ()), _by_step(type_, new or ())
        inner = type_.items
        for step, each in after.items():
            if step not in before:
                changed[step] = _everything(inner, each)
            elif before[step] != each:
                _compare_entry(step, inner, before[step], each, changed, removed)
        removed |= {step: _everything(inner, each) for step, each in before.items() if step not in after}
        return changed, removed
    fields = type_.fields if type_.kind == STRUCT else None
    old, new = old or {}, new or {}
    for name, each in new.items():
        was = old.get(name, _MISSING)
        if was is each or was == each:
            continue
        step, inner = _field(fields, type_, name)
        if was is _MISSING:
            changed[step] = LEAF if inner.is_leaf else _everything(inner, each)
        else:
            _compare_entry(step, inner, was, each, changed, removed)
    for name, each in old.items():
        if name not in new:
            step, inner = _field(fields, type_, name)
            removed[step] = _everything(inner, each)
    return changed, removed


_MISSING = object()


def _field(fields: Mapping[str, tuple[str, Type]] | None, type_: Type, name: str) -> tuple[str, Type]:
    if fields is None:
        return "f:" + name, type_.items
    return fields.get(name) or (field(name), ANY)


def _compare_entry(step: str, type_: Type, old: Any, new: Any, changed: FieldSet, removed: FieldSet) -> None:
    """Note what differs in one entry that is there before and after."""
    expected = list if type_.kind == LIST else dict
    granular = (old is None or type(old) is expected) and (new is None or type(new) is expected)
    if type_.is_leaf or not granular or not (old or new):
        changed[step] = LEAF
        return
    added, gone = compare(type_, old, new)
    if added:
        changed[step] = added
    if gone:
        removed[step] = gone


def _everything(type_: Type, value: Any) -> FieldSet:
    """All paths of a value that was not there before, or is not there any more: those of its containers too."""
    if not value or not is_granular(type_, value):
        return LEAF
    if type_.kind == LIST:
        return {SELF: LEAF} | {step: _everything(type_.items, item) for step, item in _by_step(type_, value).items()}
    if dict in map(type, value.values()) or list in map(type, value.values()):
        found: FieldSet = {SELF: LEAF}
        fields = type_.fields if type_.kind == STRUCT else None
        for name, each in value.items():
            step, inner = _field(fields, type_, name)
            found[step] = LEAF if inner.is_leaf else _everything(inner, each)
        return found
    return _flat(tuple(value))


@lru_cache(maxsize=4096)
def _flat(names: tuple[str, ...]) -> FieldSet:
    """The paths of a container of scalars: there are many of a few shapes, such as conditions."""
    return {SELF: LEAF} | {field(name): LEAF for name in names}


def _by_step(type_: Type, items: Any) -> dict[str, Any]:
    """A list's items by their steps. Of several that cannot be told apart the last counts; one without keys does not."""
    found = {}
    for item in items:
        try:
            found[type_.step(item)] = item
        except ValueError:
            continue
    return found
