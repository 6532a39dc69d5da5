"""A field of an object: the way to it, its value, and which fields differ between two states.

A field is named as people do: `spec.replicas`, `spec.containers[0].image`, `spec.containers[web].image`,
`status.conditions[Ready]`, `metadata.annotations['example.com/a.b']` (without the brackets it is found too: of a name with
dots the longest key that is there counts). Items of a list are named by their number, or by what tells them apart.

k8slab's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from k8slab.clock import from_rfc3339

MISSING = object()
TOKEN = re.compile(r"\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([^\]]*)\]|([^.\[\]]+)")
KEYS = ("name", "type", "key", "ip", "containerPort", "port", "uid")
"""By which an item of a list may be named, the likeliest first."""
SHOWN = 60

Step = tuple[Any, str | int]
"""A dict or a list, and what was taken out of it."""


def moment(text: Any) -> float | None:
    """A time of the API in seconds since the Unix epoch; None where none is said (null, Go's zero time)."""
    if not isinstance(text, str):
        return None
    try:
        found = from_rfc3339(text)
    except ValueError:
        return None
    return found if found > 0 else None


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
