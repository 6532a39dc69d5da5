"""Tables: what `kubectl get` prints is made here.

The server knows what is worth seeing of each kind, so a client needs to know no kind. A Table has column definitions and
one row an object; wide columns are always sent, and marked. Ages are counted from the cluster's clock, not the client's.
A row is made for every object, however odd: what cannot be told is `<unknown>`.

Models: k8s.io/apiserver/pkg/endpoints/handlers/response.go (asTable), pkg/printers/tablegenerator.go.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.printers import DEFAULT, PRINTERS
from k8slab.apiserver.printers.cells import UNKNOWN, Printer, name
from k8slab.apiserver.resources import ResourceInfo

META_VERSION = "meta.k8s.io/v1"
_ODD = (TypeError, ValueError, AttributeError, KeyError)
"""What a printer raises at an object that is not made as its kind is."""


def to_table(
    resource: ResourceInfo,
    objects: list[JsonObject],
    now: float,
    *,
    include_object: str,
    list_meta: JsonObject | None,
    with_columns: bool = True,
) -> JsonObject:
    """Objects of one kind as a Table. `include_object`: Metadata, Object or None, for the rows' `object`."""
    printer = resource.custom.printer if resource.custom else PRINTERS.get(resource.group_plural, DEFAULT)
    return {
        "kind": "Table",
        "apiVersion": META_VERSION,
        "metadata": list_meta or {},
        "columnDefinitions": [column.to_json() for column in printer.columns] if with_columns else None,
        "rows": [_row(printer, obj, now, include_object) for obj in objects],
    }


def partial_metadata(obj: JsonObject, version: str = META_VERSION) -> JsonObject:
    """An object's metadata, as an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": obj.get("metadata") or {}}


def _row(printer: Printer, obj: JsonObject, now: float, include_object: str) -> JsonObject:
    row: JsonObject = {"cells": _cells(printer, obj, now)}
    if printer.conditions is not None:
        try:
            conditions = printer.conditions(obj)
        except _ODD:
            conditions = []
        if conditions:
            row["conditions"] = conditions
    row["object"] = obj if include_object == "Object" else None if include_object == "None" else partial_metadata(obj)
    return row


def _cells(printer: Printer, obj: JsonObject, now: float) -> list[Any]:
    try:
        return printer.row(obj, now)
    except _ODD:
        known = name(obj) if isinstance(obj.get("metadata") or {}, dict) else UNKNOWN
        return [known if column.name == "Name" else UNKNOWN for column in printer.columns]
