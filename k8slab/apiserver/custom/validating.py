"""A value against its schema, in upstream's words.

    spec.cronSpec: Invalid value: "* * * *": spec.cronSpec in body should match '^(\\d+|\\*)...'

Each group of keywords is one small check, in a table; all that apply to a value are asked, and all that they find is told.

On an update, what did not change is not told again (*ratcheting*): an object that was stored before its schema became
stricter can still be written, as long as the parts that break the new schema stay as they are.

`x-kubernetes-validations`, rules in the Common Expression Language, are not evaluated.

Models: k8s.io/kube-openapi/pkg/validation/validate, k8s.io/apiextensions-apiserver/pkg/apiserver/validation/validation.go
(kubeOpenAPIResultToFieldErrors), ratcheting.go, schema/listtype/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from k8slab.apimachinery.errors import Cause, duplicate, invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.custom.formats import FORMATS
from k8slab.apiserver.custom.pruning import EMBEDDED, field_schema

LEFT_OUT = (
    "Patterns are Python's regular expressions, with Go's character classes: RE2's rarer syntax is not known.",
    "Formats of numbers (`int32`, `float`) and of ISBN, credit card and social security numbers allow everything.",
    "Of several schemas that all fail (`anyOf`, `oneOf`) the one with the fewest faults is told; upstream counts matches.",
)

INT_OR_STRING, LIST_TYPE, LIST_KEYS = (
    "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
)  # fmt: skip
MISSING: Any = object()
"""No old value to compare with."""

Check = Callable[[Any, JsonObject, str], Iterator[Cause]]
"""A value, its schema, and its path: what is wrong with it."""


def faults(value: Any, schema: JsonObject, old: Any = MISSING, path: str = "") -> list[Cause]:
    """What is wrong with a value; on an update, only where it differs from `old`."""
    if old is not MISSING and value == old:
        return []
    found: list[Cause] = []
    wanted = _type_of(schema)
    if value is None:
        allowed = not wanted or schema.get("nullable")
        return [] if allowed else [_wrong_type(path, wanted, "null")]
    found += _type_faults(value, schema, path, wanted)
    for check in _CHECKS.get(json_type(value), ()):
        found += check(value, schema, path)
    found += _enum(value, schema, path)
    found += _junctors(value, schema, path)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        before = _counterparts(value, schema, old)
        for index, each in enumerate(value):
            found += faults(each, schema["items"], before(index, each), f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            if (below := field_schema(schema, key)) is not None:
                was = old.get(key, MISSING) if isinstance(old, dict) else MISSING
                found += faults(each, below, was, f"{path}.{key}" if path else key)
    return found


def json_type(value: Any) -> str:
    """What JSON Schema calls a value's type."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


# Types.


def _type_of(schema: JsonObject) -> str:
    return "integer,string" if schema.get(INT_OR_STRING) else schema.get("type", "")


def _type_faults(value: Any, schema: JsonObject, path: str, wanted: str) -> Iterator[Cause]:
    found = json_type(value)
    fits = not wanted or found in wanted.split(",")
    # A number without a fraction is an integer, however it is written; and an integer is a number.
    fits = fits or (wanted == "integer" and isinstance(value, float) and value.is_integer())
    if not fits and not (wanted == "number" and found == "integer"):
        yield _wrong_type(path, wanted, found)


def _wrong_type(path: str, wanted: str, found: str) -> Cause:
    text = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
    return Cause(path or "<nil>", "FieldValueTypeInvalid", text)


# What each type may be asked for.


def _string(value: str, schema: JsonObject, path: str) -> Iterator[Cause]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        unit = "byte" if longest == 1 else "bytes"
        yield Cause(path, "FieldValueTooLong", f"Too long: may not be more than {longest} {unit}")
    if shortest is not None and len(value) < shortest:
        yield invalid(path, value, f"{path} in body should be at least {shortest} chars long")
    pattern = schema.get("pattern")
    if pattern and not compile_pattern(pattern).search(value):
        yield invalid(path, value, f"{path} in body should match '{pattern}'")
    form = schema.get("format", "")
    if form in FORMATS and not FORMATS[form](value):
        cause = invalid(path, value, f"{path} in body must be of type {form}: {orjson.dumps(value).decode()}")
        yield Cause(path, "FieldValueTypeInvalid", cause.message)


def _number(value: float, schema: JsonObject, path: str) -> Iterator[Cause]:
    step, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
    if step and abs(value / step - round(value / step)) > 1e-9:
        yield invalid(path, value, f"{path} in body should be a multiple of {_go_number(step, value)}")
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum"))):
        or_equal = "" if schema.get("exclusiveMaximum") else " or equal to"
        yield invalid(path, value, f"{path} in body should be less than{or_equal} {_go_number(most, value)}")
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum"))):
        or_equal = "" if schema.get("exclusiveMinimum") else " or equal to"
        yield invalid(path, value, f"{path} in body should be greater than{or_equal} {_go_number(least, value)}")


def _go_number(number: float, like: float) -> str:
    """A bound as Go prints it: beside an integer as an integer."""
    return str(int(number)) if isinstance(like, int) and float(number).is_integer() else f"{number:g}"


def _array(value: list[Any], schema: JsonObject, path: str) -> Iterator[Cause]:
    yield from _size(len(value), schema.get("minItems"), schema.get("maxItems"), path, "items")
    kind = schema.get(LIST_TYPE)
    keys = schema.get(LIST_KEYS) or []
    if kind not in ("set", "map"):
        return
    seen: list[Any] = []
    for index, each in enumerate(value):
        if kind == "map":
            each = {key: each[key] for key in keys if key in each} if isinstance(each, dict) else each
        if each in seen:
            yield duplicate(f"{path}[{index}]", each)
        seen.append(each)


def _object(value: JsonObject, schema: JsonObject, path: str) -> Iterator[Cause]:
    yield from _size(len(value), schema.get("minProperties"), schema.get("maxProperties"), path, "properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(f"{path}.{name}" if path else name)
    if schema.get(EMBEDDED):
        for name in ("apiVersion", "kind"):
            if not value.get(name):
                yield required(f"{path}.{name}", "must not be empty")


def _size(size: int, least: int | None, most: int | None, path: str, what: str) -> Iterator[Cause]:
    if most is not None and size > most:
        unit = "item" if most == 1 else "items"
        yield Cause(path, "FieldValueTooMany", f"Too many: {size}: must have at most {most} {unit}")
    if least is not None and size < least:
        yield invalid(path, size, f"{path} in body should have at least {least} {what}")


_CHECKS: Mapping[str, tuple[Check, ...]] = {
    "string": (_string,),
    "integer": (_number,),
    "number": (_number,),
    "array": (_array,),
    "object": (_object,),
}


def _enum(value: Any, schema: JsonObject, path: str) -> Iterator[Cause]:
    choices = schema.get("enum")
    if choices and not any(type(each) is type(value) and each == value for each in choices):
        shown = [each if isinstance(each, str) else orjson.dumps(each).decode() for each in choices]
        yield not_supported(path, value, shown)


# Schemas made of schemas.


def _junctors(value: Any, schema: JsonObject, path: str) -> Iterator[Cause]:
    if any_of := schema.get("anyOf"):
        tried = [faults(value, each, path=path) for each in any_of]
        if all(tried):
            yield _unplaced(f'"{path}" must validate at least one schema (anyOf)')
            yield from min(tried, key=len)
    if one_of := schema.get("oneOf"):
        tried = [faults(value, each, path=path) for each in one_of]
        valid = tried.count([])
        if valid != 1:
            found = f"Found {valid} valid alternatives" if valid else "Found none valid"
            yield _unplaced(f'"{path}" must validate one and only one schema (oneOf). {found}')
            yield from () if valid else min(tried, key=len)
    if all_of := schema.get("allOf"):
        tried = [faults(value, each, path=path) for each in all_of]
        for each in tried:
            yield from each
        if any(tried):
            none = ". None validated" if all(tried) else ""
            yield _unplaced(f'"{path}" must validate all the schemas (allOf){none}')
    if (forbidden := schema.get("not")) is not None and not faults(value, forbidden, path=path):
        yield _unplaced(f'"{path}" must not validate the schema (not)')


def _unplaced(text: str) -> Cause:
    """Upstream tells these without their field."""
    return Cause("<nil>", "FieldValueInvalid", f'Invalid value: "": {text}')


# Lists, and what their elements were before.


def _counterparts(value: list[Any], schema: JsonObject, old: Any) -> Callable[[int, Any], Any]:
    """What each element of a list was: of a list that is a map the one with the same keys, else none."""
    keys = schema.get(LIST_KEYS) or []
    if schema.get(LIST_TYPE) != "map" or not isinstance(old, list):
        return lambda index, each: MISSING

    def find(index: int, each: Any) -> Any:
        if not isinstance(each, dict):
            return MISSING
        identity = [each.get(key) for key in keys]
        same = (was for was in old if isinstance(was, dict) and [was.get(key) for key in keys] == identity)
        return next(same, MISSING)

    return find


# Patterns.

_POSIX = {
    "[:alnum:]": "0-9A-Za-z", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9", "[:lower:]": "a-z", "[:space:]": r"\s",
    "[:upper:]": "A-Z", "[:word:]": r"\w", "[:xdigit:]": "0-9A-Fa-f",
}  # fmt: skip


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A Go regular expression, as near as Python's come. Raises re.error."""
    for name, content in _POSIX.items():
        pattern = pattern.replace(name, content)
    return re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)
