"""What has changed between two moments: which objects, which fields, by whom, when, and by which write.

    print(diff(cluster.at("+10s"), cluster.at("+60s"), kind="pod"))

Objects are compared as they are at both ends (`comparison.py`); what came and went in between is no difference. A change is
credited to the newest write in between that made it (`writes.py`). Two pasts of different clusters, of a fork and its origin,
can be compared too; then there is no way from one to the other, and nobody is credited.

Events are counted, and not listed unless asked for: they tell of changes, and are none.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import Definition, definition_for
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.engine.engine import LogEntry
from k8slab.lab.comparison import ABSENT, compare, path_text
from k8slab.lab.drawing.model import Table
from k8slab.lab.past import Past
from k8slab.lab.reference import Reference, reference_of, resource_named
from k8slab.lab.secrecy import is_secret, told
from k8slab.lab.writes import REGISTRY, Write, Writes, object_of

CREATED, CHANGED, REPLACED, DELETED = "created", "changed", "replaced", "deleted"

IGNORED = ("managedFields", "resourceVersion", "lastHeartbeatTime", "renewTime")
"""What is no news: the server's bookkeeping, and heartbeats."""

MOST_FIELDS = 6
"""Of an object that changed, so many fields are printed; the table has them all."""
MINOR = (".lastTransitionTime", ".reason", ".message", ".started", ".imageID", ".containerID")
"""Fields that change with others, and that are not printed."""
COLUMNS = ("change", "object", "field", "old", "new", "who", "revision", "time")
VALUE_WIDTH = 60
EVENTS = RESOURCES["", "events"].key_prefix


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one object."""

    path: str
    """`spec.containers[name=web].image`."""
    old: Any
    """ABSENT if it was not there."""
    new: Any
    """ABSENT if it is there no more."""
    write: Write


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object."""

    change: str
    """created, changed, deleted; replaced: deleted, and created anew under the same name."""
    object: str
    """`pod/web-abc`, or with its namespace `lease/kube-node-lease/node-1`: as `cluster.why` takes it."""
    write: Write
    """The newest one."""
    fields: tuple[FieldChange, ...] = ()
    """Of one that changed, or was replaced."""


@dataclass(frozen=True)
class Differences:
    """The answer. As text it is a few lines an object; `table` has a row for each field."""

    title: str
    changes: tuple[ObjectChange, ...]
    """In the order of their names, kind by kind."""
    start: float = 0.0
    """What times are counted from, in seconds since the Unix epoch."""
    events: int = 0
    """How many Events are new, where they are not listed."""

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[ObjectChange]:
        return iter(self.changes)

    def of(self, change: str) -> list[str]:
        """The objects that were created, changed, replaced or deleted."""
        return [each.object for each in self.changes if each.change == change]

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The rows of the table."""
        return tuple(row for each in self.changes for row in self._rows(each))

    @property
    def table(self) -> Table:
        """A row for each field that changed, and for each object that came or went."""
        return Table(COLUMNS, self.rows)

    @property
    def text(self) -> str:
        """The differences as they are printed."""
        return str(self)

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.title}: {self._summary()}", *(line for each in self.changes for line in self._lines(each))]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading = f"<p>{escape(self.title)}: {escape(self._summary())}</p>"
        return heading + (self.table._repr_html_() if self.changes else "")

    def _summary(self) -> str:
        counted = [(len(self.of(change)), change) for change in (CREATED, CHANGED, REPLACED, DELETED)]
        said = ", ".join(f"{count} {change}" for count, change in counted if count) or "no difference"
        return f"{said}; {self.events} new Events" if self.events else said

    def _lines(self, each: ObjectChange) -> Iterator[str]:
        credit = "" if each.change == CHANGED else self._credit(each.write)
        yield f"{each.change:<9}{each.object}{credit}"
        told = [field for field in each.fields if not field.path.endswith(MINOR)][:MOST_FIELDS]
        for field in told:
            yield f"    {field.path}: {shown(field.old)} -> {shown(field.new)}{self._credit(field.write)}"
        if more := len(each.fields) - len(told):
            yield f"    and {more} more: see .table"

    def _rows(self, each: ObjectChange) -> Iterator[tuple[str, ...]]:
        if each.change != CHANGED:
            yield each.change, each.object, "", "", "", *self._cells(each.write)
        for field in each.fields:
            yield each.change, each.object, field.path, shown(field.old), shown(field.new), *self._cells(field.write)

    def _cells(self, write: Write) -> tuple[str, str, str]:
        if not write.revision:
            return "", "", ""
        return write.who, str(write.revision), f"{write.time - self.start:+.1f}s"

    def _credit(self, write: Write) -> str:
        if not write.revision:
            return ""
        who, revision, time = self._cells(write)
        return f"  ({', '.join(filter(None, (who, f'revision {revision}', time)))})"


def diff(
    a: Past, b: Past, *, kind: str = "", name: str = "", namespace: str = "", ignore: Sequence[str] = IGNORED
) -> Differences:  # fmt: skip
    """What is different in `b` from what was in `a`.

    Only objects of a kind (as kubectl takes it), whose name contains a text, in a namespace. `ignore` names fields that do not
    count, wherever they are (`managedFields`), or by their whole path (`metadata.generation`). Raises ValueError for an unknown
    kind.
    """
    wanted = resource_named(kind) if kind else None
    old, new = ({entry.key: entry for entry in past.entries} for past in (a, b))
    writes = Writes(a, b)
    changes, events = [], 0
    for key in sorted(old.keys() | new.keys()):
        found = reference_of(key.removeprefix(REGISTRY))
        if not _is_wanted(key, found, wanted, name, namespace):
            continue
        if wanted is None and key.startswith(EVENTS):
            events += key not in old
        elif change := _object_change(key, found, old.get(key), new.get(key), writes, ignore):
            changes.append(change)
    return Differences(f"{_moment(a)} -> {_moment(b)}", tuple(changes), b.start, events)


def shown(value: Any) -> str:
    """A value as JSON, cut where it gets long."""
    if value is ABSENT:
        return repr(value)
    text = orjson.dumps(value).decode()
    return text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 3] + "..."


def _moment(past: Past) -> str:
    return f"revision {past.revision} ({past.moments.since_start(past.now)})"


def _is_wanted(key: str, found: Reference | None, kind: ResourceInfo | None, name: str, namespace: str) -> bool:
    if name not in key.rpartition("/")[2]:
        return False
    if kind is None and not namespace:
        return True
    return (
        found is not None
        and (kind is None or found.resource.plural == kind.plural)
        and (not namespace or found.namespace == namespace)
    )


def _object_change(
    key: str, found: Reference | None, old: LogEntry | None, new: LogEntry | None, writes: Writes, ignore: Sequence[str]
) -> ObjectChange | None:  # fmt: skip
    """What happened to one object; None if nothing that counts."""
    named = _named(key, found)
    if old is None or new is None:
        return ObjectChange(CREATED if old is None else DELETED, named, writes.newest(key, created=old is None))
    if old.value == new.value:
        return None
    before, after = object_of(old), object_of(new)
    definition = _definition(found)
    found_changes = compare(before, after, definition, ignore)
    replaced = _uid(before) != _uid(after)
    if not found_changes and not replaced:
        return None
    fields = tuple(
        FieldChange(path_text(each.path), _told(found, each.path, each.old), _told(found, each.path, each.new), write)
        for each, write in writes.credited(key, before, found_changes, definition, ignore)
    )
    change, write = (REPLACED, writes.newest(key, created=True)) if replaced else (CHANGED, _newest(fields))
    return ObjectChange(change, named, write, fields)


def _told(found: Reference | None, path: Sequence[str], value: Any) -> Any:
    """One end of a change, as it may be told."""
    secret = found is not None and is_secret(found.resource.group, found.resource.kind)
    return told(path, value) if secret and value is not ABSENT else value


def _definition(found: Reference | None) -> Definition | None:
    if found is None:
        return None
    return definition_for(found.resource.group, found.resource.version, found.resource.kind)


def _newest(fields: Sequence[FieldChange]) -> Write:
    return max((field.write for field in fields), key=lambda write: write.revision, default=Write())


def _named(key: str, found: Reference | None) -> str:
    if found is None:
        return key
    where = f"{found.namespace}/" if found.namespace not in ("", "default") else ""
    return f"{found.resource.kind.lower()}/{where}{found.name}"


def _uid(obj: JsonObject) -> str:
    return str(obj["metadata"].get("uid", ""))
