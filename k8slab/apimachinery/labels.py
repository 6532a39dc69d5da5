"""Labels, and the selectors that choose objects by them.

A selector is a list of requirements, all of which must hold. It is written in two ways that mean the same: as text
(`app=web,tier in (a,b),!canary`, on command lines and in URLs) and as an object (`matchLabels`, `matchExpressions`, in
specs). Two edges are worth knowing: `!=` and `notin` hold where the label is missing altogether, and as an object a
selector that is absent (None) chooses nothing while an empty one ({}) chooses everything.

A `Selector` is immutable, compares by value, and `parse_selector(str(s)) == s`.

Models: k8s.io/apimachinery/pkg/labels/selector.go, pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector),
pkg/util/validation/validation.go (IsQualifiedName, IsValidLabelValue).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from k8slab.apimachinery.errors import invalid

NAME_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
VALUE_FORMAT = f"({NAME_FORMAT})?"
SUBDOMAIN_FORMAT = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
MAX_NAME = MAX_VALUE = 63
MAX_PREFIX = 253

NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_FORMAT}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{VALUE_FORMAT}')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN_FORMAT}')"
)

_NAME, _VALUE, _SUBDOMAIN = (re.compile(text) for text in (NAME_FORMAT, VALUE_FORMAT, SUBDOMAIN_FORMAT))
_INTEGER = re.compile(r"[+-]?[0-9]+")


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


@lru_cache(maxsize=4096)
def _key_faults(key: str) -> tuple[str, ...]:
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return (
            f"a valid label key {NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    faults = []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif slash:
        if len(prefix.encode()) > MAX_PREFIX:
            faults.append("prefix part " + _too_long(MAX_PREFIX))
        if not _SUBDOMAIN.fullmatch(prefix):
            faults.append("prefix part " + SUBDOMAIN_RULE)
    if not name:
        faults.append("name part must be non-empty")
    elif len(name.encode()) > MAX_NAME:
        faults.append("name part " + _too_long(MAX_NAME))
    if not _NAME.fullmatch(name):
        faults.append("name part " + NAME_RULE)
    return tuple(faults)


@lru_cache(maxsize=4096)
def _value_faults(value: str) -> tuple[str, ...]:
    faults = [_too_long(MAX_VALUE)] if len(value.encode()) > MAX_VALUE else []
    return tuple(faults if _VALUE.fullmatch(value) else [*faults, VALUE_RULE])


def validate_label_key(key: str) -> list[str]:
    """What is wrong with a label's key, in upstream's words; empty when nothing is."""
    return list(_key_faults(key))


def validate_label_value(value: str) -> list[str]:
    """What is wrong with a label's value, in upstream's words; empty when nothing is."""
    return list(_value_faults(value))


# operator -> how it is written between key and values
SYMBOLS = {"=": "=", "==": "==", "!=": "!=", "in": " in ", "notin": " notin ", "gt": ">", "lt": "<"}
EXPRESSION_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. Make it with `requirement`, which checks it."""

    key: str
    operator: str
    """`=`, `==`, `!=`, `in`, `notin`, `gt`, `lt`, `exists` or `!`."""
    values: tuple[str, ...] = ()
    """Sorted, without repetition. One for `=`, `==`, `!=`, `gt`, `lt`; none for `exists` and `!`."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                if value is None or not _INTEGER.fullmatch(value):
                    return False
                bound = int(self.values[0])
                return int(value) > bound if self.operator == "gt" else int(value) < bound

    def __str__(self) -> str:
        if self.operator == "!":
            return "!" + self.key
        if self.operator == "exists":
            return self.key
        values = ",".join(self.values)
        return self.key + SYMBOLS[self.operator] + (f"({values})" if self.operator in ("in", "notin") else values)


@lru_cache(maxsize=4096)
def requirement(key: str, operator: str, values: tuple[str, ...] = ()) -> Requirement:
    """A checked requirement; ValueError says everything that is wrong with it."""
    values = tuple(sorted(set(values)))
    faults: list[tuple[str, Any, str]] = []
    if wrong := _key_faults(key):
        faults.append(("key", key, "; ".join(wrong)))
    if operator in ("in", "notin") and not values:
        faults.append(("values", list(values), "for 'in', 'notin' operators, values set can't be empty"))
    if operator in ("exists", "!") and values:
        faults.append(("values", list(values), "values set must be empty for exists and does not exist"))
    if operator in ("gt", "lt"):
        number = "for 'Gt', 'Lt' operators, the value must be an integer"
        faults += [(f"values[{i}]", v, number) for i, v in enumerate(values) if not _INTEGER.fullmatch(v)]
    for i, value in enumerate(values):
        if wrong := _value_faults(value):
            faults.append((f"values[{i}][{key}]", value, "; ".join(wrong)))
    if faults:
        texts = [f"{path}: {invalid(path, value, detail).message}" for path, value, detail in faults]
        raise ValueError(texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]")
    return Requirement(key, operator, values)


class Selector:
    """Requirements that must all hold, ordered by key. No requirement at all chooses everything."""

    __slots__ = ("_equal", "_other", "nothing", "requirements")

    def __init__(self, requirements: Sequence[Requirement] = (), nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda each: each.key))
        self.nothing = nothing
        # The common case, `key=value`, is compared without a call.
        self._equal = tuple((r.key, r.values[0]) for r in self.requirements if r.operator in ("=", "=="))
        self._other = tuple(r for r in self.requirements if r.operator not in ("=", "=="))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is chosen."""
        for key, value in self._equal:
            if labels.get(key) != value:
                return False
        for each in self._other:
            if not each.matches(labels):
                return False
        return not self.nothing

    @property
    def empty(self) -> bool:
        """Whether it chooses everything."""
        return not self.requirements and not self.nothing

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)

    def __repr__(self) -> str:
        return "Selector(nothing)" if self.nothing else f"Selector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        return self.requirements == other.requirements and self.nothing == other.nothing

    def __hash__(self) -> int:
        return hash((self.requirements, self.nothing))


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


def from_label_selector(obj: Mapping[str, Any] | None) -> Selector:
    """The selector that a spec's `matchLabels` and `matchExpressions` describe; ValueError where they break a rule."""
    if obj is None:
        return NOTHING
    found = [requirement(key, "=", (value,)) for key, value in (obj.get("matchLabels") or {}).items()]
    for expression in obj.get("matchExpressions") or ():
        operator = expression.get("operator", "")
        if operator not in EXPRESSION_OPERATORS:
            raise ValueError(f'"{operator}" is not a valid label selector operator')
        values = tuple(expression.get("values") or ())
        found.append(requirement(expression.get("key", ""), EXPRESSION_OPERATORS[operator], values))
    return Selector(found) if found else EVERYTHING


@lru_cache(maxsize=1024)
def parse_selector(text: str) -> Selector:
    """The selector that a text describes; ValueError with upstream's sentence where it is not one."""
    return Selector(_Parser(text).selector())


_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+)")
_BINARY = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_PUNCTUATION = frozenset(("", "=", "==", "!=", "!", "(", ")", ",", ">", "<"))
END = ""


class _Parser:
    """Recursive descent with one token of lookahead. `in` and `notin` are operators only where one is due."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = [*_TOKEN.findall(text), END]

    @property
    def next(self) -> str:
        return self.tokens[0]

    def take(self) -> str:
        return self.tokens.pop(0) if len(self.tokens) > 1 else END

    def expected(self, what: str, comma: str = ",") -> NoReturn:
        raise ValueError(f"found '{self.next}'{comma} expected: {what}")

    def selector(self) -> list[Requirement]:
        found: list[Requirement] = []
        if self.next != END and self.next != "!" and self.next in _PUNCTUATION:
            self.expected("!, identifier, or 'end of string'")
        while self.next != END:
            try:
                found.append(self.requirement())
            except ValueError as fault:
                raise ValueError(f"unable to parse requirement: {fault}") from None
            if self.next not in (END, ","):
                self.expected("',' or 'end of string'")
            if self.take() == "," and self.next in _PUNCTUATION - {"!"}:
                self.expected("identifier after ','")
        return found

    def requirement(self) -> Requirement:
        absent = self.next == "!" and bool(self.take())
        if self.next in _PUNCTUATION:
            self.expected("identifier")
        key = self.take()
        if wrong := _key_faults(key):
            raise ValueError(f"<nil>: {invalid('', key, '; '.join(wrong)).message}")
        if absent or self.next in (END, ","):
            return requirement(key, "!" if absent else "exists")
        if self.next not in _BINARY:
            self.expected("in, notin, =, ==, !=, gt, lt")
        operator = _BINARY[self.take()]
        return requirement(key, operator, self.values() if operator in ("in", "notin") else (self.value(),))

    def value(self) -> str:
        if self.next in (END, ","):
            return ""
        if self.next in _PUNCTUATION:
            self.expected("identifier")
        return self.take()

    def values(self) -> tuple[str, ...]:
        if self.next != "(":
            self.expected("'('", comma="")
        self.take()
        if self.next in _PUNCTUATION - {",", ")"}:
            self.expected("',', ')' or identifier")
        found = [""]
        while self.next != ")":  # `(,a` and `(a,,b` hold an empty value too
            if self.next == ",":
                self.take()
                found.append("")
            elif self.next in _PUNCTUATION:
                self.expected("',', or identifier")
            else:
                found[-1] = self.take()
                if self.next not in (",", ")"):
                    self.expected("',' or ')'")
        self.take()
        return tuple(found)
