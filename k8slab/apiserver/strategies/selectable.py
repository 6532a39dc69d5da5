"""Which fields a field selector can name, kind by kind.

A row is the selector's name and where its value is in the object; a third column says what absence means.

Every kind has metadata.name, and metadata.namespace if it lives in one. A kind with rows here says of any other name what its
own conversion function says upstream; a kind without says what all such kinds say.

Models: pkg/registry/*/*/strategy.go (ToSelectableFields, SelectableFields), pkg/apis/*/v1/conversion.go
(AddFieldLabelConversionFunc), k8s.io/apimachinery/pkg/runtime/conversion.go (DefaultMetaV1FieldSelectorConversion).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.apimachinery.rest import JsonObject

Row = tuple[str, tuple[str, ...], str]


def _rows(*names: str, default: str = "") -> tuple[Row, ...]:
    return tuple((name, tuple(name.split(".")), default) for name in names)


_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

_EVENT: tuple[Row, ...] = (
    *_rows(*(f"involvedObject.{part}" for part in _REFERENCE)),
    *_rows("reason", "type"),
    ("reportingComponent", ("reportingComponent",), ""),
    ("source", ("source", "component"), ""),
)

SELECTABLE: Mapping[tuple[str, str], tuple[Row, ...]] = {
    ("", "pods"): (
        *_rows("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        *_rows("spec.hostNetwork", default="false"),
        *_rows("status.phase", "status.podIP", "status.nominatedNodeName"),
        # Upstream takes these two as well: the first selects nothing, the second is what old clients say.
        ("status.podIPs", ("",), ""),
        ("spec.host", ("spec", "nodeName"), ""),
    ),
    ("", "events"): _EVENT,
    ("events.k8s.io", "events"): (
        *_rows("reason", "type", "reportingController"),
        *((f"regarding.{part}", ("regarding", part), "") for part in _REFERENCE),
        ("source", ("deprecatedSource", "component"), ""),
    ),
    ("", "namespaces"): _rows("status.phase"),
    ("", "nodes"): _rows("spec.unschedulable", default="false"),
    ("", "replicationcontrollers"): _rows("status.replicas", default="0"),
    ("", "secrets"): _rows("type"),
    ("", "services"): _rows("spec.clusterIP", "spec.type"),
    ("apps", "replicasets"): _rows("status.replicas", default="0"),
    ("batch", "jobs"): _rows("status.successful", default="0"),
    ("certificates.k8s.io", "certificatesigningrequests"): _rows("spec.signerName"),
}

REFUSALS: Mapping[tuple[str, str], str] = {("batch", "jobs"): 'field label "{}" not supported for batchv1.Job'}
"""Kinds that refuse a field in words of their own."""


def values(rows: tuple[Row, ...], obj: JsonObject) -> dict[str, str]:
    """The values of the selectable fields of an object."""
    return {name: _text(_dig(obj, path), default) for name, path, default in rows}


def _dig(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _text(value: Any, default: str) -> str:
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
