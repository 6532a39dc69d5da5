"""A cache that follows a watch.

An informer lists once, then watches from there on (`reflector.py`). Its owner drains it: the events since then are applied to
the cache in one go, and each change is told (`on_change`).

Indexes map a value (a node's name, an owner's UID) to the objects that have it; a `Tally` keeps sums over such groups, so
that nobody scans all Pods to count the ready ones.

Models: k8s.io/client-go/tools/cache (shared_informer.go, thread_safe_store.go).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client.cached import Cached
from k8slab.client.client import Client
from k8slab.client.reflector import Reflector, key_of
from k8slab.clock import NEVER

T = TypeVar("T", bound=KubeObject)
OnChange = Callable[[T | None, T | None], None]
"""Called with (old, new): old None for what is new, new None for what is gone."""


class Informer(Reflector, Generic[T]):
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
        accept: Callable[[T], bool] | None = None,
        wake: Callable[[], None] | None = None,
    ) -> None:
        """`accept`: which objects are of interest; the others cost a look, and are not kept."""
        super().__init__(client, kind.resource, namespace=namespace, labels=labels, fields=fields, wake=wake)
        self._kind = kind
        self._accept = accept
        self._indexers = dict(indexers or {})
        self._listeners: list[OnChange[T]] = [on_change] if on_change else []
        self._cache: dict[str, Cached[T]] = {}
        # index name -> value -> the keys that have it, sorted
        self._indexes: dict[str, dict[str, list[str]]] = {name: {} for name in self._indexers}

    def listen(self, on_change: OnChange[T]) -> None:
        """Tell this function too of each change from now on."""
        self._listeners.append(on_change)

    def get(self, key: str) -> T | None:
        """The object with the key `namespace/name`, as the cache knows it."""
        found = self._cache.get(key)
        return found.view() if found is not None else None

    def cached(self, key: str) -> Cached[T] | None:
        """The same, to be kept for long: it is decoded only when somebody looks."""
        return self._cache.get(key)

    def by_index(self, index: str, value: str) -> list[T]:
        """The objects that an indexer gave this value, by key."""
        return [self._cache[key].view() for key in self._indexes[index].get(value, ())]

    def count(self, index: str, value: str) -> int:
        """How many those are."""
        return len(self._indexes[index].get(value, ()))

    def values(self, index: str) -> Iterable[str]:
        """The values that an indexer gave, sorted."""
        return sorted(self._indexes[index])

    def list(self) -> list[T]:
        """All objects, by key."""
        return [self._cache[key].view() for key in sorted(self._cache)]

    def __len__(self) -> int:
        return len(self._cache)

    def _known(self) -> Collection[str]:
        return self._cache

    def _forget(self, key: str) -> None:
        self._put(key, None)

    def rest(self) -> None:
        """Watch no longer, and forget what is known, until `follow`: nobody needs it now, so it should cost nothing."""
        self._stop()
        self.stale, self.synced, self.release = False, False, NEVER
        self._cache.clear()
        for index in self._indexes.values():
            index.clear()

    def follow(self) -> None:
        """Watch again, if it rests: the next look lists, and tells of everything that is there as new."""
        if self._watch is None:
            self.stale = True

    def _apply(self, event: WatchEvent) -> bool:
        """Apply one event; False if it is older than what is known."""
        new = Cached.of(self._kind, event) if event.type != "DELETED" else None
        key = new.view().key if new is not None else key_of(event.object)
        old = self._cache.get(key)
        if old is not None and event.revision and old.revision >= event.revision:
            return False
        if new is not None and self._accept is not None and not self._accept(new.view()):
            new = None
        if new is None and old is None:
            return False
        self.observer.told(self._kind.resource.plural, key, event)
        if new is not None and old is not None and old.view().uid != new.view().uid:
            self._put(key, None)  # it went and came back between two looks: two objects of one name
        self._put(key, new)
        self.observer.taken_in()
        return True

    def _put(self, key: str, cached: Cached[T] | None) -> None:
        """Put an object into the cache and the indexes, or out of them, and tell."""
        before = self._cache.get(key)
        old = before.view() if before is not None else None
        new = cached.view() if cached is not None else None
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
        else:
            self._cache[key] = cached
        for tell in self._listeners:
            tell(old, new)


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
