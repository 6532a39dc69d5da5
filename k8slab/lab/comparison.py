"""Two states of one object, field by field.

A list is often a map in disguise: a Pod's containers are known by their names, a status' conditions by their types. By the
kind's schema (the merge key of a patch, the keys of server-side apply) such lists are compared element by element, whatever
their order; where the schema says nothing, a `name`, a `type` or a `uid` that no two elements share will do, and else the
place in the list. Lists of plain values are compared as a whole.

Pure: objects in, changes out. What is added or removed as a whole is one change.

k8slab's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import Definition, Field

UNTYPED = Field("any")
LIKELY_KEYS = (("name",), ("type",), ("uid",))
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")

Path = tuple[str, ...]
"""Steps from the object's root: `("spec", "containers", "[name=web]", "image")`."""


class Absent:
    """Stands for a field that is not there: null is something else."""

    def __repr__(self) -> str:
        return "(none)"


ABSENT = Absent()


class Changed(NamedTuple):
    """One field, before and after."""

    path: Path
    old: Any
    """ABSENT if it was not there."""
    new: Any
    """ABSENT if it is there no more."""


def compare(
    old: JsonObject, new: JsonObject, definition: Definition | None, ignore: Sequence[str] = ()
) -> list[Changed]:
    """What differs, in the order of the fields; what is new comes after what was there.

    `ignore` names fields wherever they are (`managedFields`), or by their whole path (`metadata.generation`).
    """
    root = Field("object", ref=definition.name) if definition else UNTYPED
    ignored = frozenset(ignore)
    # Most name fields only: then no path needs to be written out.
    whole = any("." in each for each in ignored)
    return list(
        _compared(old, new, root, (), lambda path: path[-1] in ignored or (whole and path_text(path) in ignored))
    )


def path_text(path: Path) -> str:
    """The path as people write it: `spec.containers[name=web].image`."""
    return "".join(step if step.startswith("[") else f".{step}" for step in path).removeprefix(".")


def related(one: Path, other: Path) -> bool:
    """Whether one of two paths leads to the other, or both are the same."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _compared(old: Any, new: Any, field: Field, path: Path, ignored: Callable[[Path], bool]) -> Iterator[Changed]:
    if old == new or (path and ignored(path)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            step = name if PLAIN_NAME.fullmatch(name) else f"[{name}]"
            member = _member(field, name)
            yield from _compared(old.get(name, ABSENT), new.get(name, ABSENT), member, (*path, step), ignored)
    elif _all_objects(old) and _all_objects(new):
        before, after = _by_key(old, new, field)
        for key in dict.fromkeys((*before, *after)):
            member = field.items or UNTYPED
            yield from _compared(before.get(key, ABSENT), after.get(key, ABSENT), member, (*path, key), ignored)
    else:
        yield Changed(path, old, new)


def _member(field: Field, name: str) -> Field:
    """What the schema says of one member of an object."""
    if field.definition is not None:
        return field.definition.fields.get(name, UNTYPED)
    return (field.items or UNTYPED) if field.type == "map" else UNTYPED


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _by_key(old: list[JsonObject], new: list[JsonObject], field: Field) -> tuple[JsonObject, JsonObject]:
    """Both lists as maps, by the first key that tells the elements of each apart; else by their places."""
    for keys in ((field.merge_key,), field.list_map_keys, *LIKELY_KEYS):
        if keys and all(keys) and _tells_apart(keys, old) and _tells_apart(keys, new):
            return {_step(keys, each): each for each in old}, {_step(keys, each): each for each in new}
    return {f"[{place}]": each for place, each in enumerate(old)}, {
        f"[{place}]": each for place, each in enumerate(new)
    }


def _tells_apart(keys: tuple[str, ...], elements: list[JsonObject]) -> bool:
    found = [_step(keys, each) for each in elements if all(key in each for key in keys)]
    return len(set(found)) == len(elements)


def _step(keys: tuple[str, ...], element: JsonObject) -> str:
    return f"[{','.join(f'{key}={element[key]}' for key in keys)}]"
