"""managedFields: who owns which fields of an object.

One entry for each manager, operation and subresource. A write that is no apply (`Update`) takes what it changes: its manager
owns the field from then on, and nobody else. An apply says what its manager wants to own, changed or not; a field that two
apply with the same value they own together, and one that another owns with a different value is a *conflict*, unless it is
forced. What a manager applied last time, and does not now, is removed, unless somebody else owns it.

The functions are pure: from an object and its entries to new ones. An entry is what the API shows; those that a write does not
touch are shared with the object before.

Models: k8s.io/apimachinery/pkg/util/managedfields/internal (structuredmerge.go, managedfieldsupdater.go, capmanagers.go,
stripmeta.go, managedfields.go, conflict.go), sigs.k8s.io/structured-merge-diff/v6/merge (update.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from k8slab.apimachinery import fieldset
from k8slab.apimachinery.errors import Conflict
from k8slab.apimachinery.fields_of import compare, fields_of, fields_of_new
from k8slab.apimachinery.fieldset import (
    LEAF,
    FieldSet,
    Path,
    difference,
    intersection,
    path_text,
    paths,
    union,
    without,
)
from k8slab.apimachinery.merging import merge, remove, with_structs
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


class ApplyConflict(Exception):
    """Others own, with other values, what would be applied: (who, which fields)."""

    def __init__(self, conflicts: list[tuple[JsonObject, FieldSet]]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts


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


def _in_order(entries: Entries) -> Entries:
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
            left += _less(entry, changed, removed)
    mine = union(difference(mine, removed), changed)
    if mine:
        left.append(writer.entry(mine, "" if changed else since))
    return _capped(_in_order(left))


def record_create(type_: Type, obj: JsonObject, writer: Writer, reset: tuple[str, ...]) -> Entries:
    """The entries of a new object, all of it its creator's but for top-level fields in `reset`."""
    content = {name: value for name, value in obj.items() if name not in reset and name not in ("apiVersion", "kind")}
    changed = difference(fields_of_new(type_, content, {"metadata": _IN_METADATA}), NEVER_OWNED)
    return [writer.entry(changed)] if changed else []


def _less(entry: JsonObject, changed: FieldSet, removed: FieldSet) -> Entries:
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
    return _in_order(kept + [_ancient(bucket) for bucket in buckets.values() if len(bucket) > 1])


def _ancient(bucket: list[JsonObject]) -> JsonObject:
    fields: FieldSet = LEAF
    for entry in bucket:
        fields = union(fields, entry["fieldsV1"])
    last = bucket[-1]
    return Writer(ANCIENT, UPDATE, last["apiVersion"]).entry(fields, last.get("time") or "")


# ---- an apply


def apply(
    type_: Type, live: JsonObject, config: JsonObject, entries: Entries, writer: Writer, *, force: bool, reset: FieldSet
) -> tuple[JsonObject, Entries]:
    """The object with a configuration applied, and its entries. Both are the very same as before where nothing changed.

    `live` comes without managedFields, and may be what Go writes of an object that is not there. Fields in `reset` are not
    this writer's to set. Raises ApplyConflict, unless forced.
    """
    before = next((entry["fieldsV1"] for entry in entries if writer.wrote(entry)), LEAF)
    others = [entry for entry in entries if not writer.wrote(entry)]
    wanted = without(fields_of(type_, config), reset)
    new = merge(type_, live, config)
    if before:
        new = _pruned(type_, new, before, [wanted, *(entry["fieldsV1"] for entry in others)])
    changed, removed = compare(type_, live, new)
    changed, removed = without(changed, reset), without(removed, reset)
    conflicts = [(entry, both) for entry in others if (both := intersection(entry["fieldsV1"], changed))]
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    mine = difference(wanted, NEVER_OWNED)
    left = [kept for entry in others for kept in _less(entry, changed, removed)]
    same = new == live
    if same and mine == before and len(left) == len(others) and all(map(_is, left, others)):
        return live, entries
    if mine:
        left.append(writer.entry(mine))
    return live if same else new, _in_order(left)


def _is(a: object, b: object) -> bool:
    return a is b


def _pruned(type_: Type, merged: JsonObject, before: FieldSet, owned: list[FieldSet]) -> JsonObject:
    """The merged object without what its manager applied last time and now neither it nor anybody else owns."""
    last = with_structs(type_, before)
    there = with_structs(type_, fields_of(type_, merged))
    kept: FieldSet = LEAF
    for fields in owned:
        kept = union(kept, fields)
    left = with_structs(type_, fields_of(type_, remove(type_, merged, last) or {}))
    # What somebody owns, or what was taken away only along with something else, comes back.
    pruned = remove(type_, merged, difference(there, union(left, with_structs(type_, kept)))) or {}
    left = with_structs(type_, fields_of(type_, pruned))
    found: JsonObject = remove(type_, merged, intersection(difference(there, left), last)) or {}
    return found


# ---- conflicts, in upstream's words


def conflict_error(fault: ApplyConflict) -> Conflict:
    """The 409 that lists each field and its manager."""
    found = sorted(_each(fault), key=lambda pair: (_identifier(pair[0]), path_text(pair[1])))
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_named(entry)}",
            "field": path_text(path),
        }
        for entry, path in found
    ]
    return Conflict(_message(found), details={"causes": causes})


def _each(fault: ApplyConflict) -> Iterator[tuple[JsonObject, Path]]:
    for entry, fields in fault.conflicts:
        yield from ((entry, path) for path in paths(fields))


def _message(found: list[tuple[JsonObject, Path]]) -> str:
    if len(found) == 1:
        [(entry, path)] = found
        return f"Apply failed with 1 conflict: conflict with {_named(entry)}: {path_text(path)}"
    lines, last = [], ""
    for entry, path in found:
        if _identifier(entry) != last:
            lines.append(f"conflicts with {_named(entry)}:")
            last = _identifier(entry)
        lines.append(f"- {path_text(path)}")
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _identifier(entry: JsonObject) -> str:
    """What upstream sorts managers by: the entry as JSON, without its time and fields."""
    names = ("manager", "operation", "apiVersion", "subresource")
    skipped = ("apiVersion",) if entry["operation"] == APPLY else ()
    return orjson.dumps({name: entry[name] for name in names if entry.get(name) and name not in skipped}).decode()


def _named(entry: JsonObject) -> str:
    name = orjson.dumps(entry.get("manager", "")).decode()
    if entry.get("subresource"):
        name += f' with subresource "{entry["subresource"]}"'
    return f"{name} using {entry['apiVersion']}" if entry["operation"] == UPDATE else name
