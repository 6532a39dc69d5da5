"""A list, and a watch from there on: how a component learns what there is.

A reflector lists a resource once, then watches from the list's revision on. Its owner drains it: the events since then are
taken in, in one go. When the watch breaks off it lists again and works out what changed; a deletion that was missed is found
that way. Events that are older than what is known are ignored, so that a watch may repeat itself.

What is made of the events is for whoever derives from it: an informer (`informer.py`) keeps a cache of typed objects; the
garbage collector's monitors keep no objects at all, only who owns whom.

Models: k8s.io/client-go/tools/cache/reflector.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from sys import intern

from k8slab.apimachinery.rest import JsonObject, Watch, WatchEvent
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.clock import NEVER
from k8slab.observer import QUIET, Observer


class Reflector:
    """Follows the objects of one resource, of one namespace or of all, chosen by selectors."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        wake: Callable[[], None] | None = None,
    ) -> None:
        self.resource = resource
        self._client, self._owner_wake = client, wake
        self._namespace, self._labels, self._fields = namespace, labels, fields
        self._watch: Watch | None = None
        self._revision = 0
        self.stale = True
        """Whether it is worth while to drain: a component with 25 informers need not ask 24 of them in vain."""
        self.release = NEVER
        """When the watch lets go of events that it holds back; infinity for one that holds none back, as most do."""
        self.synced = False
        """Whether it has listed once."""
        self.observer: Observer = QUIET

    def drain(self) -> bool:
        """Take in what happened since the last time. True if anything changed."""
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

    def close(self) -> None:
        """Stop watching. Safe to call twice."""
        self._stop()

    # For whoever derives from it.

    def _apply(self, event: WatchEvent) -> bool:
        """Take in one event; False if it is older than what is known."""
        raise NotImplementedError

    def _known(self) -> Collection[str]:
        """The keys of all objects that are known."""
        raise NotImplementedError

    def _forget(self, key: str) -> None:
        """An object is gone: the list no longer has it."""
        raise NotImplementedError

    # List and watch.

    def _relist(self) -> bool:
        """List, find out what changed, and watch from there on. True if anything changed."""
        query = {
            name: text for name, text in (("labelSelector", self._labels), ("fieldSelector", self._fields)) if text
        }
        found = self._client.raw("GET", self.resource.path(self._namespace), query=query)
        revision = found["metadata"]["resourceVersion"]
        changed = False
        seen = set()
        for raw in found["items"]:
            # A list leaves apiVersion and kind out of its items when it comes over the wire.
            event = WatchEvent("MODIFIED", raw, int(raw["metadata"]["resourceVersion"]))
            seen.add(key_of(raw))
            changed = self._apply(event) or changed
        for key in sorted(set(self._known()) - seen):
            self.observer.told(self.resource.plural, key, WatchEvent("DELETED", {}, int(revision)))
            self._forget(key)
            self.observer.taken_in()
            changed = True
        self._revision = int(revision)
        self._watch = self._client.watch(
            self.resource,
            self._namespace,
            resource_version=revision,
            labels=self._labels,
            fields=self._fields,
            wake=self._wake,
        )
        self.stale = True
        self.synced = True
        return changed

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


def key_of(raw: JsonObject) -> str:
    """`namespace/name`, or `name` for cluster-scoped kinds: as workqueues name an object."""
    meta = raw["metadata"]
    return intern(f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"])
