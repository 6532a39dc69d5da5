"""A field of an object, and who wrote it.

A field is named as people do: `spec.replicas`, `spec.containers[0].image`, `spec.containers[web].image`,
`status.conditions[Ready]`, `metadata.annotations['example.com/a.b']` (without the quotes it is found too).

Since server-side apply every object tells who wrote which of its fields: `managedFields`, one entry for each manager,
operation and subresource. A manager's name is what the client called itself, not a user. An entry's time is when that manager
last changed *any* of its fields. Fields are sets in a notation of their own: `f:name` a field, `k:{"name":"web"}` an
item of a list by its keys, `v:"x"` by its value, `.` the thing itself; a leaf is owned as a whole.

Models: sigs.k8s.io/structured-merge-diff/v6/fieldpath (serialize.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import from_rfc3339

MISSING = object()
TOKEN = re.compile(r"\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([^\]]*)\]|([^.\[\]]+)")
KEYS = ("name", "type", "key", "ip", "containerPort", "port", "uid")
"""By which an item of a list may be named, the likeliest first."""
MERGED = ("ancient-changes", "before-first-apply")
"""Managers that stand for others, who are forgotten."""
SHOWN = 60

Step = tuple[Any, str | int]
"""A dict or a list, and what was taken out of it."""


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of managedFields."""

    name: str
    operation: str
    subresource: str
    at: float | None
    fields: JsonObject

    def __str__(self) -> str:
        return f"{self.operation} of {self.subresource}" if self.subresource else self.operation

    def count(self) -> int:
        """How many fields it owns."""
        return _leaves(self.fields)


def moment(text: Any) -> float | None:
    """A time of the API in seconds since the Unix epoch; None where none is said (null, Go's zero time)."""
    if not isinstance(text, str):
        return None
    try:
        found = from_rfc3339(text)
    except ValueError:
        return None
    return found if found > 0 else None


def managers(meta: JsonObject) -> list[Manager]:
    """Who wrote an object, in the order of its managedFields; empty where the server does not say."""
    return [
        Manager(
            str(each.get("manager") or "(no name)"),
            str(each.get("operation") or ""),
            str(each.get("subresource") or ""),
            moment(each.get("time")),
            each.get("fieldsV1") or {},
        )
        for each in meta.get("managedFields") or []
    ]


def walk(obj: Any, path: str) -> tuple[list[Step], Any]:
    """The way to a field, and its value; MISSING where there is none (then the way ends where it is lost)."""
    tokens = [(match[4] or match[3] or match[2] or match[1] or "", not match[4]) for match in TOKEN.finditer(path)]
    steps: list[Step] = []
    here: Any = obj
    while tokens:
        key, used = _key(here, tokens)
        if key is None:
            return steps, MISSING
        steps.append((here, key))
        here, tokens = here[key], tokens[used:]
    return steps, here


def reached(obj: Any, steps: list[Step]) -> Any:
    """Where a way leads to."""
    if not steps:
        return obj
    container, key = steps[-1]
    return container[key]


def claim(fields: JsonObject, steps: list[Step]) -> str:
    """How a set of fields has a field: `it`, `all of it` with what is around, `parts` of it, or not at all (empty)."""
    here = fields
    for number, (container, key) in enumerate(steps):
        if not here:
            return "all of it" if number else ""
        found = here.get(f"f:{key}") if isinstance(container, dict) else _item(here, container, int(key))
        if found is None:
            return ""
        here = found
    return "parts" if any(key != "." for key in here) else "it"


def changed_fields(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The fields in which two objects differ, but for bookkeeping: managedFields and resourceVersion."""
    if path in ("metadata.managedFields", "metadata.resourceVersion") or before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from changed_fields(before.get(key, MISSING), after.get(key, MISSING), _joined(path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changed_items(before, after, path)
    else:
        yield path


def _changed_items(before: list[Any], after: list[Any], path: str) -> Iterator[str]:
    """Items are compared by what names them, so that another order is no change; without names, a list is one thing."""
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        yield path
        return
    for name in [*old, *(name for name in new if name not in old)]:
        yield from changed_fields(old.get(name, MISSING), new.get(name, MISSING), f"{path}[{name}]")


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """The items by the first key that all have and that tells them apart; None where there is no such key."""
    if all(isinstance(item, dict) for item in items):
        for key in KEYS:
            named = {str(item[key]): item for item in items if key in item}
            if len(named) == len(items):
                return named
    return None


def shown(value: Any) -> str:
    """A value in a few letters."""
    if value is MISSING:
        return "not there"
    text = repr(value) if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _joined(path: str, key: str) -> str:
    if "." in key:
        return f"{path}['{key}']"
    return f"{path}.{key}" if path else key


def _key(here: Any, tokens: list[tuple[str, bool]]) -> tuple[str | int | None, int]:
    """What the next tokens take out of a value, and how many of them; None for nothing."""
    text, bracketed = tokens[0]
    if isinstance(here, list):
        return _index(here, text), 1
    if not isinstance(here, dict):
        return None, 0
    # A dot may be part of a key, as in labels: the longest key that is there counts.
    most = 1 if bracketed else next((at for at, token in enumerate(tokens) if token[1]), len(tokens))
    for used in range(most, 0, -1):
        key = ".".join(token for token, _ in tokens[:used])
        if key in here:
            return key, used
    return None, 0


def _index(items: list[Any], text: str) -> int | None:
    if text.lstrip("-").isdigit() and -len(items) <= int(text) < len(items):
        return int(text) % len(items)
    wanted = text.rpartition("=")[2]
    for key in KEYS:
        for index, item in enumerate(items):
            if isinstance(item, dict) and str(item.get(key)) == wanted:
                return index
    return None


def _item(fields: JsonObject, items: list[Any], index: int) -> JsonObject | None:
    """The fields of a list's item, found by its keys, its value or its place."""
    item = items[index]
    for key, inside in fields.items():
        sort, _, text = key.partition(":")
        if sort == "i" and text == str(index):
            return dict(inside)
        if sort in ("k", "v"):
            wanted = orjson.loads(text)
            same = item == wanted
            if sort == "k" and isinstance(item, dict):
                same = all(item.get(name) == value for name, value in wanted.items())
            if same:
                return dict(inside)
    return None


def _leaves(fields: JsonObject) -> int:
    below = [inside for key, inside in fields.items() if key != "."]
    return sum(_leaves(inside) if inside else 1 for inside in below) + ("." in fields and not below)
