"""Watches: cursors over the store, seen through a selection.

A watch holds no events. It has a place in etcd's log; a poll reads on from there. The hub listens to the store once, and
wakes only those watchers whom a write concerns: 100 kubelets that each watch their own Node and its Pods are not woken by
those of the others, and need not read over them.

A change's event is shared by all who watch, and decoded only if one of them looks inside: an informer has its own view of the
entry (`client/cached.py`).

Models: k8s.io/apiserver/pkg/storage/cacher (cacher.go, cache_watcher.go: the transitions of a selection).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from k8slab.apimachinery.errors import ApiError, Expired
from k8slab.apimachinery.rest import JsonObject, WatchEvent
from k8slab.apiserver.conversion import from_storage
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES, ResourceInfo, ResourceTable
from k8slab.apiserver.selection import Selection
from k8slab.clock import NEVER, Clock, VirtualClock
from k8slab.etcd.store import Compacted, Cursor, Entry

EVENT_CACHE = 2_000
BOOKMARK_PERIOD = 60.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
PODS, NODES = RESOURCES["", "pods"], RESOURCES["", "nodes"]
NODE_FIELD = {PODS: "spec.nodeName", NODES: "metadata.name"}
"""By which field a watch is about one node."""


class WatchHub:
    """All open watches."""

    def __init__(self, registry: Registry, clock: Clock, lock: AbstractContextManager[object] | None = None) -> None:
        self.registry, self.clock = registry, clock
        self.lock = lock or nullcontext()
        """Held during a poll: watches are polled by threads that hold no other lock of the server."""
        self._events: OrderedDict[tuple[int, str], WatchEvent] = OrderedDict()
        # Who is to be woken, by the prefix of the keys watched; those about one node separately, by its name too.
        self._by_prefix: dict[str, dict[int, CacheWatch]] = {}
        self._by_node: dict[tuple[str, str], dict[int, NodeWatch]] = {}
        self._last = 0
        self.sent: dict[ResourceInfo, int] = {}
        """How many events watchers were given, by what they watch."""
        registry.store.subscribe(self._on_commit)

    def open(
        self,
        resource: ResourceInfo,
        namespace: str,
        selection: Selection,
        *,
        after: int,
        initial: list[JsonObject] | None,
        mark_the_end: bool = False,
        bookmarks: bool = False,
        timeout: float = 0.0,
        wake: Callable[[], None] | None = None,
    ) -> CacheWatch:
        """A watch of the changes after a revision, told first what there was then (`initial`). Raises Compacted."""
        self._last += 1
        field = NODE_FIELD.get(resource) if not namespace else None
        node = selection.fields.exact(field) if field else None
        kind = NodeWatch if node else CacheWatch
        watch = kind(self, self._last, resource, namespace, selection, after, bookmarks, wake or (lambda: None))
        if timeout and not isinstance(self.clock, VirtualClock):
            watch.ends = self.clock.now() + timeout
        watch.begin(initial, mark_the_end)
        if isinstance(watch, NodeWatch):
            watch.place = resource.key_prefix, node or ""
            self._by_node.setdefault(watch.place, {})[watch.number] = watch
        else:
            self._by_prefix.setdefault(resource.key_prefix, {})[watch.number] = watch
        return watch

    @property
    def open_watches(self) -> int:
        """How many watches are open."""
        return len(self._all())

    def by_kind(self) -> dict[tuple[str, str, str, str], int]:
        """How many are open, by (group, version, resource, scope)."""
        found: dict[tuple[str, str, str, str], int] = {}
        for watch in self._all():
            row = watch.resource
            key = row.group, row.version, row.plural, "namespace" if watch.namespace else "cluster"
            found[key] = found.get(key, 0) + 1
        return found

    def close_stale(self, table: ResourceTable) -> None:
        """End the watches of custom kinds that are not served any more, or not as they were: who watches lists anew."""
        for watch in self._all():
            row = watch.resource
            if row.custom is not None and table.find(row.group, row.version, row.plural) is not row:
                watch.finish()
                watch.wake()

    def close_all(self) -> None:
        """End every watch: the server goes."""
        for watch in self._all():
            watch.close()
            watch.wake()

    def _all(self) -> list[CacheWatch]:
        others = [watch for each in self._by_prefix.values() for watch in each.values()]
        return others + [watch for each in self._by_node.values() for watch in each.values()]

    def close(self, watch: CacheWatch) -> None:
        """Forget a watch. Safe to call twice."""
        self._by_prefix.get(watch.resource.key_prefix, {}).pop(watch.number, None)
        if isinstance(watch, NodeWatch):
            self._by_node.get(watch.place, {}).pop(watch.number, None)

    def event(self, entry: Entry) -> WatchEvent:
        """The event of one change, shared."""
        key = (entry.revision, entry.key)
        found = self._events.get(key)
        if found is None:
            if entry.deleted:
                found = WatchEvent("DELETED", self._as_deleted(entry), entry.revision)
            else:
                type_ = "ADDED" if entry.version == 1 else "MODIFIED"
                found = WatchEvent(type_, partial(self.registry.decode, entry), entry.revision, entry)
            self._events[key] = found
            if len(self._events) > EVENT_CACHE:
                self._events.popitem(last=False)
        return found

    def before(self, entry: Entry) -> JsonObject | None:
        """The object as it was before a change; None if it did not exist, or if that is forgotten."""
        if not entry.previous:
            return None
        try:
            previous = self.registry.store.get(entry.key, entry.previous)
        except Compacted:
            return None
        return self.registry.decode(previous) if previous else None

    def _as_deleted(self, entry: Entry) -> JsonObject:
        """The last state, with the revision of the deletion."""
        last = self.before(entry)
        if last is None:
            # Compaction was faster: all that is left is the name.
            *_, namespace, name = entry.key.split("/")
            last = {"metadata": {"namespace": namespace, "name": name}}
        return {**last, "metadata": {**last["metadata"], "resourceVersion": str(entry.revision)}}

    def _on_commit(self, entries: list[Entry]) -> None:
        for entry in entries:
            prefix = _prefix_of(entry.key)
            for watch in tuple(self._by_prefix.get(prefix, {}).values()):
                watch.wake()
            if prefix == PODS.key_prefix and self._by_node:
                self._tell_node(entry, prefix, self.event(entry).object.get("spec", {}).get("nodeName", ""))
            elif prefix == NODES.key_prefix and self._by_node:
                self._tell_node(entry, prefix, entry.key.removeprefix(prefix))

    def _tell_node(self, entry: Entry, prefix: str, node: str) -> None:
        for watch in tuple(self._by_node.get((prefix, node), {}).values()):
            watch.note(entry)


def _prefix_of(key: str) -> str:
    """The prefix of a key's resource: `/registry/pods/`, `/registry/stable.example.com/crontabs/`."""
    end = key.find("/", key.find("/", 1) + 1)
    if "." in key[:end]:
        end = key.find("/", end + 1)
    return key[: end + 1]


class CacheWatch:
    """One watch."""

    def __init__(
        self,
        hub: WatchHub,
        number: int,
        resource: ResourceInfo,
        namespace: str,
        selection: Selection,
        after: int,
        bookmarks: bool,
        wake: Callable[[], None],
    ) -> None:
        self.hub, self.number, self.resource, self.wake = hub, number, resource, wake
        self.namespace = namespace
        self.ends = NEVER
        self.closed = self._finished = False
        self._converts = resource.is_view or resource.custom is not None
        self._selection, self._bookmarks = selection, bookmarks
        self._cursor: Cursor = hub.registry.store.watch(hub.registry.prefix(resource, namespace), after)
        self._ready: deque[WatchEvent] = deque()
        self._last_bookmark = hub.clock.now()

    def begin(self, initial: list[JsonObject] | None, mark_the_end: bool) -> None:
        """Say what there was at the beginning."""
        for obj in initial or []:
            if self._selection.matches(obj):
                self._ready.append(WatchEvent("ADDED", obj, int(obj["metadata"]["resourceVersion"])))
        if mark_the_end:
            self._ready.append(self._bookmark({INITIAL_EVENTS_END: "true"}))

    def poll(self) -> list[WatchEvent]:
        """The events since the last poll, in order."""
        with self.hub.lock:
            events = [] if self.closed else self._poll()
            if events:
                self.hub.sent[self.resource] = self.hub.sent.get(self.resource, 0) + len(events)
            return events

    def _poll(self) -> list[WatchEvent]:
        events = list(self._ready)
        self._ready.clear()
        if self._finished:
            self.close()
            return events
        try:
            for entry in self._entries():
                event = self._seen(entry)
                if event is not None:
                    events.append(event)
        except Compacted as gone:
            error: ApiError = Expired(f"too old resource version: {gone.asked} ({gone.oldest})")
            events.append(WatchEvent("ERROR", error.status))
            self.close()
            return events
        now = self.hub.clock.now()
        if self._bookmarks and not events and now - self._last_bookmark >= BOOKMARK_PERIOD:
            self._last_bookmark = now
            events.append(self._bookmark({}))
        if now >= self.ends:
            self.close()
        return events

    def finish(self) -> None:
        """Nothing more is to come. What happened up to now can still be read, then the watch is closed."""
        with self.hub.lock:
            if not self.closed and not self._finished:
                self._ready.extend(self._poll())
                self._finished = True
                self.hub.close(self)

    def close(self) -> None:
        """Stop watching. Safe to call twice."""
        with self.hub.lock:
            self.closed = True
            self.hub.close(self)

    def _entries(self) -> list[Entry]:
        return self._cursor.poll()

    def _seen(self, entry: Entry) -> WatchEvent | None:
        """A change as this selection sees it: who enters was added, who leaves was deleted."""
        event = self.hub.event(entry)
        if self._converts:
            event = WatchEvent(event.type, from_storage(self.resource, event.object), event.revision)
        if self._selection.everything:
            return event
        before = self.hub.before(entry)
        if before is not None:
            before = from_storage(self.resource, before)
        was = before is not None and self._selection.matches(before)
        if event.type == "DELETED":
            return event if was else None
        if self._selection.matches(event.object):
            wanted = "MODIFIED" if was else "ADDED"
            return event if event.type == wanted else WatchEvent(wanted, event.object, event.revision, event.source)
        if not was or before is None:
            return None
        gone = {**before, "metadata": {**before["metadata"], "resourceVersion": str(entry.revision)}}
        return WatchEvent("DELETED", gone, entry.revision)

    def _bookmark(self, annotations: dict[str, str]) -> WatchEvent:
        revision = self._cursor.position
        metadata: JsonObject = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = {"kind": self.resource.kind, "apiVersion": self.resource.api_version}
        return WatchEvent("BOOKMARK", kind | {"metadata": metadata}, revision)


class NodeWatch(CacheWatch):
    """A watch about one node: the hub notes for it which changes concern it, so it need not look at the others."""

    place = "", ""
    """The prefix of the keys watched, and the node's name."""

    def begin(self, initial: list[JsonObject] | None, mark_the_end: bool) -> None:
        """Say what there was; what changed since then is read from the log, once."""
        super().begin(initial, mark_the_end)
        self._noted = deque(self._cursor.poll())

    def note(self, entry: Entry) -> None:
        """A change that concerns this node."""
        self._noted.append(entry)
        self.wake()

    def _entries(self) -> list[Entry]:
        # Nothing else concerns this watch: with what is noted it has seen everything up to now.
        self._cursor.position = max(self._cursor.position, self.hub.registry.store.revision)
        return [self._noted.popleft() for _ in range(len(self._noted))]
