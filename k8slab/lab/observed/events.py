"""What components said about an object: its events.

There are two APIs for the same events, `v1` and `events.k8s.io/v1`, with other names for the same things; access to them is
given separately, so where one is closed the other is tried. Repetition is told in two ways as well: a `count` with a first
and a last time, or a `series`.

An event is about one object by its uid: an earlier object of the same name had events of its own. It names the object's
resourceVersion that the component had in hand. A cluster forgets events, after an hour by default, and a component may drop
some; so what is not there may still have been said.

Models: k8s.io/api/core/v1 (Event), k8s.io/api/events/v1 (Event).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.observed.fields import moment
from k8slab.lab.observed.reading import Listed, Reader, Seen

APIS = ("", "events.k8s.io")
CORE_SELECTOR = "involvedObject.kind={kind},involvedObject.name={name}"


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """One event, whichever API it came by."""

    uid: str
    """Of the object that it is about."""
    name: str
    kind: str
    field_path: str
    """The part of the object that it is about: `spec.containers{web}`."""
    version: str
    """The object's resourceVersion that the component had; opaque."""
    type: str
    reason: str
    message: str
    source: str
    """The component."""
    host: str
    first: float
    last: float
    count: int

    @property
    def who(self) -> str:
        """The component, and the machine that it ran on."""
        return f"{self.source} {self.host}".strip() if self.host != self.source else self.source

    @property
    def said(self) -> str:
        """In words: `BackOff: Back-off restarting failed container, 5 times`."""
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.reason}: {self.message.strip()}{times}"

    def about(self, seen: Seen) -> bool:
        """Whether it is about this object. A kubelet calls its Node by name in the place of the uid."""
        if self.uid:
            return self.uid == seen.uid or (seen.kind.resource.kind == "Node" and self.uid == seen.name)
        return (self.kind, self.name) == (seen.kind.resource.kind, seen.name)


def event_of(raw: JsonObject) -> ClusterEvent:
    """An event of either API."""
    about = raw.get("involvedObject") or raw.get("regarding") or {}
    source = raw.get("source") or raw.get("deprecatedSource") or {}
    series = raw.get("series") or {}
    made = moment(raw["metadata"].get("creationTimestamp")) or 0.0
    told = moment(raw.get("eventTime"))
    first = moment(raw.get("firstTimestamp")) or moment(raw.get("deprecatedFirstTimestamp")) or told or made
    last = moment(series.get("lastObservedTime")) or moment(raw.get("lastTimestamp"))
    last = last or moment(raw.get("deprecatedLastTimestamp")) or told or first
    component = raw.get("reportingController") or raw.get("reportingComponent") or source.get("component")
    return ClusterEvent(
        uid=str(about.get("uid") or ""),
        name=str(about.get("name") or ""),
        kind=str(about.get("kind") or ""),
        field_path=str(about.get("fieldPath") or ""),
        version=str(about.get("resourceVersion") or ""),
        type=str(raw.get("type") or ""),
        reason=str(raw.get("reason") or ""),
        message=str(raw.get("message") or raw.get("note") or ""),
        source=str(component or "(nobody named)"),
        host=str(source.get("host") or ""),
        first=first,
        last=max(first, last),
        count=int(series.get("count") or raw.get("count") or raw.get("deprecatedCount") or 1),
    )


def events_about(reader: Reader, objects: Iterable[Seen]) -> tuple[list[ClusterEvent], tuple[str, ...]]:
    """The events about some objects, in order of their first time; and what could not be seen."""
    wanted = list(objects)
    found: list[ClusterEvent] = []
    lists: list[Listed] = []
    # One object: the server selects. Several of a namespace: one list is cheaper than many.
    for namespace in sorted({each.namespace for each in wanted}):
        here = [each for each in wanted if each.namespace == namespace]
        selector = ""
        if len(here) == 1:
            selector = CORE_SELECTOR.format(kind=here[0].kind.resource.kind, name=here[0].name)
        listed = _listed(reader, namespace, selector)
        if listed is None:
            return [], ("this cluster serves no events",)
        lists.append(listed)
        events = [event_of(item.raw) for item in listed.items]
        found += [event for event in events if any(event.about(each) for each in here)]
    return sorted(found, key=lambda event: (event.first, event.last)), tuple(reader.notes(lists))


def _listed(reader: Reader, namespace: str, selector: str) -> Listed | None:
    """The events of a namespace by the first API that gives any answer; of what has no namespace they may be anywhere."""
    served = [
        kind for group in APIS if (kind := reader.kinds.of(f"{group}/v1" if group else "v1", "Event")) is not None
    ]
    refused: Listed | None = None
    for where in (namespace,) if namespace else ("", "default"):
        for kind in served:
            listed = reader.list(kind, where, "" if kind.resource.group else selector, chosen=True)
            if not listed.problem or listed.items:
                return listed
            refused = refused or listed
    return refused
