"""One object in a cache, decoded when somebody looks at it.

A component's caches hold every object of a kind; what it looks at in the next minute is a few of them. So a cache holds what
the server keeps anyway (the bytes of the log's entry), and the typed view of an object lives only as long as somebody uses
it, or used it lately. All caches of a process share one view of one revision. A cache of 100,000 Pods is small that way.

k8slab's own; client-go's caches hold decoded objects, and share them between the controllers of a process.
"""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ref

import orjson

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject, Stored, WatchEvent

T = TypeVar("T", bound=KubeObject)


class Cached(Generic[T]):
    """An object of one kind, as of one revision. Never changes."""

    __slots__ = ("_kind", "_source", "_view", "revision")

    def __init__(self, kind: type[T], source: Stored | bytes, revision: int, view: T) -> None:
        self._kind, self._source = kind, source
        self._view = ref(view)
        self.revision = revision

    @classmethod
    def of(cls, kind: type[T], event: WatchEvent) -> tuple[Cached[T], T]:
        """What an event says, shared with all who were told it, and its view."""
        found = event.views.get(kind)
        if found is not None:
            return found, found.view()
        view = kind.of(event.object)
        source = event.source if event.source is not None else orjson.dumps(event.object)
        made = event.views[kind] = cls(kind, source, event.revision, view)
        return made, view

    def view(self) -> T:
        """The typed view: the same as long as somebody holds it, else made anew."""
        view = self._view()
        if view is None:
            view = self._kind.of(self._decode())
            self._view = ref(view)
        return view

    def _decode(self) -> JsonObject:
        value = self._source if isinstance(self._source, bytes) else self._source.value
        assert value is not None, "a deletion is not kept"
        found: JsonObject = orjson.loads(value)
        found["metadata"]["resourceVersion"] = str(self.revision)
        return found
