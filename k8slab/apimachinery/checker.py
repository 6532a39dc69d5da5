"""The check of an object against its definition, compiled.

For each struct a table is made the first time it is met: field name to Python type, where that is all there is to
check, and field name to a function for the rest. A Pod then costs one dictionary look-up a field. The path to a field
is a chain of pairs, spelled out only when there is something to complain about.

The sentences are those of Go's decoder. It names the innermost struct, the path without list indices and map keys, and
the Go type: `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`. (Where Go
has a named string type, k8slab says `string`: the schema does not know its name.)

Models: sigs.k8s.io/json/internal/golang/encoding/json/decode.go.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8slab.apimachinery.quantity import FORMAT_WRONG, parse_quantity

if TYPE_CHECKING:
    from k8slab.apimachinery.schema import Definition, Field

UNKNOWN, TYPE, REQUIRED = "unknown", "type", "required"

Path = tuple[Any, Any]
"""(the path to what holds it, its name): the name is a str for a field, an int in a list, a one-tuple in a map."""
ROOT: Path = ()  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of an object."""

    path: str
    """`spec.containers[0].foo`."""
    kind: str
    """UNKNOWN, TYPE or REQUIRED."""
    detail: str
    """Upstream's sentence: `unknown field "spec.foo"`, `json: cannot unmarshal ...`, `Required value`."""


Errors = list[FieldError]
Rule = Callable[[Any, Path, Errors], None]
"""Checks a value that is not null."""


class Struct:
    """The compiled checks of one definition."""

    def __init__(self, definition: Definition) -> None:
        self.go_type = definition.go_type
        self.required = definition.required
        self.plain: dict[str, type] = {}
        """Fields that only need to be of a Python type."""
        self.rules: dict[str, Rule] = {}
        """The others."""
        owner = definition.go_type.rpartition(".")[2]
        for name, field in definition.fields.items():
            if field.type in PLAIN and field.format != "byte":
                self.plain[name] = PLAIN[field.type]
            else:
                self.rules[name] = rule_for(field, owner)
        self.wrong_plain = {name: _mismatch(owner, go_type(definition.fields[name])) for name in self.plain}

    def check(self, obj: dict[str, Any], path: Path, errors: Errors) -> None:
        """Add what is wrong with an object to `errors`."""
        plain, rules = self.plain, self.rules
        for key, value in obj.items():
            expected = plain.get(key)
            if expected is not None:
                if type(value) is not expected and value is not None:
                    self.wrong_plain[key](value, (path, key), errors)
                continue
            rule = rules.get(key)
            if rule is not None:
                if value is not None:
                    rule(value, (path, key), errors)
            else:
                where = spell((path, key))
                errors.append(FieldError(where, UNKNOWN, f'unknown field "{where}"'))
        for name in self.required:
            if obj.get(name) is None:
                errors.append(FieldError(spell((path, name)), REQUIRED, "Required value"))


def check(definition: Definition, obj: Any) -> Errors:
    """What is wrong with an object."""
    errors: Errors = []
    if not isinstance(obj, dict):
        detail = f"json: cannot unmarshal {_go_value(obj)} into Go value of type {definition.go_type}"
        return [FieldError("", TYPE, detail)]
    try:
        definition.checks.check(obj, ROOT, errors)
    except RecursionError:
        return [FieldError("", TYPE, "exceeded max depth")]
    return errors


def spell(path: Path) -> str:
    """A path as upstream prints it: `spec.containers[0].name`."""
    text = ""
    while path:
        path, step = path
        name = step[0] if isinstance(step, tuple) else step
        text = (f"[{name}]" if isinstance(name, int) else f".{name}") + text
    return text.removeprefix(".")


def _go_path(path: Path) -> str:
    """A path as Go's decoder knows it: struct fields only."""
    names = []
    while path:
        path, step = path
        if isinstance(step, str):
            names.append(step)
    return ".".join(reversed(names))


PLAIN: dict[str, type] = {"string": str, "boolean": bool}

_GO_SCALARS = {
    "boolean": "bool", "number": "float64", "quantity": "resource.Quantity", "date-time": "string",
    "micro-time": "string", "int-or-string": "int32", "any": "interface {}", "string": "string",
}  # fmt: skip


def go_type(field: Field) -> str:
    """A field's Go type, as far as the schema tells."""
    if field.type == "integer":
        return field.format or "int64"
    if field.format == "byte":
        return "[]uint8"
    if field.type == "object":
        return ".".join(field.ref.split(".")[-2:])
    if field.items is not None:
        prefix = "[]" if field.type == "array" else "map[string]"
        return prefix + go_type(field.items)
    return _GO_SCALARS[field.type]


def _go_value(value: Any, converted: bool = False) -> str:
    """What Go calls a JSON value; a number that a numeric type can't hold is quoted."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"number {value}" if converted else "number"
    return {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(value), "null")


def _mismatch(owner: str, expected: str, numeric: bool = False) -> Rule:
    """The complaint that a value is of another type."""

    def complain(value: Any, path: Path, errors: Errors) -> None:
        found = _go_value(value, converted=numeric)
        detail = f"json: cannot unmarshal {found} into Go struct field {owner}.{_go_path(path)} of type {expected}"
        errors.append(FieldError(spell(path), TYPE, detail))

    return complain


def rule_for(field: Field, owner: str) -> Rule:
    """The check of one field of a struct."""
    if field.format == "byte":
        return _bytes_rule(owner)
    return RULES[field.type](field, owner)


def _any_rule(field: Field, owner: str) -> Rule:
    return lambda value, path, errors: None


def _plain_rule(field: Field, owner: str) -> Rule:
    expected, complain = PLAIN[field.type], _mismatch(owner, go_type(field))

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not expected:
            complain(value, path, errors)

    return rule


def _integer_rule(field: Field, owner: str) -> Rule:
    complain = _mismatch(owner, go_type(field), numeric=True)
    bound = 2**31 if field.format == "int32" else 2**63

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not int or not -bound <= value < bound:
            complain(value, path, errors)

    return rule


def _number_rule(field: Field, owner: str) -> Rule:
    complain = _mismatch(owner, "float64")

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) not in (int, float):
            complain(value, path, errors)

    return rule


def _int_or_string_rule(field: Field, owner: str) -> Rule:
    integer = _integer_rule(field, owner)

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not str:
            integer(value, path, errors)

    return rule


def _quantity_rule(field: Field, owner: str) -> Rule:
    def rule(value: Any, path: Path, errors: Errors) -> None:
        try:
            if type(value) not in (str, int, float):
                raise ValueError(FORMAT_WRONG)
            parse_quantity(value)
        except ValueError as fault:
            errors.append(FieldError(spell(path), TYPE, str(fault)))

    return rule


RFC3339 = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?"
                     r"(Z|[+-]([01]\d|2[0-4]):[0-5]\d)", re.ASCII)  # fmt: skip
_LAYOUTS = {"date-time": "2006-01-02T15:04:05Z07:00", "micro-time": "2006-01-02T15:04:05.000000Z07:00"}
_LAYOUT_PARTS = (
    (r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"), (r"\d\d", "15"),
    (":", ":"), (r"\d\d", "04"), (":", ":"), (r"\d\d", "05"), (r"(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", "Z07:00"),
)  # fmt: skip


def _time_rule(field: Field, owner: str) -> Rule:
    complain, layout = _mismatch(owner, "string"), _LAYOUTS[field.type]

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not str:
            complain(value, path, errors)
        elif not RFC3339.fullmatch(value):
            errors.append(FieldError(spell(path), TYPE, _time_fault(value, layout)))

    return rule


def _time_fault(value: str, layout: str) -> str:
    rest = value
    for pattern, part in _LAYOUT_PARTS:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            return f'parsing time "{value}" as "{layout}": cannot parse "{rest}" as "{part}"'
        rest = rest[match.end() :]
    return f'parsing time "{value}": ' + (f'extra text: "{rest}"' if rest else "day out of range")


def _bytes_rule(owner: str) -> Rule:
    complain = _mismatch(owner, "[]uint8")

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not str:
            complain(value, path, errors)
            return
        try:
            binascii.a2b_base64(value.replace("\r", "").replace("\n", ""), strict_mode=True)
        except (binascii.Error, ValueError):
            alphabet = re.match(r"[A-Za-z0-9+/\r\n]*", value)
            where = alphabet.end() if alphabet else 0
            errors.append(FieldError(spell(path), TYPE, f"illegal base64 data at input byte {where}"))

    return rule


def _object_rule(field: Field, owner: str) -> Rule:
    complain = _mismatch(owner, go_type(field))
    struct: Struct | None = None  # compiled when first met: definitions may contain themselves

    def rule(value: Any, path: Path, errors: Errors) -> None:
        nonlocal struct
        if type(value) is not dict:
            complain(value, path, errors)
            return
        if struct is None:
            assert field.definition is not None
            struct = field.definition.checks
        struct.check(value, path, errors)

    return rule


def _array_rule(field: Field, owner: str) -> Rule:
    assert field.items is not None
    complain, item = _mismatch(owner, go_type(field)), rule_for(field.items, owner)
    of_structs = field.items.type == "object"

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not list:
            complain(value, path, errors)
            return
        for index, each in enumerate(value):
            if each is not None:
                item(each, (path, index), errors)
            elif of_structs:  # Go reads a null among structs as an empty one
                item({}, (path, index), errors)

    return rule


def _map_rule(field: Field, owner: str) -> Rule:
    assert field.items is not None
    complain, item = _mismatch(owner, go_type(field)), rule_for(field.items, owner)
    of_structs = field.items.type == "object"

    def rule(value: Any, path: Path, errors: Errors) -> None:
        if type(value) is not dict:
            complain(value, path, errors)
            return
        for key, each in value.items():
            if each is not None:
                item(each, (path, (key,)), errors)
            elif of_structs:
                item({}, (path, (key,)), errors)

    return rule


RULES: dict[str, Callable[[Field, str], Rule]] = {
    "string": _plain_rule, "boolean": _plain_rule, "integer": _integer_rule, "number": _number_rule,
    "int-or-string": _int_or_string_rule, "quantity": _quantity_rule, "date-time": _time_rule,
    "micro-time": _time_rule, "object": _object_rule, "array": _array_rule, "map": _map_rule, "any": _any_rule,
}  # fmt: skip
