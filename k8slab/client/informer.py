"""A cache that follows a watch.

An informer lists once, then watches from the list's revision on. Its owner drains it: the events since then are applied to
the cache in one go, and each change is told (`on_change`). When the watch breaks off it lists again and works out what
changed; a deletion that was missed is found that way. Events that are older than the cache are ignored, so that a watch may
repeat itself.

Indexes map a value (a node's name, an owner's UID) to the objects that have it; a `Tally` keeps sums over such groups, so
that nobody scans all Pods to count the ready ones.

Models: k8s.io/client-go/tools/cache (reflector.go, shared_informer.go, thread_safe_store.go).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import Watch, WatchEvent
from k8slab.client.cached import Cached
from k8slab.client.client import Client
from k8slab.clock import NEVER
from k8slab.observer import QUIET, Observer

T = TypeVar("T", bound=KubeObject)
RECENT = 20_000
"""Objects of an informer whose views live on after they were looked at."""
OnChange = Callable[[T | None, T | None], None]
"""Called with (old, new): old None for what is new, new None for what is gone."""


class Informer(Generic[T]):
    """The objects of one kind, of one namespace or of all, chosen by selectors."""

    def __init__(
        self,
        client: Client,
        kind: type[T],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        indexers: Mapping[str, Callable[[T], Iterable[str]]] | None = None,
        on_change: OnChange[T] | None = None,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._client, self._kind, self._owner_wake = client, kind, wake
        self._namespace, self._labels, self._fields = namespace, labels, fields
        self._indexers = dict(indexers or {})
        self._listeners: list[OnChange[T]] = [on_change] if on_change else []
        self._cache: dict[str, Cached[T]] = {}
        self._recent: OrderedDict[str, T] = OrderedDict()
        # index name -> value -> the keys that have it, sorted
        self._indexes: dict[str, dict[str, list[str]]] = {name: {} for name in self._indexers}
        self._watch: Watch | None = None
        self._revision = 0
        self.stale = True
        """Whether it is worth while to drain: a component with 25 informers need not ask 24 of them in vain."""
        self.release = NEVER
        """When the watch lets go of events that it holds back; infinity for one that holds none back, as most do."""
        self.synced = False
        """Whether the cache has been filled once."""
        self.observer: Observer = QUIET

    def listen(self, on_change: OnChange[T]) -> None:
        """Tell this function too of each change from now on."""
        self._listeners.append(on_change)

    def drain(self) -> bool:
        """Bring the cache up to date. True if anything changed."""
        if self._watch is None:
            return self._relist()
        self.stale = False  # before the poll, so that what comes during it is not missed
        changed = False
        events = self._watch.poll()
        self.release = self._next_release()
        for event in events:
            if event.type == "ERROR":
                self._stop()
                return self._relist() or changed
            if event.type == "BOOKMARK":
                self._revision = max(self._revision, event.revision)
                continue
            if event.revision < self._revision:
                continue  # the watch repeats itself: what it tells may have been deleted since
            self._revision = event.revision
            changed = self._apply(event) or changed
        if self._watch.closed:
            self._stop()
            return self._relist() or changed
        return changed

    def get(self, key: str) -> T | None:
        """The object with the key `namespace/name`, as the cache knows it."""
        found = self._cache.get(key)
        return self._look(key, found) if found is not None else None

    def by_index(self, index: str, value: str) -> list[T]:
        """The objects that an indexer gave this value, by key."""
        return [self._look(key, self._cache[key]) for key in self._indexes[index].get(value, ())]

    def count(self, index: str, value: str) -> int:
        """How many those are."""
        return len(self._indexes[index].get(value, ()))

    def list(self) -> list[T]:
        """All objects, by key."""
        return [self._look(key, self._cache[key]) for key in sorted(self._cache)]

    def __len__(self) -> int:
        return len(self._cache)

    def close(self) -> None:
        """Stop watching. Safe to call twice."""
        self._stop()

    def _relist(self) -> bool:
        """List, find out what changed, and watch from there on. True if anything changed."""
        resource = self._kind.resource
        query = {
            name: text for name, text in (("labelSelector", self._labels), ("fieldSelector", self._fields)) if text
        }
        found = self._client.raw("GET", resource.path(self._namespace), query=query)
        revision = found["metadata"]["resourceVersion"]
        changed = False
        seen = set()
        for raw in found["items"]:
            # A list leaves apiVersion and kind out of its items when it comes over the wire.
            event = WatchEvent("MODIFIED", raw, int(raw["metadata"]["resourceVersion"]))
            meta = raw["metadata"]
            seen.add(f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"])
            changed = self._apply(event) or changed
        for key in sorted(set(self._cache) - seen):
            self.observer.told(resource.plural, key, WatchEvent("DELETED", {}, int(revision)))
            self._put(key, None)
            self.observer.taken_in()
            changed = True
        self._revision = int(revision)
        self._watch = self._client.watch(
            self._kind,
            self._namespace,
            resource_version=revision,
            labels=self._labels,
            fields=self._fields,
            wake=self._wake,
        )
        self.stale = True
        self.synced = True
        return changed

    def _apply(self, event: WatchEvent) -> bool:
        """Apply one event; False if it is older than what is known."""
        new, view = Cached.of(self._kind, event)
        key = view.key
        old = self._cache.get(key)
        if old is not None and event.revision and old.revision >= event.revision:
            return False
        if event.type == "DELETED" and old is None:
            return False
        self.observer.told(self._kind.resource.plural, key, event)
        if event.type == "DELETED":
            self._put(key, None)
        else:
            if old is not None and self._look(key, old).uid != view.uid:
                self._put(key, None)  # it went and came back between two looks: two objects of one name
            self._put(key, new)
        self.observer.taken_in()
        return True

    def _look(self, key: str, cached: Cached[T]) -> T:
        """The view of an object, which now lives on for a while."""
        view = self._recent[key] = cached.view()
        self._recent.move_to_end(key)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return view

    def _put(self, key: str, cached: Cached[T] | None) -> None:
        """Put an object into the cache and the indexes, or out of them, and tell."""
        before = self._cache.get(key)
        old = before.view() if before is not None else None
        new = self._look(key, cached) if cached is not None else None
        for name, indexer in self._indexers.items():
            was = indexer(old) if old is not None else ()
            now = indexer(new) if new is not None else ()
            if was == now:
                continue
            left, entered = set(was) - set(now), set(now) - set(was)
            index = self._indexes[name]
            for value in sorted(left):
                keys = index[value]
                del keys[bisect_left(keys, key)]
                if not keys:
                    del index[value]
            for value in sorted(entered):
                insort(index.setdefault(value, []), key)
        if cached is None:
            del self._cache[key]
            self._recent.pop(key, None)
        else:
            self._cache[key] = cached
        for tell in self._listeners:
            tell(old, new)

    def _next_release(self) -> float:
        release: Callable[[], float] = getattr(self._watch, "next_release", lambda: NEVER)
        return release()

    def _wake(self) -> None:
        self.stale = True
        if self._owner_wake is not None:
            self._owner_wake()

    def _stop(self) -> None:
        self.stale = True  # also if the list that should follow fails: then the next look lists
        if self._watch is not None:
            self._watch.close()
            self._watch = None


class Tally(Generic[T]):
    """Running sums over groups of an informer's objects: ready Pods by owner, requested CPU by node."""

    def __init__(
        self, informer: Informer[T], group: Callable[[T], Hashable | None], count: Callable[[T], tuple[int, ...]]
    ) -> None:
        self._group, self._count = group, count
        self._sums: dict[Any, list[int]] = {}
        self._members: dict[Any, int] = {}
        informer.listen(self._on_change)

    def get(self, group: Hashable, size: int) -> tuple[int, ...]:
        """The sums of a group: as many numbers as `count` gives; zeros for a group without members."""
        return tuple(self._sums.get(group, (0,) * size))

    def _on_change(self, old: T | None, new: T | None) -> None:
        for obj, sign in ((old, -1), (new, 1)):
            if obj is None:
                continue
            group = self._group(obj)
            if group is None:
                continue
            counts = self._count(obj)
            sums = self._sums.setdefault(group, [0] * len(counts))
            for place, number in enumerate(counts):
                sums[place] += sign * number
            members = self._members.get(group, 0) + sign
            self._members[group] = members
            if not members:
                del self._members[group], self._sums[group]
