"""Filling in what a client left out.

In Go an absent string and an empty one are the same; an absent pointer and a pointer to zero are not. So there are two
ways to fill: `fill` for strings and pointers, where 0 and false are answers, and `fill_zero` for plain numbers.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject


def fill(obj: JsonObject, key: str, value: Any) -> None:
    """Set a string or a pointer that is not there, or empty."""
    found = obj.get(key)
    if found is None or found == "":
        obj[key] = value


def fill_zero(obj: JsonObject, key: str, value: Any) -> None:
    """Set a number that is not there, or 0."""
    if not obj.get(key):
        obj[key] = value


def child(obj: JsonObject, key: str) -> JsonObject:
    """The object at a key, made if it is not there."""
    found = obj.get(key)
    if not isinstance(found, dict):
        found = obj[key] = {}
    return found


def each(obj: JsonObject, key: str) -> list[JsonObject]:
    """The objects in a list; none where there is no list."""
    return obj.get(key) or []
