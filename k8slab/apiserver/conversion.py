"""One stored object, several forms.

A custom kind may be served in several versions, and is stored in one of them: the others are the same but for their
apiVersion (conversion strategy `None`). What a schema has learned to default since an object was stored is filled in.

Events live in two groups: `kubectl get events` asks the core group, `kubectl events` and newer clients ask events.k8s.io.
There is one set of them, stored in the core form; the other form is the same fields under newer names.

Models: pkg/apis/events/v1/conversion.go, k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/nop_converter.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.resources import ResourceInfo

CORE_TO_EVENTS: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
"""The fields whose names differ."""
EVENTS_TO_CORE = {new: old for old, new in CORE_TO_EVENTS.items()}


def to_storage(resource: ResourceInfo, obj: JsonObject) -> JsonObject:
    """An object in the form in which it is stored: the same object, unless it is shown in another form."""
    if resource.custom is not None:
        return _in_version(obj, resource.custom.storage)
    return _renamed(obj, EVENTS_TO_CORE, "v1") if resource.is_view else obj


def from_storage(resource: ResourceInfo, obj: JsonObject) -> JsonObject:
    """A stored object in the form of a resource; metadata is shared."""
    if resource.custom is not None:
        return resource.custom.strategy.defaulted(_in_version(obj, resource.api_version))
    return _renamed(obj, CORE_TO_EVENTS, resource.api_version) if resource.is_view else obj


def _in_version(obj: JsonObject, api_version: str) -> JsonObject:
    return obj if obj.get("apiVersion") == api_version else {**obj, "apiVersion": api_version}


def _renamed(obj: JsonObject, names: Mapping[str, str], api_version: str) -> JsonObject:
    return {names.get(name, name): value for name, value in obj.items()} | {"apiVersion": api_version}
