"""Strategic merge patch: a merge patch that knows what lists mean.

In a merge patch a list replaces the whole list. But a Pod's containers are really a map keyed by name, and who patches
one container's image does not want to repeat the others. So Kubernetes' types say of some lists that they *merge*, and
by which key; this patch merges those element by element, and replaces the rest. `null` deletes a field, as in a merge
patch. Four directives say what a merge alone cannot:

- `$patch: delete | replace` in an object: delete it (in a list, the element of that key), or take the patch as it is;
- `$deleteFromPrimitiveList/<field>`: these elements leave a list of scalars;
- `$setElementOrder/<field>`: the order of the merged list (what only the server has keeps its place among the rest);
- `$retainKeys`: all other keys of the object go (a union changes its member so).

Pure: neither document nor patch is changed.

Models: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (mergeMap, mergeSlice, normalizeElementOrder).
"""

from __future__ import annotations

from typing import Any

import orjson

from k8slab.apimachinery.errors import BadRequest, Invalid
from k8slab.apimachinery.patch import go_format, require_object
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apimachinery.schema import Definition, Field

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"

UNTYPED = Field("any")


def strategic_merge_patch(document: JsonObject, patch: Any, definition: Definition) -> JsonObject:
    """The document with a patch applied, by the rules of its kind; BadRequest or Invalid where that can't be."""
    try:
        return _merge_map(copy_of(document), copy_of(require_object(patch)), Field("object", ref=definition.name))
    except (RecursionError, orjson.JSONEncodeError):
        raise BadRequest("exceeded max depth") from None


def _member(field: Field, name: str) -> Field:
    """What the schema says of one member of an object."""
    if field.definition is not None:
        return field.definition.fields.get(name, UNTYPED)
    return field.items or UNTYPED if field.type == "map" else UNTYPED


def _merges(field: Field) -> bool:
    return "merge" in field.strategy


def _merge_map(original: JsonObject, patch: JsonObject, field: Field) -> JsonObject:
    if PATCH in patch:
        return _replaced_map(patch)
    _retain_keys(original, patch)
    _set_element_order(original, patch, field)
    for key, value in patch.items():
        deleting = key.startswith(DELETE_FROM)
        if deleting:
            key = _directive_field(key, DELETE_FROM, "invalid patch format of primitive list")
            if not isinstance(value, list):
                raise BadRequest("invalid patch format of primitive list")
        if value is None:
            original.pop(key, None)
        elif deleting:
            if isinstance(original.get(key), list):
                original[key] = [each for each in original[key] if each not in value]
        else:
            original[key] = _merged(original.get(key), value, _member(field, key))
    return original


def _merged(original: Any, value: Any, field: Field) -> Any:
    """One field's value after the patch."""
    if isinstance(value, dict) and isinstance(original, dict):
        if "replace" in field.strategy:
            return _plain(value)
        return _merge_map(original, value, field)
    if isinstance(value, list) and isinstance(original, list) and _merges(field):
        return _merge_list(original, value, field)
    if isinstance(value, list) and not _merges(field) and original is not None:
        return value
    return _plain(value)


def _replaced_map(patch: JsonObject) -> JsonObject:
    directive = patch[PATCH]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if directive == "delete":
        return {}
    raise BadRequest(f"unknown patch type: {go_format(directive)} in map: {go_format(patch)}")


def _retain_keys(original: JsonObject, patch: JsonObject) -> None:
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    if not isinstance(kept, list):
        raise BadRequest("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_FROM, SET_ORDER)) and key not in kept:
            raise BadRequest("patch content doesn't match retainKeys list")
    for key in [key for key in original if key not in kept]:
        del original[key]


def _set_element_order(original: JsonObject, patch: JsonObject, field: Field) -> None:
    """Merge the lists that have an order directive, and take both out of the patch."""
    for directive in [key for key in patch if key.startswith(SET_ORDER)]:
        order = patch.pop(directive)
        name = _directive_field(directive, SET_ORDER, "invalid patch format of setElementOrder list")
        member = _member(field, name)
        old, changes = original.get(name), patch.get(name)
        for each in (order, old, changes):
            if each is not None and not isinstance(each, list):
                raise BadRequest("invalid patch format of setElementOrder list")
        order = order or []
        _check_order(changes or [], order, member.merge_key)
        if old is None and changes is None:
            continue
        merged = old if not changes else _merged(old, changes, member)
        original[name] = _ordered(merged or [], order, old or [], member.merge_key)
        patch.pop(name, None)


def _directive_field(key: str, directive: str, fault: str) -> str:
    prefix, slash, name = key.partition("/")
    if prefix != directive or not slash:
        raise BadRequest(fault)
    return name


def _check_order(changes: list[Any], order: list[Any], merge_key: str) -> None:
    """Whether the changes come in the order that the directive gives."""
    wanted = iter([_key_of(each, merge_key) for each in order])
    for each in changes:
        if merge_key and isinstance(each, dict) and each.get(PATCH) == "delete":
            continue
        if not any(_same(_key_of(each, merge_key), key) for key in wanted):
            raise BadRequest(
                f"The order in patch list:\n{go_format(changes)}\n doesn't match {SET_ORDER} list:\n{go_format(order)}\n"
            )


def _merge_list(original: list[Any], patch: list[Any], field: Field) -> list[Any]:
    kinds = {type(each) for each in (*original, *patch)}
    if list in kinds:
        # Upstream says why only in its log.
        raise Invalid("the server rejected our request due to an error in our request")
    if dict in kinds and len(kinds) > 1:
        raise BadRequest("list element types are not identical")
    if dict not in kinds:
        merged = _distinct([*original, *patch])
        return _ordered(merged, patch, original, "")
    key = field.merge_key
    if not key:
        raise BadRequest(f"cannot merge lists without merge key for {go_format(patch)}")
    original, patch = _apply_element_directives(original, patch, key)
    merged = list(original)
    for each in patch:
        index = _find(merged, _key_of(each, key), key)
        if index is None:
            merged.append(_plain(each))
        else:
            merged[index] = _merge_map(merged[index], each, field.items or UNTYPED)
    return _ordered(merged, patch, original, key)


def _apply_element_directives(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The list less what the patch deletes, and the patch without directives."""
    rest, replace = [], False
    for each in patch:
        if PATCH not in each:
            rest.append(each)
        elif each[PATCH] == "delete":
            gone = _key_of(each, key)
            original = [item for item in original if not _same(_key_of(item, key), gone)]
        elif each[PATCH] == "replace":
            replace = True
        elif each[PATCH] == "merge":
            raise BadRequest("merging lists cannot yet be specified in the patch")
        else:
            raise BadRequest(f"unknown patch type: {go_format(each[PATCH])} in map: {go_format(each)}")
    return (rest, []) if replace else (original, rest)


def _ordered(merged: list[Any], order: list[Any], server: list[Any], key: str) -> list[Any]:
    """The merged list: what `order` names in that order, and the rest put in where the server had it."""
    named = [_key_of(each, key) for each in order]
    had = [_key_of(each, key) for each in server]
    keyed = [(_key_of(each, key), each) for each in merged]
    right = sorted((pair for pair in keyed if _place(named, pair[0]) >= 0), key=lambda pair: _place(named, pair[0]))
    left = sorted((pair for pair in keyed if _place(named, pair[0]) < 0), key=lambda pair: _place(had, pair[0]))
    result = []
    while left and right:
        first, second = _place(had, left[0][0]), _place(had, right[0][0])
        result.append((left if 0 <= first < second else right).pop(0)[1])
    return result + [each for _, each in left + right]


def _key_of(each: Any, key: str) -> Any:
    """What an element of a merging list is known by: its merge key's value, or itself if it is a scalar."""
    if not key:
        return each
    if not isinstance(each, dict):
        raise BadRequest("list element types are not identical")
    if key not in each:
        # Upstream answers with the same sentence, but as an internal error (500).
        raise BadRequest(f"map: {go_format(each)} does not contain declared merge key: {key}")
    return each[key]


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _place(keys: list[Any], key: Any) -> int:
    return next((i for i, each in enumerate(keys) if _same(each, key)), -1)


def _find(items: list[Any], value: Any, key: str) -> int | None:
    place = _place([_key_of(each, key) for each in items], value)
    return None if place < 0 else place


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for each in items:
        if _place(found, each) < 0:
            found.append(each)
    return found


def _plain(value: Any) -> Any:
    """A part of a patch that meets nothing on the server: without its nulls and directives."""
    if isinstance(value, list):
        kept = [each for each in value if not (isinstance(each, dict) and each.get(PATCH) in ("delete", "replace"))]
        return [_plain(each) for each in kept]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None and not _is_directive(k)}
    return value


def _is_directive(key: str) -> bool:
    return key in (PATCH, RETAIN_KEYS) or key.startswith((DELETE_FROM, SET_ORDER))
