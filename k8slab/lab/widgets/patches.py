"""The difference between two states of a widget, small enough to be sent ten times a second.

A state is a dict of parts. A part that is a list of things with an `id` is compared thing by thing: a graph of a thousand
boxes in which one turned green is one box to send. All other parts are sent whole when they differ.

`apply(before, difference(before, after))` is `after`; `static/common.js` has the same `apply`, for the browser. It is a
change of the list in place: what did not change keeps its identity there, which is how a view knows what to draw anew.
k8slab's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

State = dict[str, Any]
Patch = dict[str, Any]
"""`set`: part -> value; `gone`: parts that are no more; `lists`: part -> {`drop`: ids, `put`: things, `order`: ids}."""


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Patch:
    """What leads from one state to another; empty where they are equal."""
    patch: Patch = {}
    for part, value in after.items():
        if part in before and before[part] == value:
            continue
        if part in before and is_keyed(before[part]) and is_keyed(value):
            patch.setdefault("lists", {})[part] = _list_difference(before[part], value)
        else:
            patch.setdefault("set", {})[part] = value
    if gone := [part for part in before if part not in after]:
        patch["gone"] = gone
    return patch


def apply(state: Mapping[str, Any], patch: Patch) -> State:
    """The state that a patch leads to."""
    gone = patch.get("gone", ())
    result: State = {part: value for part, value in state.items() if part not in gone} | patch.get("set", {})
    for part, change in patch.get("lists", {}).items():
        things = {each["id"]: each for each in result[part] if each["id"] not in change["drop"]}
        things |= {each["id"]: each for each in change["put"]}
        result[part] = [things[id] for id in change.get("order", things)]
    return result


def is_keyed(value: object) -> bool:
    """Whether a part is a list of things, each with an id of its own."""
    if not isinstance(value, (list, tuple)):
        return False
    ids = [each["id"] for each in value if isinstance(each, dict) and "id" in each]
    return len(ids) == len(value) and len(set(ids)) == len(ids)


def _list_difference(before: list[State], after: list[State]) -> Patch:
    old = {each["id"]: each for each in before}
    new = {each["id"]: each for each in after}
    change: Patch = {
        "drop": [id for id in old if id not in new],
        "put": [each for id, each in new.items() if old.get(id) != each],
    }
    # Where things only leave, change or come at the end, the order needs no words.
    come = [id for id in old if id in new] + [id for id in new if id not in old]
    if come != list(new):
        change["order"] = list(new)
    return change
