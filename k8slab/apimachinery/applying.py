"""Server-side apply: what becomes of an object, and of its owners, when a manager says what it wants.

The configuration is merged over the object. What two managers apply with the same value they own together; what another owns
with a different value is a *conflict*, unless the apply is forced, and then it changes hands. What the manager applied last
time, and does not now, is removed, unless somebody else owns it.

Models: sigs.k8s.io/structured-merge-diff/v6/merge (update.go), k8s.io/apimachinery/pkg/util/managedfields/internal (conflict.go).
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from k8slab.apimachinery.errors import Conflict
from k8slab.apimachinery.fields_of import compare, fields_of
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
from k8slab.apimachinery.managed import APPLY, NEVER_OWNED, UPDATE, Entries, Writer, in_order, less
from k8slab.apimachinery.merging import merge, remove, with_structs
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.typed import Type


class ApplyConflict(Exception):
    """Others own, with other values, what would be applied: (who, which fields)."""

    def __init__(self, conflicts: list[tuple[JsonObject, FieldSet]]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts


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
    left = [kept for entry in others for kept in less(entry, changed, removed)]
    same = new == live
    if same and mine == before and len(left) == len(others) and all(map(_is, left, others)):
        return live, entries
    if mine:
        left.append(writer.entry(mine))
    return live if same else new, in_order(left)


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
