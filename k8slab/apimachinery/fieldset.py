"""Sets of fields: what an entry of managedFields says that its manager owns.

A set is a tree, and is kept as it is written, so that nothing needs to be translated:

    {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}

Each key is one step of a path: `f:name` a field, `k:{"name":"web"}` an item of a list by its keys, `v:"x"` an item by its
value, `i:0` an item by its place. A path is in the set where it ends in an empty tree, or in one that has `.`: so here the
container itself is in the set, and its image, but neither `spec` nor `containers`.

Sets are shared and never changed. What an operation leaves as it was it gives back as the same object: most writes touch a
few fields of a large set.

Models: sigs.k8s.io/structured-merge-diff/v6/fieldpath (set.go, serialize.go, serialize-pe.go, element.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

FieldSet = dict[str, Any]
Path = tuple[str, ...]

SELF = "."
LEAF: FieldSet = {}
"""The tree of a path that ends here. Shared, as all sets are: never change it."""


def field(name: str) -> str:
    """The step to a field."""
    return "f:" + name


def item_of_keys(keys: Mapping[str, Any]) -> str:
    """The step to an item of a list, by the fields that tell items apart."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def item_of_value(value: Any) -> str:
    """The step to an item of a list, by its value."""
    return "v:" + orjson.dumps(value).decode()


def is_member(tree: FieldSet) -> bool:
    """Whether the path that leads to a tree is in the set."""
    return not tree or SELF in tree


def as_member(tree: FieldSet) -> FieldSet:
    """The tree of a path that is in the set, with what is in it below."""
    return tree if is_member(tree) else {SELF: LEAF, **tree}


def _tree(member: bool, below: FieldSet) -> FieldSet | None:
    """A tree of its parts; None where nothing is left."""
    if not below:
        return LEAF if member else None
    return {SELF: LEAF, **below} if member else below


def _below(tree: FieldSet) -> FieldSet:
    return {step: each for step, each in tree.items() if step != SELF} if SELF in tree else tree


# ---- algebra


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in one of two sets, or in both."""
    added: FieldSet = {}
    for step, theirs in b.items():
        mine = a.get(step)
        if mine is None:
            added[step] = theirs
        elif mine is not theirs:
            both = union(mine, theirs)
            if is_member(mine) or is_member(theirs):
                both = as_member(both)
            if both is not mine:
                added[step] = both
    return {**a, **added} if added else a


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in both of two sets."""
    common: FieldSet = {}
    for step in a if len(a) <= len(b) else b:
        if step == SELF or step not in a or step not in b:
            continue
        mine, theirs = a[step], b[step]
        left = _tree(is_member(mine) and is_member(theirs), intersection(mine, theirs))
        if left is not None:
            common[step] = left
    return common


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in the first set, and not in the second."""
    changed: dict[str, FieldSet | None] = {}
    for step in b if len(b) < len(a) else a:
        if step == SELF or step not in a or step not in b:
            continue
        mine, theirs = a[step], b[step]
        below = difference(mine, theirs)
        loses = is_member(mine) and is_member(theirs)
        if loses or below is not mine:
            changed[step] = _tree(is_member(mine) and not loses, _below(below))
    if not changed:
        return a
    merged = {step: changed.get(step, tree) for step, tree in a.items()}
    return {step: tree for step, tree in merged.items() if tree is not None}


def without(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in the first set, and neither in the second nor below what is."""
    left: FieldSet = {}
    for step, mine in a.items():
        theirs = b.get(step)
        if theirs is None:
            left[step] = mine
        elif not is_member(theirs):
            tree = _tree(is_member(mine), _below(without(mine, theirs)))
            if tree is not None:
                left[step] = tree
    return left


def contains(fields: FieldSet, path: Path) -> bool:
    """Whether a path is in a set."""
    for step in path:
        if step not in fields:
            return False
        fields = fields[step]
    return bool(path) and is_member(fields)


def of_paths(paths: Iterator[Path] | list[Path]) -> FieldSet:
    """The set of some paths."""
    found: FieldSet = {}
    for path in paths:
        tree = LEAF
        for step in reversed(path):
            tree = {step: tree}
        found = union(found, tree)
    return found


# ---- reading and telling


def paths(fields: FieldSet) -> Iterator[Path]:
    """The paths in a set, in order: first those that end here, then those that go on."""
    steps = sorted((step for step in fields if step != SELF), key=_order)
    yield from ((step,) for step in steps if is_member(fields[step]))
    for step in steps:
        yield from ((step, *rest) for rest in paths(fields[step]))


def path_text(path: Path) -> str:
    """A path as messages name it: `.spec.template.spec.containers[name="web"].image`."""
    return "".join(map(_step_text, path))


def _step_text(step: str) -> str:
    sort, _, text = step.partition(":")
    if sort == "f":
        return "." + text
    if sort == "k":
        return "[" + ",".join(f"{name}={_shown(value)}" for name, value in orjson.loads(text).items()) + "]"
    return f"[={_shown(orjson.loads(text))}]" if sort == "v" else f"[{text}]"


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()


def _order(step: str) -> tuple[int, str]:
    return "fkvi".index(step[0]), step


def read(tree: Any) -> FieldSet:
    """A set that a client sent, in its one form: keys sorted, nothing said twice. ValueError where it is none.

    Steps of a sort that is not known are left out, as upstream does for the sake of later versions.
    """
    if not isinstance(tree, dict):
        raise ValueError(f"expected an object, got {tree!r}")
    found: FieldSet = {}
    for step, inside in tree.items():
        known = SELF if step == SELF else _read_step(step)
        if known:
            below = read(inside)
            found[known] = LEAF if below == {SELF: LEAF} else below
    return found


def _read_step(step: str) -> str:
    sort, colon, text = step.partition(":")
    if not colon:
        raise ValueError(f"missing colon in {step!r}")
    if sort == "k":
        keys = orjson.loads(text)
        if not isinstance(keys, dict):
            raise ValueError(f"expected the keys of an item, got {text!r}")
        return item_of_keys(keys)
    if sort == "v":
        return item_of_value(orjson.loads(text))
    if sort == "i":
        return f"i:{int(text)}"
    return step if sort == "f" else ""
