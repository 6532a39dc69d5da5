"""Who wrote which fields of an object: managedFields.

Since server-side apply every object tells who wrote what: one entry for each manager, operation and subresource. A manager's
name is what the client called itself, not a user. An entry's time is when that manager last changed *any* of its fields. After
ten managers of updates the oldest are merged into one.

Fields are sets in a notation of their own: `f:name` a field, `k:{"name":"web"}` an item of a list by its keys, `v:"x"` by
its value, `i:0` by its place, `.` the thing itself; a leaf is owned with all that is in it.

Models: sigs.k8s.io/structured-merge-diff/v6/fieldpath (serialize.go, element.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.observed.fields import Step, moment

MERGED = ("ancient-changes", "before-first-apply")
"""Managers that stand for others, who are forgotten."""


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


def claim(fields: JsonObject, steps: Sequence[Step]) -> str:
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
