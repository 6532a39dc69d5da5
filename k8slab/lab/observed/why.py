"""Why something is as it is on a cluster that is not ours: everything that is written down about it, put together.

    who owns it             owner references, up to the first owner
    who wrote it            managedFields: manager, operation, subresource, and when it last wrote anything
    what was said of it     events, and those of its owners that name it
    what changed just before    recorded watches, if somebody recorded

What is missing is the middle: a controller is woken by watch events, and no cluster records by which. k8slab does
(`k8slab/lab/why.py`), so the answer says to look there.

k8slab's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from k8slab.lab.observed.events import ClusterEvent
from k8slab.lab.observed.fields import MISSING, changed_fields, moment, reached, shown, walk
from k8slab.lab.observed.following import Change
from k8slab.lab.observed.links import KNOWN, LIKELY, UNKNOWN, Link, ObservedWhy
from k8slab.lab.observed.managers import MERGED, Manager, claim, managers
from k8slab.lab.observed.ownership import Owner, object_node, owner_node
from k8slab.lab.observed.reading import Seen

WHICH_WATCH_EVENT = (
    "which watch event made {who} act is not recorded by a real cluster; run this on k8slab to see it: "
    "Cluster().why(...)"
)
WHICH_USER = "which user that was: a manager's name is what the client called itself; users stand in the audit log only"
CLAIMS = {"it": "wrote it", "all of it": "wrote it with all that is around it", "parts": "wrote parts of it"}
NO_MANAGERS = "who wrote it: this server keeps no managedFields for it"
NO_MANAGER = (
    "who wrote this field: no manager claims it, as with what the server itself fills in (defaults, uid, times)"
)
NO_EVENTS = "what was said about it: no event is left; a cluster forgets them, after an hour by default"
NO_RECORDING = "what changed just before: nothing was recorded; next time, lab.record('30s') while it happens"
NO_CHANGE = "what changed just before: no such change came while it was recorded"
SAME_VERSION = "event and watch name the same resourceVersion"
WHOLE_SECOND = 1.0
"""Times of the API are cut to whole seconds."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read about an object."""

    seen: Seen
    owners: Sequence[Owner]
    events: Sequence[ClusterEvent]
    """About the object and its owners."""
    changes: Sequence[Change]
    """Recorded, in order of arrival."""
    recorded: bool
    """Whether anything was recorded of its kind."""
    notes: tuple[str, ...] = ()


def why(found: Evidence, field: str = "") -> ObservedWhy:
    """The answer. Raises ValueError for a field that there is not."""
    seen, now = found.seen, ""
    writers, missing = _writers(seen, field)
    if field:
        _, value = walk(seen.raw, field)
        now = shown(value)
    nodes = {owner.id: owner_node(owner) for owner in reversed(found.owners)}
    nodes[seen.id] = object_node(seen, lit=True)
    links = [*_owners(found), *writers, *_events(found), *_before(found, field)]
    links += (Link(UNKNOWN, None, "", text, "not recorded", seen.id, "unknown") for text in [missing, *_gaps(found)])
    asked = f"{seen.title}: {field}" if field else seen.title
    return ObservedWhy(asked, now, nodes.values(), links, found.notes)


def _owners(found: Evidence) -> Iterator[Link]:
    for owner in reversed(found.owners):
        how = "as its controller" if owner.controls else "but does not control it"
        state = f" ({owner.state})" if owner.state else ""
        at = moment(owner.of.meta.get("creationTimestamp"))
        yield Link(
            KNOWN, at, owner.title, f"owns {owner.of.title}, {how}{state}", "ownerReferences", owner.of.id, "", owner.id
        )
        if owner.found is not None and not owner.found.owners:
            yield from _makers(owner.found)


def _makers(root: Seen) -> Iterator[Link]:
    """Who wrote the first owner: the nearest thing to a person in the whole story."""
    for manager in managers(root.meta):
        if not manager.subresource:
            yield _written(manager, root, f"wrote {root.title}")


def _writers(seen: Seen, field: str) -> tuple[list[Link], str]:
    """Who wrote the object, or the field; and what cannot be said about that."""
    found = managers(seen.meta)
    links = list(_claims(seen, field, found)) if field else [_written(e, seen, f"wrote {_count(e)}") for e in found]
    if links:
        return links, WHICH_USER
    return [], NO_MANAGER if found else NO_MANAGERS


def _claims(seen: Seen, field: str, found: Sequence[Manager]) -> Iterator[Link]:
    steps, value = walk(seen.raw, field)
    if value is MISSING:
        if seen.kind.secret:
            raise ValueError(f"k8slab reads no more of a Secret than its metadata; {field!r} is not in it")
        raise ValueError(f"{seen.title} has no field {field!r}; {_there_is(reached(seen.raw, steps))}")
    for each in found:
        if how := claim(each.fields, steps):
            yield _written(each, seen, f"{CLAIMS[how]}, one of {_count(each)}")


def _written(manager: Manager, seen: Seen, does: str) -> Link:
    forgotten = manager.name in MERGED
    does += f" ({manager})" + (": it stands for writers who are forgotten" if forgotten else "")
    certainty = UNKNOWN if forgotten else KNOWN
    return Link(certainty, manager.at, manager.name, does, "managedFields", seen.id, "component")


def _count(manager: Manager) -> str:
    count = manager.count()
    return "1 field" if count == 1 else f"{count} fields"


def _there_is(here: object) -> str:
    if isinstance(here, dict):
        return f"there is: {', '.join(sorted(here))}"
    if isinstance(here, list):
        return f"there is a list of {len(here)}"
    return f"there is {shown(here)}"


def _events(found: Evidence) -> Iterator[Link]:
    """What was said about the object, and of its owners; the first owner comes first, for within a second it came first."""
    by_version = {change.version: change for change in found.changes}
    for about, events in _said_of(found):
        for event in events:
            yield Link(LIKELY, event.first, event.who, event.said, "event", about.id, "Event")
            # Equality is all that a resourceVersion is good for, and here it is enough.
            had = by_version.get(event.version)
            if had is not None and had.after.uid == about.uid:
                does = f"had seen {had} when it said {event.reason}"
                yield Link(KNOWN, had.at, event.source, does, SAME_VERSION, about.id, "delivery")


def _said_of(found: Evidence) -> Iterator[tuple[Seen, list[ClusterEvent]]]:
    """Each owner from the first on, and the object, with what was said of it and belongs here."""
    for owner in reversed(found.owners):
        if owner.found is None:
            continue
        events = [event for event in found.events if event.about(owner.found) and _names(event, owner.of.name)]
        if owner.of is not found.seen:  # of things further up only what was before the object
            made = moment(found.seen.meta.get("creationTimestamp")) or 0.0
            events = [event for event in events if event.first < made + WHOLE_SECOND]
        yield owner.found, events
    yield found.seen, [event for event in found.events if event.about(found.seen)]


def _names(event: ClusterEvent, name: str) -> bool:
    """Whether a message names an object, and not only one whose name begins with that name."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", event.message) is not None


def _before(found: Evidence, field: str) -> Iterator[Link]:
    """The newest recorded change of what was asked for, and what changed in its owners and dependents just before."""
    seen = found.seen
    mine = [each for each in found.changes if each.after.uid == seen.uid and (not field or _changes(each, field))]
    if not mine:
        return
    last = mine[-1]
    does = str(last)
    if field and last.before is not None:
        does = f"#{last.number} {field} changed from {shown(walk(last.before.raw, field)[1])}"
        does += f" to {shown(walk(last.after.raw, field)[1])}"
    yield Link(KNOWN, last.at, "", does, "watch: the server's order", seen.id, "write")
    earlier = [each for each in found.changes if each.number < last.number]
    above = {owner.found.uid: owner.found.id for owner in found.owners if owner.found is not None}
    for before in _newest_of_each(earlier, above):
        yield _just_before(before, "its owner", above[before.after.uid], seen)
    if field.startswith("spec"):  # is not made from what is below
        return
    below = [each for each in earlier if any(owner.get("uid") == seen.uid for owner in each.after.owners)]
    if below:
        yield _just_before(below[-1], "what it owns", seen.id, seen)


def _just_before(change: Change, whose: str, about: str, seen: Seen) -> Link:
    how = "watch: order of arrival, another kind" if change.after.kind != seen.kind else "watch: the server's order"
    return Link(LIKELY, change.at, "", f"just before, in {whose}: {change}", how, about, "write")


def _newest_of_each(changes: Sequence[Change], uids: dict[str, str]) -> list[Change]:
    """Of each object the newest change of what it should be; where there is none, the newest of how it is."""
    newest: dict[str, Change] = {}
    for change in changes:
        uid = change.after.uid
        if uid in uids and (uid not in newest or _of_wish(change) or not _of_wish(newest[uid])):
            newest[uid] = change
    return sorted(newest.values(), key=lambda change: change.number)


def _of_wish(change: Change) -> bool:
    """Whether a change was not only of a status: that is what controllers answer to."""
    return change.type != "MODIFIED" or any(not name.startswith("status") for name in change.fields)


def _changes(change: Change, field: str) -> bool:
    before = walk(change.before.raw, field)[1] if change.before is not None else MISSING
    after = walk(change.after.raw, field)[1] if change.type != "DELETED" else MISSING
    return bool(list(changed_fields(before, after, "-")))


def _gaps(found: Evidence) -> Iterator[str]:
    """What cannot be known here, in words."""
    if not any(event.about(found.seen) for event in found.events):
        yield NO_EVENTS
    if not any(change.after.uid == found.seen.uid for change in found.changes):
        yield NO_CHANGE if found.recorded else NO_RECORDING
    controller = next((owner.title for owner in found.owners if owner.of is found.seen and owner.controls), "")
    yield WHICH_WATCH_EVENT.format(who=f"the controller of {controller}" if controller else "a controller")
