"""Field selectors: `status.phase=Running,spec.nodeName!=`.

Simpler than label selectors: only `=`, `==` and `!=`, on the few fields that a resource offers. A field that an object
does not have is the empty string. In values a backslash escapes `,`, `=` and itself.

Which fields a resource offers is the resource's business: whoever calls `matches` looks them up.

Models: k8s.io/apimachinery/pkg/fields/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

# A term ends at a comma that no backslash escapes; its operator is the leftmost.
_TERMS = re.compile(r"((?:\\.|[^\\,])*\\?)(?:,|$)", re.DOTALL)
_TERM = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one field."""

    field: str
    op: str
    """`=` or `!=`."""
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.op}{escape(self.value)}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions that must all hold; none at all chooses everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, get: Callable[[str], str]) -> bool:
        """Whether an object is chosen; `get` gives the value of a field, '' where it has none."""
        return all((get(each.field) == each.value) == (each.op == "=") for each in self.requirements)

    @property
    def empty(self) -> bool:
        """Whether it chooses everything."""
        return not self.requirements

    def exact(self, field: str) -> str | None:
        """The value that a field must have, if the selector asks for one: `metadata.name=web`."""
        return next((each.value for each in self.requirements if each.field == field and each.op == "="), None)

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)


EVERYTHING = FieldSelector()


def escape(value: str) -> str:
    """A value as it may stand in a selector's text."""
    return re.sub(r"([\\,=])", r"\\\1", value)


def unescape(text: str) -> str:
    """The value that a selector's text stands for; ValueError for a lone backslash or a bare `,` or `=`."""
    value, characters = [], iter(text)
    for character in characters:
        if character == "\\":
            character = next(characters, "")
            if character not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{character}")
        elif character in ",=":
            # Upstream prints the character's number.
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(character)}")
        value.append(character)
    return "".join(value)


@lru_cache(maxsize=1024)
def parse_field_selector(text: str) -> FieldSelector:
    """The selector that a text describes; ValueError with upstream's sentence where it is not one."""
    found = []
    for term in sorted(filter(None, _TERMS.findall(text))):
        parts = _TERM.fullmatch(term)
        if parts is None:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = parts.groups()
        found.append(Requirement(field, "!=" if operator == "!=" else "=", unescape(value)))
    return FieldSelector(tuple(found))
