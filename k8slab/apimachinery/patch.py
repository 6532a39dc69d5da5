"""JSON patch and JSON merge patch.

A *JSON patch* (RFC 6902) is a list of operations, each on a path; it succeeds as a whole or not at all. A *merge patch*
(RFC 7386) is a piece of the object as it should become: null removes, a list replaces the whole list. The third kind,
which knows what the lists of Kubernetes mean, is in `strategic.py`.

All are pure: they neither change what they are given nor share any of it with what they return.

A patch that cannot be read is a 400; one that can be read but not applied is a 422 that does not say why, as upstream.

Models: k8s.io/apiserver/pkg/endpoints/handlers/patch.go (jsonPatcher), gopkg.in/evanphx/json-patch.v4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from k8slab.apimachinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from k8slab.apimachinery.rest import JsonObject, copy_of

MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024

_INDEX = re.compile(r"-?(0|[1-9][0-9]{0,8})")


def go_type(value: Any) -> str:
    """What Go's JSON decoder calls a value."""
    names = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "null")


def go_format(value: Any) -> str:
    """A JSON value as Go prints it with %v: `map[image:nginx ports:[80]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_format(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_format, value)) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def require_object(patch: Any) -> JsonObject:
    """A patch that has to be an object; null is an empty one, and anything else a BadRequest."""
    if patch is None:
        return {}
    if not isinstance(patch, dict):
        raise BadRequest(f"json: cannot unmarshal {go_type(patch)} into Go value of type map[string]interface {{}}")
    return patch


def merge_patch(document: JsonObject, patch: Any) -> JsonObject:
    """The document with a merge patch applied."""
    try:
        merged: JsonObject = _merged(document, copy_of(require_object(patch)))
        return merged
    except (RecursionError, orjson.JSONEncodeError):
        raise BadRequest("exceeded max depth") from None


def _merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = _merged(new.get(key), value)
    return new


def json_patch(document: JsonObject, operations: Any) -> JsonObject:
    """The document with all operations applied, in order."""
    steps = _decoded(operations)
    try:
        result: Any = copy_of(document)
        copied = 0
        for step in steps:
            if step["op"] == "copy":  # a few dozen copies of the whole would fill any memory
                copied += len(orjson.dumps(_get(result, _parts(step["from"]))))
                if copied > MAX_COPIED_BYTES:
                    raise ValueError(copied)
            result = OPERATIONS[step["op"]](result, step)
    except (LookupError, ValueError, TypeError):
        raise Invalid("the server rejected our request due to an error in our request") from None
    if not isinstance(result, dict):
        raise Invalid("the server rejected our request due to an error in our request")
    return result


def _decoded(operations: Any) -> list[JsonObject]:
    if operations is None:
        return []
    if not isinstance(operations, list):
        target = "Go value of type []handlers.jsonPatchOp"
        raise BadRequest(f"json: cannot unmarshal {go_type(operations)} into {target}")
    if len(operations) > MAX_OPERATIONS:
        raise RequestEntityTooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        )
    for step in operations:
        if not isinstance(step, dict):
            target = "Go value of type handlers.jsonPatchOp"
            raise BadRequest(f"json: cannot unmarshal {go_type(step)} into {target}")
        for name in ("op", "path", "from"):
            if not isinstance(step.get(name, ""), str):
                kind = go_type(step[name])
                raise BadRequest(
                    f"json: cannot unmarshal {kind} into Go struct field jsonPatchOp.{name} of type string"
                )
    return operations


def _parts(pointer: str) -> list[str]:
    """A JSON pointer (RFC 6901) as its steps."""
    if not pointer:
        return []
    if pointer[0] != "/":
        raise ValueError(pointer)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _index(items: list[Any], part: str, end: int) -> int:
    """Where in a list, up to but not including `end`; a negative number counts from there."""
    if not _INDEX.fullmatch(part):
        raise ValueError(part)
    index = int(part)
    if not -end <= index < end:
        raise IndexError(part)
    return index + end if index < 0 else index


def _get(document: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(document, list):
            document = document[_index(document, part, len(document))]
        elif isinstance(document, dict):
            document = document[part]
        else:
            raise LookupError(part)
    return document


def _container(document: Any, parts: list[str]) -> Any:
    """What holds the last step of a path: a list or a mapping."""
    found = _get(document, parts[:-1])
    if not parts or not isinstance(found, (list, dict)):
        raise LookupError(parts)
    return found


def _add(document: Any, step: JsonObject) -> Any:
    return _insert(document, _parts(step["path"]), copy_of(step["value"]))


def _insert(document: Any, parts: list[str], value: Any) -> Any:
    if not parts:
        return value
    parent, last = _container(document, parts), parts[-1]
    if isinstance(parent, list):
        end = len(parent) + 1
        parent.insert(len(parent) if last == "-" else _index(parent, last, end), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, step: JsonObject) -> Any:
    _take(document, _parts(step["path"]))
    return document


def _take(document: Any, parts: list[str]) -> Any:
    parent, last = _container(document, parts), parts[-1] if parts else ""
    return parent.pop(_index(parent, last, len(parent)) if isinstance(parent, list) else last)


def _replace(document: Any, step: JsonObject) -> Any:
    parts, value = _parts(step["path"]), copy_of(step["value"])
    if not parts:
        return value
    _get(document, parts)  # it has to be there
    parent, last = _container(document, parts), parts[-1]
    parent[_index(parent, last, len(parent)) if isinstance(parent, list) else last] = value
    return document


def _move(document: Any, step: JsonObject) -> Any:
    return _insert(document, _parts(step["path"]), _take(document, _parts(step["from"])))


def _copy(document: Any, step: JsonObject) -> Any:
    return _insert(document, _parts(step["path"]), copy_of(_get(document, _parts(step["from"]))))


def _test(document: Any, step: JsonObject) -> Any:
    wanted = step.get("value")
    try:
        found = _get(document, _parts(step["path"]))
    except LookupError:
        if wanted is not None:  # what is missing is null
            raise
        return document
    # Compared as JSON: 1 is neither true nor 1.0.
    if orjson.dumps(found, option=orjson.OPT_SORT_KEYS) != orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS):
        raise ValueError(step["path"])
    return document


OPERATIONS: dict[str, Callable[[Any, JsonObject], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
