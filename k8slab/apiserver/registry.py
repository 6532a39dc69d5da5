"""Objects in the store: keys, bytes, revisions.

etcd knows keys and bytes; the handlers know objects. In between, an object is orjson bytes without its resourceVersion,
which *is* the revision of its entry. Bytes are decoded once per revision and shared, read-only, in a bounded cache.

Writes are optimistic: read, change a copy, and commit if nobody was faster, else again from the newest state.

Models: k8s.io/apiserver/pkg/registry/generic/registry/store.go, pkg/storage/etcd3/store.go (GuaranteedUpdate).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from k8slab.apimachinery.errors import AlreadyExists, Conflict, NotFound
from k8slab.apimachinery.managed import MANAGED, private_copy, share
from k8slab.apimachinery.rest import JsonObject, read_stored
from k8slab.apiserver.conversion import from_storage, to_storage
from k8slab.apiserver.resources import ResourceInfo
from k8slab.clock import Clock
from k8slab.etcd.store import Delete, Entry, Expect, Put, Store
from k8slab.names import Chance

CACHE_SIZE = 4_000
"""Decoded objects that are kept. A decoded Pod takes about 10 kB."""
EVENT_TTL = 3600.0
EVENT_LEASE_SPAN = 60.0
"""Events of the same minute share a lease."""

Change = Callable[[JsonObject], JsonObject | None]


@dataclass(frozen=True, slots=True)
class ObjectList:
    """What a list found."""

    items: list[JsonObject]
    revision: int
    remaining: int
    """How many more there are after a limit cut the list."""
    next_start: str
    """The key to go on from; empty at the end."""


@dataclass(frozen=True, slots=True)
class EntryList:
    """The same, not decoded."""

    entries: Sequence[Entry]
    revision: int
    remaining: int
    next_start: str


class Registry:
    """All objects, by resource, namespace and name."""

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self.store, self.clock, self.chance = store, clock, chance
        self._decoded: OrderedDict[int, JsonObject] = OrderedDict()
        self._event_lease = (0, -1)

    # Keys and bytes.

    @staticmethod
    def key(resource: ResourceInfo, namespace: str, name: str) -> str:
        """The key of one object."""
        return f"{resource.key_prefix}{namespace}/{name}" if resource.namespaced else resource.key_prefix + name

    @staticmethod
    def prefix(resource: ResourceInfo, namespace: str = "") -> str:
        """The prefix of a resource's keys, in one namespace or in all."""
        return f"{resource.key_prefix}{namespace}/" if resource.namespaced and namespace else resource.key_prefix

    def decode(self, entry: Entry) -> JsonObject:
        """The object of an entry: shared, read-only."""
        found = self._decoded.get(entry.revision)
        # Entries of one transaction share a revision: the name tells them apart.
        if found is None or not entry.key.endswith(found["metadata"]["name"]):
            value = entry.value
            assert value is not None, "a deletion has no object"
            found = read_stored(value, entry.revision)
            share(found["metadata"].get(MANAGED) or [])
            self._remember(entry.revision, found)
        return found

    def _remember(self, revision: int, obj: JsonObject) -> None:
        self._decoded[revision] = obj
        if len(self._decoded) > CACHE_SIZE:
            self._decoded.popitem(last=False)

    # Reading.

    def find(self, resource: ResourceInfo, namespace: str, name: str) -> JsonObject | None:
        """One object, None if there is none."""
        entry = self.store.get(self.key(resource, namespace, name))
        return from_storage(resource, self.decode(entry)) if entry else None

    def get(self, resource: ResourceInfo, namespace: str, name: str) -> JsonObject:
        """One object. Raises NotFound."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise NotFound.named(resource.group, resource.plural, name)
        return found

    def list(
        self, resource: ResourceInfo, namespace: str = "", revision: int = 0, limit: int = 0, start: str = ""
    ) -> ObjectList:
        """The objects of a resource in key order, of one namespace or of all, now or as of a revision."""
        found = self.entries(resource, namespace, revision, limit, start)
        items = [from_storage(resource, self.decode(entry)) for entry in found.entries]
        return ObjectList(items, found.revision, found.remaining, found.next_start)

    def entries(
        self, resource: ResourceInfo, namespace: str = "", revision: int = 0, limit: int = 0, start: str = ""
    ) -> EntryList:
        """The same, as they are stored."""
        prefix = self.prefix(resource, namespace)
        found = self.store.range(prefix, revision, limit, prefix + start if start else "")
        if not found.more:
            return EntryList(found.entries, found.revision, 0, "")
        after = found.entries[-1].key + "\0"
        return EntryList(found.entries, found.revision, found.count - len(found.entries), after.removeprefix(prefix))

    def start_after(self, resource: ResourceInfo, namespace: str, obj: JsonObject) -> str:
        """The `start` of a list of `namespace`, or of all, that goes on after an object."""
        meta = obj["metadata"]
        key = self.key(resource, meta.get("namespace", ""), meta["name"])
        return key.removeprefix(self.prefix(resource, namespace)) + "\0"

    def holds(self, resource: ResourceInfo, namespace: str = "") -> bool:
        """Whether there is any object of a resource, in one namespace or in all."""
        return self.store.count(self.prefix(resource, namespace)) > 0

    # Writing.

    def create(self, resource: ResourceInfo, namespace: str, obj: JsonObject, dry_run: bool = False) -> JsonObject:
        """Store a new object. Raises AlreadyExists."""
        name = obj["metadata"]["name"]
        key = self.key(resource, namespace, name)
        if dry_run:
            if self.store.get(key):
                raise AlreadyExists.named(resource.group, resource.plural, name)
            return obj
        stored = to_storage(resource, obj)
        made = self.store.transact([Expect(key, 0)], [Put(key, _encode(stored), self._lease(resource))])
        if made is None:
            raise AlreadyExists.named(resource.group, resource.plural, name)
        return from_storage(resource, self._committed(stored, made[0].revision))

    def update(
        self, resource: ResourceInfo, namespace: str, name: str, change: Change, dry_run: bool = False
    ) -> JsonObject:  # fmt: skip
        """Put what `change` makes of the newest object in its place, again if somebody was faster.

        `change` is given the shared object, and returns a new one, or None to delete it. What changes nothing writes
        nothing. Returns the object as it is then (of a deleted one the last state). Raises NotFound.
        """
        key = self.key(resource, namespace, name)
        while True:
            entry = self.store.get(key)
            if entry is None or entry.deleted:
                raise NotFound.named(resource.group, resource.plural, name)
            old = from_storage(resource, self.decode(entry))
            new = change(old)
            if new is None:
                if dry_run:
                    return old
                made = self.store.transact([Expect(key, entry.revision)], [Delete(key)])
                if made is not None:
                    return {**old, "metadata": {**old["metadata"], "resourceVersion": str(made[0].revision)}}
                continue
            stored = to_storage(resource, new)
            value = _encode(stored)
            if value == entry.value or new == old:
                return old
            if dry_run:
                return new
            made = self.store.transact([Expect(key, entry.revision)], [Put(key, value, entry.lease)])
            if made is not None:
                return from_storage(resource, self._committed(stored, made[0].revision))

    def guaranteed_update(
        self,
        resource: ResourceInfo,
        namespace: str,
        name: str,
        change: Change,
        *,
        uid: str = "",
        resource_version: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """The same with preconditions, for a `change` that works on a private copy. Raises NotFound, Conflict."""

        def on_a_copy(old: JsonObject) -> JsonObject | None:
            self.check(resource, old, uid, resource_version)
            return change(private_copy(old))

        return self.update(resource, namespace, name, on_a_copy, dry_run)

    def delete(self, resource: ResourceInfo, namespace: str, name: str) -> JsonObject:
        """Remove an object at once; its last state, with the revision of its deletion. Raises NotFound."""
        return self.update(resource, namespace, name, lambda obj: None)

    @staticmethod
    def check(resource: ResourceInfo, obj: JsonObject, uid: str = "", resource_version: str = "") -> None:
        """Whether an object is still the one that was meant. Raises Conflict."""
        meta = obj["metadata"]
        for what, asked, found in (
            ("UID", uid, meta["uid"]),
            ("ResourceVersion", resource_version, meta["resourceVersion"]),
        ):
            if asked and asked != found:
                why = f"Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
                raise Conflict.named(resource.group, resource.plural, meta["name"], why)

    def _committed(self, obj: JsonObject, revision: int) -> JsonObject:
        """The object that was just encoded is the decoded form of its entry: nobody needs to decode it again."""
        obj["metadata"]["resourceVersion"] = str(revision)
        self._remember(revision, obj)
        return obj

    def _lease(self, resource: ResourceInfo) -> int:
        """Events end an hour after they were written; all that are written within a minute end together."""
        if resource.plural != "events":
            return 0
        minute = int(self.clock.now() // EVENT_LEASE_SPAN)
        if self._event_lease[1] != minute:
            self._event_lease = (self.store.grant_lease(EVENT_TTL + EVENT_LEASE_SPAN), minute)
        return self._event_lease[0]


def _encode(obj: JsonObject) -> bytes:
    """An object's bytes, without the resourceVersion: that is the entry's revision."""
    meta = obj["metadata"]
    if "resourceVersion" in meta:
        obj = {**obj, "metadata": {k: v for k, v in meta.items() if k != "resourceVersion"}}
    # Copied, because orjson's own bytes keep the 4 kB or more of their buffer.
    return bytes(memoryview(orjson.dumps(obj)))
