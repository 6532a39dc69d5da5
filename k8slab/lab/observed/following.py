"""Watches of some kinds, followed: changes as they come.

Each kind is listed once and watched from there, so of one kind nothing is missed and the order is the server's. Between two
kinds there is no order but that in which their changes came to this machine: two watches are two streams, and a
resourceVersion of one says nothing about the other (they are opaque, and only compared for equality).

A watch that ends is taken up where it ended. Where the server has forgotten that place (410 Gone), the kind is listed again:
what differs is told as changes "in a gap", without their order and without what happened between. Nothing here waits or owns a
thread: `poll` says what came, `wake` is called when a poll is worth while.

Models: k8s.io/client-go/tools/cache/reflector.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from k8slab.apimachinery.errors import ApiError, Forbidden
from k8slab.apimachinery.rest import Watch, WatchEvent
from k8slab.clock import Clock
from k8slab.lab.observed.fields import changed_fields
from k8slab.lab.observed.kinds import Kind
from k8slab.lab.observed.read_only import ConnectError
from k8slab.lab.observed.reading import METADATA, Reader, Seen

AGAIN_SECONDS = 1.0
"""Before a watch that ended without bringing anything is opened again."""
WORDS = {"ADDED": "created", "MODIFIED": "changed", "DELETED": "deleted"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object, as it came."""

    number: int
    """In order of arrival, from 1; of one kind that is the order in which the server made them."""
    at: float
    """When it came, by this machine's clock."""
    type: str
    """ADDED, MODIFIED, DELETED."""
    after: Seen
    """For DELETED the last state."""
    before: Seen | None
    """As it was known before; None for a new one."""
    gap: bool = False
    """Found by listing again: what happened between is not known, nor in which order."""

    @property
    def version(self) -> str:
        """The object's resourceVersion after the change; opaque."""
        return str(self.after.meta.get("resourceVersion") or "")

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields changed; empty for what is new or gone."""
        if self.type != "MODIFIED" or self.before is None:
            return ()
        return tuple(changed_fields(self.before.raw, self.after.raw))

    def __str__(self) -> str:
        fields = self.fields
        more = f": {', '.join(fields[:2])}" if fields else ""
        more += f" and {len(fields) - 2} more" if len(fields) > 2 else ""
        return f"#{self.number} {self.after.title} {WORDS[self.type]}{more}" + (" (in a gap)" if self.gap else "")


@dataclass(slots=True)
class _Followed:
    """A kind that is followed."""

    kind: Kind
    known: dict[str, Seen] = field(default_factory=dict)
    """The newest state of each object, by uid."""
    version: str = ""
    """From where the watch goes on; empty: the kind must be listed first."""
    watch: Watch | None = None
    quiet: bool = True
    """The open watch has brought nothing so far."""
    again: float = 0.0
    """No new watch before this time."""
    over: bool = False


class Follower:
    """Follows the changes of some kinds, in a namespace or everywhere."""

    def __init__(
        self, reader: Reader, kinds: list[Kind], namespace: str, clock: Clock, wake: Callable[[], None] | None = None
    ) -> None:
        self._reader, self._namespace, self._clock, self._wake = reader, namespace, clock, wake
        self._followed = [_Followed(kind) for kind in kinds]
        self._count = 0
        self.notes: list[str] = []
        """What is not followed, or was not for a while."""

    def start(self) -> None:
        """List everything and open the watches: what happens from now on is seen."""
        for each in self._followed:
            each.known = {item.uid: item for item in self._list(each)}
            self._open(each)

    def poll(self) -> list[Change]:
        """The changes since the last poll."""
        return [change for each in self._followed if not each.over for change in self._poll(each)]

    @property
    def over(self) -> bool:
        """Whether nothing is followed any more."""
        return all(each.over for each in self._followed)

    def close(self) -> None:
        """Stop following. Safe to call twice."""
        for each in self._followed:
            if each.watch is not None:
                each.watch.close()
            each.watch, each.over = None, True

    def _poll(self, each: _Followed) -> Iterator[Change]:
        if each.watch is None and self._clock.now() >= each.again:
            yield from self._resume(each)
        if each.watch is None:
            return
        for event in each.watch.poll():
            each.quiet = False
            yield from self._take(each, event)
        if each.watch is not None and each.watch.closed:
            each.watch = None
            each.again = self._clock.now() + (AGAIN_SECONDS if each.quiet else 0.0)

    def _resume(self, each: _Followed) -> Iterator[Change]:
        """Watch again; a server that is away for a while is asked again."""
        try:
            if not each.version:
                yield from self._catch_up(each)
            self._open(each)
        except ConnectError as error:
            self.notes.append(f"{each.kind.name}: {error}")
            each.again = self._clock.now() + AGAIN_SECONDS

    def _take(self, each: _Followed, event: WatchEvent) -> Iterator[Change]:
        if event.type == "ERROR":
            self.notes.append(
                f"{each.kind.name}: the watch broke off ({event.object.get('message') or 'no reason given'})"
            )
            if each.watch is not None:
                each.watch.close()
            each.watch, each.version, each.again = None, "", self._clock.now() + AGAIN_SECONDS
            return
        each.version = str((event.object.get("metadata") or {}).get("resourceVersion") or each.version)
        if event.type not in WORDS:  # a bookmark
            return
        after = self._reader.seen(each.kind, event.object)
        yield self._change(each, event.type, after)

    def _change(self, each: _Followed, type_: str, after: Seen, gap: bool = False) -> Change:
        self._count += 1
        before = each.known.get(after.uid)
        if type_ == "DELETED":
            each.known.pop(after.uid, None)
        else:
            each.known[after.uid] = after
        return Change(self._count, self._clock.now(), type_, after, before, gap)

    def _list(self, each: _Followed) -> list[Seen]:
        listed = self._reader.list(each.kind, self._namespace, chosen=True)
        if listed.problem:
            self.notes.append(f"{each.kind.name}: {listed.problem}")
            each.over = True
        each.version = listed.version
        return listed.items

    def _catch_up(self, each: _Followed) -> Iterator[Change]:
        """What differs between what was known and a new list."""
        now = {item.uid: item for item in self._list(each)}
        if each.over:
            return
        for gone in [seen for uid, seen in each.known.items() if uid not in now]:
            yield self._change(each, "DELETED", gone, gap=True)
        for uid, seen in now.items():
            known = each.known.get(uid)
            if known is None:
                yield self._change(each, "ADDED", seen, gap=True)
            elif known.meta.get("resourceVersion") != seen.meta.get("resourceVersion"):
                yield self._change(each, "MODIFIED", seen, gap=True)

    def _open(self, each: _Followed) -> None:
        if each.over:
            return
        query: dict[str, str] = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": each.version}
        accept = METADATA if each.kind.secret else "application/json"
        path = each.kind.resource.path(self._namespace)
        each.quiet = True
        try:
            each.watch = self._reader.client.request("GET", path, query=query, accept=accept, wake=self._wake).watch
        except ApiError as error:
            if error.status.get("code") == 410:
                each.version, each.again = "", self._clock.now()
                return
            each.over = True
            reason = "not allowed to watch" if isinstance(error, Forbidden) else f"cannot be watched ({error.message})"
            self.notes.append(f"{each.kind.name}: {reason}")
