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

import orjson

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject, Stored, WatchEvent, read_stored

T = TypeVar("T", bound=KubeObject)

VIEWS = 12_000
"""Views that are kept. One of a Pod takes about 10 kB."""
_views: OrderedDict[int, Any] = OrderedDict()
"""The views, by the `id` of what they are made of, the oldest first. Whatever dies takes its view with it."""


class Cached(Generic[T]):
    """An object of one kind, as of one revision. Never changes."""

    __slots__ = ("_fresh", "_kind", "_source", "revision")

    def __init__(self, kind: type[T], event: WatchEvent) -> None:
        self._kind, self.revision = kind, event.revision
        # Decoded already: good for the first view.
        self._fresh: JsonObject | None = event.object
        self._source: Stored | bytes = event.source if event.source is not None else orjson.dumps(event.object)

    @classmethod
    def of(cls, kind: type[T], event: WatchEvent) -> Cached[T]:
        """What an event says, shared with all who were told it."""
        found: Cached[T] | None = event.views.get(kind)
        if found is None:
            found = event.views[kind] = cls(kind, event)
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
        fresh, self._fresh = self._fresh, None
        return self._kind.of(fresh if fresh is not None else self._read())

    def __del__(self, forget: Callable[..., Any] = _views.pop) -> None:
        forget(id(self), None)

    def _read(self) -> JsonObject:
        value = self._source if isinstance(self._source, bytes) else self._source.value
        assert value is not None, "a deletion is not kept"
        return read_stored(value, self.revision)
