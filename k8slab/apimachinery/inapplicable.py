"""What is wrong with a configuration that is to be applied.

Server-side apply works on plain JSON by its schema, before anything is decoded: so its complaints are other ones than those
of a create or an update. Upstream answers with them as a 500.

Models: sigs.k8s.io/structured-merge-diff/v6/typed (validate.go, helpers.go).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.fieldset import Path, path_text
from k8slab.apimachinery.patch import go_format
from k8slab.apimachinery.typed import ANY, ATOMIC, LIST, SCALAR, STRUCT, Type, entry


def faults(type_: Type, value: Any, path: Path = ()) -> list[str]:
    """What is wrong with a configuration, in upstream's words: `.spec.replica: field not declared in schema`."""
    if type_.kind == ATOMIC:
        whole = type_.whole
        if whole is None or whole.kind != LIST or not isinstance(value, list):
            return faults(whole, value, path) if whole is not None else []
        return [fault for item in enumerate(value) for fault in faults(whole.items, item[1], (*path, f"i:{item[0]}"))]
    if value is None or type_ is ANY:
        return []
    if type_.kind == SCALAR:
        return _scalar_faults(type_.scalar, value, path)
    if type_.kind == LIST:
        return _list_faults(type_, value, path) if isinstance(value, list) else [_fault(path, "list", value)]
    if not isinstance(value, dict):
        return [_fault(path, "map", value)]
    found = []
    for name, each in value.items():
        step, inner, known = entry(type_, name)
        if type_.kind == STRUCT and not known and not type_.open:
            found.append(f"{path_text((*path, step))}: field not declared in schema")
            break  # upstream looks no further in this struct
        found += faults(inner, each, (*path, step))
    return found


def _list_faults(type_: Type, items: list[Any], path: Path) -> list[str]:
    found, seen = [], set()
    for number, item in enumerate(items):
        try:
            step = type_.step(item)
        except ValueError as fault:
            found.append(f"{path_text(path)}: element {number}: {fault}")
            continue
        if step in seen:
            found.append(f"{path_text(path)}: duplicate entries for key {path_text((step,))}")
        seen.add(step)
        found += faults(type_.items, item, (*path, step))
    return found


def _scalar_faults(scalar: str, value: Any, path: Path) -> list[str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    right = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "numeric": is_number,
        "any scalar": not isinstance(value, (dict, list)),
    }
    return [] if right[scalar] else [_fault(path, scalar, value)]


def _fault(path: Path, expected: str, value: Any) -> str:
    """Each sort of value is printed in another of Go's ways."""
    go_types = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}
    if expected == "numeric":
        expected, shown = "numeric (int or float)", go_types[type(value)]
    elif expected == "string":
        shown = f"&value.valueUnstructured{{Value:{go_format(value)}}}"
    else:
        shown = f"&{{{go_format(value)}}}"
    where = path_text(path)
    return f"{where}: expected {expected}, got {shown}" if where else f"expected {expected}, got {shown}"
