"""The objects of a cluster, to look through: what `ObjectsSource` asks for.

Secrets are listed and not shown: what a widget shows is saved with the notebook. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import yaml

from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.clock import from_rfc3339
from k8slab.lab.drawing import Table
from k8slab.lab.furniture import is_furniture
from k8slab.lab.pictures.deeds import state_of
from k8slab.lab.reference import Reference, not_there, reference
from k8slab.lab.secrecy import is_secret, told
from k8slab.lab.widgets.sources import Filter, ObjectRow, ObjectTable
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster
    from k8slab.lab.why import Why

COLUMNS = ("Kind", "Namespace", "Name", "State", "Age")
LEFT_OUT = ("events",)
"""Kinds that are told with the object that they are about."""


class ClusterObjects:
    """All objects of one cluster, as they are now."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.selection = cluster.selection

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after every change; what comes back ends that."""
        return self._cluster.changes.subscribe(callback)

    def rows(self, filter: Filter) -> ObjectTable:
        """The objects that a filter lets through: by kind, namespace and name."""
        with self._cluster.looking():
            return ObjectTable(COLUMNS, [row for row in self._rows(filter.kind) if _passes(row, filter)])

    def yaml(self, id: str) -> str:
        """An object as YAML. Raises ValueError for one that there is not."""
        wanted = _wanted(id)
        obj = copy_of(self._find(wanted))
        obj["metadata"].pop("managedFields", None)
        if is_secret(wanted.resource.group, wanted.resource.kind):
            obj = told((), obj)
        return str(yaml.safe_dump(obj, sort_keys=False, allow_unicode=True))

    def events(self, id: str) -> Table | str:
        """What was reported about an object."""
        wanted = _wanted(id)
        with self._cluster.looking():
            found = self._cluster.client.raw("GET", RESOURCES["", "events"].path())["items"]
        about = [each for each in found if _is_about(each, wanted)]
        about.sort(key=lambda each: each["lastTimestamp"] or "")
        rows = tuple(
            (
                _age(self._cluster.now, each["lastTimestamp"]),
                each["type"],
                each["reason"],
                each["source"].get("component", ""),
                each["message"] + (f" (x{each['count']})" if each["count"] > 1 else ""),
            )
            for each in about
        )
        return Table(("Age", "Type", "Reason", "From", "Message"), rows) if rows else "No events."

    def why(self, id: str) -> Why:
        """Why an object is as it is. Raises ValueError for one that there is not."""
        with self._cluster.looking():
            return self._cluster.why_id(_wanted(id).id)

    def _find(self, wanted: Reference) -> JsonObject:
        resource = wanted.resource
        with self._cluster.looking():
            registry = self._cluster.server.registry
            found = registry.find(resource, wanted.namespace, wanted.name)
            if found is None:
                names = [each["metadata"]["name"] for each in registry.list(resource, wanted.namespace).items]
                raise not_there(wanted, names)
        return {"apiVersion": resource.api_version, "kind": resource.kind, **found}

    def _rows(self, kind: str) -> Iterator[ObjectRow]:
        registry = self._cluster.server.registry
        now = self._cluster.now
        for resource in RESOURCES.values():
            if "list" in resource.verbs and resource.plural not in LEFT_OUT and not resource.is_view:
                for obj in registry.list(resource).items:
                    if kind == resource.kind or not is_furniture(resource.kind, obj):
                        yield _row(resource, obj, now)


def _wanted(id: str) -> Reference:
    if "/" not in id:
        raise Mistake(f"{id!r} is a part of the picture, and no object of the API; choose an object")
    return reference(id)


def _row(resource: ResourceInfo, obj: JsonObject, now: float) -> ObjectRow:
    meta = obj["metadata"]
    namespace, name = meta.get("namespace", ""), meta["name"]
    id = "/".join(part for part in (resource.kind, namespace, name) if part)
    state = state_of({"kind": resource.kind, **obj})
    return ObjectRow(id, (resource.kind, namespace, name, state, _age(now, meta.get("creationTimestamp"))))


def _passes(row: ObjectRow, filter: Filter) -> bool:
    kind, namespace, name, *_ = row.cells
    return (
        filter.kind in ("", kind)
        and filter.namespace in ("", namespace)
        and filter.text.lower() in f"{kind} {namespace} {name}".lower()
    )


def _is_about(event: JsonObject, wanted: Reference) -> bool:
    about = event["involvedObject"]
    same = (about.get("kind"), about.get("name")) == (wanted.resource.kind, wanted.name)
    return same and about.get("namespace", "") == wanted.namespace


def _age(now: float, since: str | None) -> str:
    """`5s`, `3m`, `2h`, `4d`: the largest unit, as kubectl has it in short."""
    seconds = int(now - from_rfc3339(since)) if since else 0
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
