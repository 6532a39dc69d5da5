"""A write, in words: `scales ReplicaSet web-7957885594 to 3`, `reports Pod web-abc as Running`.

A commit says which object was written; what was changed is seen by comparing the object with what it was a revision
earlier. The first row of `CHANGES` that fits gives the words. Several deeds of one kind are summed up.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing.words import plural
from k8slab.lab.records import Record
from k8slab.lab.reference import reference_of


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did to one object."""

    verb: str
    kind: str
    name: str
    detail: str = ""
    """What more there is to say: `to 3`, `as Running`."""

    def __str__(self) -> str:
        return f"{self.verb} {self.object} {self.detail}".strip()

    @property
    def object(self) -> str:
        """`Pod web-abc`."""
        return f"{self.kind} {self.name}"

    @property
    def brief(self) -> str:
        """The same where room is dear: `scales web-7957885594 to 3`, `web-abc Running`."""
        if self.verb == "reports":
            return f"{self.name} {self.detail.removeprefix('as ')}"
        return f"{self.verb} {self.name} {self.detail}".strip()

    @property
    def suffered(self) -> str:
        """What was done to the object, as a word about it: `scaled to 3`."""
        return f"{PAST.get(self.verb, self.verb)} {self.detail}".strip()


def state_of(obj: JsonObject) -> str:
    """How an object is, in a few words, as `kubectl get` would say: `Running`, `3/3 ready`; empty where there is no word."""
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if obj["kind"] == "Pod":
        return next(_waiting(status), "") or str(status.get("phase", "Pending"))
    if obj["kind"] == "Node":
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or [])
        return ("Ready" if ready else "NotReady") + (", cordoned" if spec.get("unschedulable") else "")
    if "replicas" in spec:
        return f"{status.get('readyReplicas', 0)}/{spec['replicas']} ready"
    return ""


def _waiting(status: JsonObject) -> Iterator[str]:
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            yield str(waiting.get("reason", "Waiting"))


def object_named(engine: Engine, what: str, revision: int = 0) -> JsonObject | None:
    """The object that the trace calls so, as of a revision or now, with its kind; None if there was none."""
    found = reference_of(what)
    if found is None or revision < 0:
        return None
    obj = engine.object_at(found.resource, found.namespace, found.name, revision)
    return None if obj is None else {"kind": found.resource.kind, **obj}


def named(what: str) -> str:
    """`pods/default/web` as people say it: `Pod web`; with its namespace unless that is `default`."""
    found = reference_of(what)
    if found is None:
        return what
    where = f"{found.namespace}/" if found.namespace not in ("", "default") else ""
    return f"{found.resource.kind} {where}{found.name}"


def deed_of(engine: Engine, commit: Record) -> Deed:
    """What a commit did."""
    kind, _, name = named(commit.what).partition(" ")
    after = object_named(engine, commit.what, commit.revision)
    if commit.verb == "delete":
        return Deed("removes", kind, name)
    if commit.verb == "create":
        size = ((after or {}).get("spec") or {}).get("replicas")
        return Deed("creates", kind, name, _with(size) if size is not None else "")
    before = object_named(engine, commit.what, commit.revision - 1)
    if before is None or after is None:
        return Deed("changes", kind, name)
    return next(Deed(verb, kind, name, say(after)) for verb, fits, say in CHANGES if fits(before, after))


def _with(size: int) -> str:
    return "with 1 replica" if size == 1 else f"with {size} replicas"


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of every field that differs; None for one that is not there. Lists are compared as wholes."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}".removeprefix("."))
    elif before != after:
        yield path, before, after


def summary(deeds: Iterable[Deed], subject: str = "", say: Callable[[Deed], str] = str) -> str:
    """Several deeds in one line: `creates 3 Pods, scales ReplicaSet web-1 to 3`. What was done twice to one thing is said once.

    `subject`: what is known to be spoken of, `Deployment web`; it is called `it`. `say` puts a single deed into words.
    """
    groups: dict[tuple[str, str], dict[str, Deed]] = {}
    for deed in deeds:
        groups.setdefault((deed.verb, deed.kind), {})[deed.name] = deed
    parts = []
    for (verb, kind), of in groups.items():
        only = next(iter(of.values()))
        if len(of) > 1:
            parts.append(f"{verb} {len(of)} {plural(kind)}")
        else:
            parts.append(str(only).replace(only.object, "it", 1) if only.object == subject else say(only))
    return ", ".join(parts)


PAST = {
    "creates": "created", "removes": "removed", "marks": "marked", "scales": "scaled", "binds": "bound",
    "changes": "changed", "changes the template of": "given a new template", "renews": "renewed", "reports": "reported",
    "updates the status of": "given a new status",
    "changes the owners of": "given other owners", "changes the finalizers of": "given other finalizers",
    "labels": "labelled", "annotates": "annotated", "writes": "written",
}  # fmt: skip
MINOR = ("reports", "updates the status of", "annotates", "writes")
"""Verbs of deeds that only tell how things are."""
UNSEEN = MINOR[1:]
"""Those of which nobody is told."""


def is_upkeep(record: Record) -> bool:
    """Whether a write only says that something was done, or that somebody lives: Events and Leases."""
    return record.kind == records.COMMIT and record.what.startswith(("events/", "leases/"))


# How one state of an object differs from the one before it.


def _differs(*path: str) -> Callable[[JsonObject, JsonObject], bool]:
    return lambda before, after: _at(before, path) != _at(after, path)


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _says(text: str, *path: str) -> Callable[[JsonObject], str]:
    return lambda after: f"{text} {_at(after, path)}" if path else text


def _as_it_is(after: JsonObject) -> str:
    state = state_of(after)
    return f"as {state}" if state else ""


def _shows(before: JsonObject, after: JsonObject) -> bool:
    """Whether the status has changed in a way that people are told of."""
    return before.get("status") != after.get("status") and state_of(before) != state_of(after)


def _is_lease(before: JsonObject, after: JsonObject) -> bool:
    return bool(after["kind"] == "Lease")


def _content_differs(before: JsonObject, after: JsonObject) -> bool:
    return any(path.partition(".")[0] not in ("metadata", "status") for path, _, _ in differences(before, after))


Fits = Callable[[JsonObject, JsonObject], bool]
CHANGES: tuple[tuple[str, Fits, Callable[[JsonObject], str]], ...] = (
    ("marks", _differs("metadata", "deletionTimestamp"), _says("for deletion")),
    ("scales", _differs("spec", "replicas"), _says("to", "spec", "replicas")),
    ("binds", _differs("spec", "nodeName"), _says("to", "spec", "nodeName")),
    ("changes the template of", _differs("spec", "template"), _says("")),
    ("renews", _is_lease, _says("")),
    ("changes", _content_differs, _says("")),
    ("reports", _shows, _as_it_is),
    ("updates the status of", _differs("status"), _says("")),
    ("changes the owners of", _differs("metadata", "ownerReferences"), _says("")),
    ("changes the finalizers of", _differs("metadata", "finalizers"), _says("")),
    ("labels", _differs("metadata", "labels"), _says("")),
    ("annotates", _differs("metadata", "annotations"), _says("")),
    ("writes", lambda before, after: True, _says("")),
)
"""(verb, whether it fits, what more to say), the first that fits counts."""
