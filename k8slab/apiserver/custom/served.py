"""Which resources a server serves: those that are built in, and those that definitions add.

Everything follows from the CustomResourceDefinitions in the store, and from nothing else: after a restart, in a replay and
in a look at the past the table is the same. When a definition changes, the next request finds a new table, and with it new
routes, discovery and OpenAPI; watches of what is no longer served as it was end, and their clients list anew.

Models: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go, customresource_discovery_controller.go.
"""

from __future__ import annotations

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.custom.kind import priority, rows_of
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import BUILT_IN, RESOURCES, ResourceInfo, ResourceTable
from k8slab.etcd.store import Entry, StoreError

LEFT_OUT = (
    "The watches of a kind end at once when its definition changes; upstream lets them go on for up to a minute.",
)

DEFINITIONS = RESOURCES["apiextensions.k8s.io", "customresourcedefinitions"]


class ServedResources:
    """The table of resources of one server."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._table = BUILT_IN
        self._rows: dict[bytes, list[ResourceInfo]] = {}
        """What each definition made, by what it was made from: what is the same stays the same."""
        self.stale = True
        """Whether a definition has changed since the table was made."""
        registry.store.subscribe(self._on_commit)

    @property
    def table(self) -> ResourceTable:
        """What is served now."""
        if self.stale:
            self.stale = False  # before it is made, so that what changes meanwhile is not missed
            try:
                self._table = self._made()
            except StoreError:
                self.stale = True
                raise
        return self._table

    def _made(self) -> ResourceTable:
        before, self._rows = self._rows, {}
        rows: list[ResourceInfo] = []
        for crd in self._registry.list(DEFINITIONS).items:
            source = _source(crd)
            made = self._rows[source] = before[source] if source in before else rows_of(crd)
            # A group and version that is built in is never asked of a definition.
            rows += [row for row in made if (row.group, row.version) not in BUILT_IN.group_versions]
        return ResourceTable([*BUILT_IN.rows, *_in_order(rows)]) if rows else BUILT_IN

    def _on_commit(self, entries: list[Entry]) -> None:
        if any(entry.key.startswith(DEFINITIONS.key_prefix) for entry in entries):
            self.stale = True


def _source(crd: JsonObject) -> bytes:
    """What of a definition matters to what is served."""
    status = crd.get("status") or {}
    served = [each for each in status.get("conditions") or [] if each.get("type") in ("NamesAccepted", "Established")]
    going = bool(crd["metadata"].get("deletionTimestamp"))
    return orjson.dumps([crd["metadata"]["uid"], crd["spec"], status.get("acceptedNames"), served, going])


def _in_order(rows: list[ResourceInfo]) -> list[ResourceInfo]:
    """Group by group; within a group the preferred version first, whichever kinds are served in it."""
    return sorted(rows, key=lambda row: (row.group, priority(row.version), row.plural))
