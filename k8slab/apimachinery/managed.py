"""managedFields: who owns which fields of an object.

One entry for each manager, operation and subresource. A write that is no apply (`Update`) takes what it changes: its manager
owns the field from then on, and nobody else. An apply says what its manager wants to own, changed or not: see `applying.py`.

The functions are pure: from entries to new ones. An entry is what the API shows; those that a write does not touch are shared
with the object before.

Models: k8s.io/apimachinery/pkg/util/managedfields/internal (managedfieldsupdater.go, capmanagers.go, stripmeta.go,
managedfields.go), sigs.k8s.io/structured-merge-diff/v6/merge (update.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

import orjson

from k8slab.apimachinery import fieldset
from k8slab.apimachinery.fields_of import fields_of_new
from k8slab.apimachinery.fieldset import (
    LEAF,
    FieldSet,
    difference,
    union,
)
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apimachinery.typed import Type

MANAGED = "managedFields"
APPLY, UPDATE = "Apply", "Update"
Entries = list[JsonObject]

MAX_UPDATERS = 10
ANCIENT = "ancient-changes"
"""The manager that stands for the oldest, where there are too many."""
BEFORE_FIRST_APPLY = "before-first-apply"
"""The manager of all that was there when nobody kept account."""

_IN_METADATA = (
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion",
)  # fmt: skip
NEVER_OWNED = fieldset.of_paths(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), *(("f:metadata", "f:" + name) for name in _IN_METADATA)]
)
"""What is the server's own, or the same for ever."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: what an entry is known by."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    """When, in RFC 3339."""

    def wrote(self, entry: JsonObject) -> bool:
        """Whether an entry is this writer's. An applier's is, whatever the version that it applied."""
        return (
            entry.get("manager", "") == self.manager
            and entry["operation"] == self.operation
            and entry.get("subresource", "") == self.subresource
            and (self.operation == APPLY or entry["apiVersion"] == self.api_version)
        )

    def entry(self, fields: FieldSet, time: str = "") -> JsonObject:
        """The entry of what it owns."""
        found: JsonObject = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": time or self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        if self.subresource:
            found["subresource"] = self.subresource
        return found


# ---- entries


def read_entries(sent: Any) -> Entries | None:
    """What a client sent as managedFields: [] to begin anew, None where it is nothing to go by."""
    if sent in ([], [{}]):
        return []
    try:
        found = [_read_entry(each) for each in sent or ()]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return found or None


def _read_entry(sent: JsonObject) -> JsonObject:
    if sent["operation"] not in (APPLY, UPDATE) or not sent["apiVersion"] or sent["fieldsType"] != "FieldsV1":
        raise ValueError(sent)
    return {**sent, "fieldsV1": fieldset.read(sent.get("fieldsV1") or {})}


def share(entries: Entries) -> None:
    """Make freshly decoded entries small, in place: what is alike in many objects is kept once."""
    for entry in entries:
        for name in ("manager", "operation", "apiVersion", "time", "fieldsType"):
            if name in entry:
                entry[name] = intern(entry[name])
        for tree in entry["fieldsV1"].values():
            for step, below in tree.items():
                tree[step] = _shared(bytes(memoryview(orjson.dumps(below)))) if below else LEAF


@lru_cache(maxsize=4096)
def _shared(raw: bytes) -> FieldSet:
    return _with_shared_leaves(orjson.loads(raw))


def _with_shared_leaves(fields: FieldSet) -> FieldSet:
    return {step: _with_shared_leaves(below) if below else LEAF for step, below in fields.items()}


def in_order(entries: Entries) -> Entries:
    """The entries as the API shows them: applies first, then the oldest."""

    def place(entry: JsonObject) -> tuple[str, ...]:
        return (
            entry["operation"],
            entry.get("time") or "",
            entry.get("manager", ""),
            entry["apiVersion"],
            entry.get("subresource", ""),
        )

    return sorted(entries, key=place)


def without_entries(obj: JsonObject) -> JsonObject:
    """An object without managedFields: it shares all else."""
    meta = obj["metadata"]
    if MANAGED not in meta:
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != MANAGED}}


def private_copy(obj: JsonObject) -> JsonObject:
    """A deep copy that shares the entries of managedFields: they are many, and never changed in place."""
    entries = obj["metadata"].get(MANAGED)
    copied: JsonObject = copy_of(without_entries(obj))
    if entries:
        copied["metadata"][MANAGED] = entries
    return copied


# ---- a write that is no apply


def record_update(entries: Entries, writer: Writer, changed: FieldSet, removed: FieldSet) -> Entries:
    """The entries after a write that changed and removed some fields; the very same ones where that is nobody's business."""
    changed = difference(changed, NEVER_OWNED)
    if not changed and not removed:
        return entries
    mine: FieldSet = LEAF
    since = ""
    left: Entries = []
    for entry in entries:
        if writer.wrote(entry):
            mine, since = entry["fieldsV1"], entry.get("time") or ""
        else:
            left += less(entry, changed, removed)
    mine = union(difference(mine, removed), changed)
    if mine:
        left.append(writer.entry(mine, "" if changed else since))
    return _capped(in_order(left))


def record_create(type_: Type, obj: JsonObject, writer: Writer, reset: tuple[str, ...]) -> Entries:
    """The entries of a new object, all of it its creator's but for top-level fields in `reset`."""
    content = {name: value for name, value in obj.items() if name not in reset and name not in ("apiVersion", "kind")}
    changed = difference(fields_of_new(type_, content, {"metadata": _IN_METADATA}), NEVER_OWNED)
    return [writer.entry(changed)] if changed else []


def less(entry: JsonObject, changed: FieldSet, removed: FieldSet) -> Entries:
    """An entry without fields that went to another, or that are gone: a list of one, or empty where nothing is left."""
    fields = entry["fieldsV1"]
    kept = difference(difference(fields, changed), removed)
    if kept is fields:
        return [entry]
    return [{**entry, "fieldsV1": kept}] if kept else []


def _capped(entries: Entries) -> Entries:
    """The entries, the oldest updates as one where there are more than ten: one for each version."""
    updates = [entry for entry in entries if entry["operation"] == UPDATE]
    excess = len(updates) - MAX_UPDATERS
    if excess <= 0:
        return entries
    buckets: dict[str, list[JsonObject]] = {}
    for entry in updates:  # the oldest first: that is their order
        bucket = buckets.setdefault(entry["apiVersion"], [])
        if bucket:
            excess -= 1
        bucket.append(entry)
        if excess <= 0:
            break
    merged = [entry for bucket in buckets.values() if len(bucket) > 1 for entry in bucket]
    kept = [entry for entry in entries if not any(entry is each for each in merged)]
    return in_order(kept + [_ancient(bucket) for bucket in buckets.values() if len(bucket) > 1])


def _ancient(bucket: list[JsonObject]) -> JsonObject:
    fields: FieldSet = LEAF
    for entry in bucket:
        fields = union(fields, entry["fieldsV1"])
    last = bucket[-1]
    return Writer(ANCIENT, UPDATE, last["apiVersion"]).entry(fields, last.get("time") or "")
