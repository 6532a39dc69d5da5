"""One object in a cache, decoded when somebody looks at it.

A component's caches hold every object of a kind; what it looks at in the next minute is a few of them. So a cache holds what
the server keeps anyway (the bytes of the log's entry), and only so many typed views are kept: those that were made last, for
anybody in this process. A view goes when no cache holds its object any more, so that those of old revisions take no room. A
cache of 100,000 Pods is small that way.

k8slab's own; client-go's caches hold decoded objects, and share them between the controllers of a process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import orjson

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import Stored, WatchEvent, read_stored

T = TypeVar("T", bound=KubeObject)

VIEWS, AT_REST = 24_000, 4_000
"""Views that are kept while components work, and while nobody does. One of a Pod takes about 12 kB."""
_views: OrderedDict[int, Any] = OrderedDict()
"""The views, by the `id` of what they are made of, the oldest first. Whatever dies takes its view with it."""
_known: WeakValueDictionary[int, Cached[Any]] = WeakValueDictionary()
"""What caches hold, by the `id` of the entry that it was read from: who is told of an entry later shares it."""


def rest() -> None:
    """Nobody works now: keep only the views that were made last. The others are made anew when they are looked at."""
    while len(_views) > AT_REST:
        _views.popitem(last=False)


class Cached(Generic[T]):
    """An object of one kind, as of one revision. Never changes."""

    __slots__ = ("__weakref__", "_kind", "_source", "revision")

    def __init__(self, kind: type[T], event: WatchEvent) -> None:
        self._kind, self.revision = kind, event.revision
        self._source: Stored | bytes = event.source if event.source is not None else orjson.dumps(event.object)

    @classmethod
    def of(cls, kind: type[T], event: WatchEvent) -> Cached[T]:
        """What an event says, shared with all who are told it."""
        if event.source is None:
            return cls(kind, event)
        found: Cached[T] | None = _known.get(id(event.source))
        if found is None or found._kind is not kind:
            found = _known[id(event.source)] = cls(kind, event)
        return found

    def view(self) -> T:
        """The typed view."""
        found: T | None = _views.get(id(self))
        if found is None:
            found = _views[id(self)] = self.decode()
            if len(_views) > VIEWS:
                _views.popitem(last=False)
        return found

    def decode(self) -> T:
        """A view, made anew."""
        value = self._source if isinstance(self._source, bytes) else self._source.value
        assert value is not None, "a deletion is not kept"
        return self._kind.of(read_stored(value, self.revision))

    def __del__(self, forget: Callable[..., Any] = _views.pop) -> None:
        forget(id(self), None)
