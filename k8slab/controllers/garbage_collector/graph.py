"""Who owns whom: the graph that the garbage collector keeps.

A dependent names its owners, by UID; an owner knows nothing of its dependents. So the graph is what makes the question "who
depends on this?" cheap. It holds a small node for each object of the cluster, and no objects: of an object only its name, its
owners, and whether it is going matter here.

A node that only a reference speaks of is *virtual*: nobody has observed the object, and the reference may be wrong, about its
name, its kind, its namespace, or about there being one at all. Whoever meets a virtual node asks the server.

Models: pkg/controller/garbagecollector/graph.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""The finalizers that say what becomes of the dependents of an object that is being deleted."""

_NOBODY: Mapping[str, Any] = MappingProxyType({})


class State(Enum):
    """Where an object is in its life, as far as its dependents care."""

    ALIVE = "alive"
    GOING = "being deleted"
    """Somebody asked for its deletion: a one-way trip. Its dependents are looked at when it is gone."""
    DELETING_DEPENDENTS = "waits for its dependents to be deleted"
    """Deleted in the foreground."""
    ORPHANING_DEPENDENTS = "waits for its dependents to be orphaned"


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """What an object is called. In events: `[v1/ConfigMap, namespace: default, name: parent, uid: 1234]`."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @property
    def key(self) -> str:
        """`ConfigMap/default/parent`, as the lab names it."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    def reference(self) -> JsonObject:
        """An ObjectReference as an event's `involvedObject` holds it."""
        fields = {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "apiVersion": self.api_version,
        }
        return {key: value for key, value in fields.items() if value}

    def __str__(self) -> str:
        return f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, name: {self.name}, uid: {self.uid}]"


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """A dependent's word for its owner. Siblings share one."""

    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool
    """blockOwnerDeletion: in the foreground, the owner waits for this dependent."""

    def seen_from(self, namespace: str) -> ObjectReference:
        """Whom it means, said by an object of this namespace."""
        return ObjectReference(self.api_version, self.kind, namespace, self.name, self.uid)

    def describes(self, identity: ObjectReference) -> bool:
        """Whether it has the object's name and kind right: a UID alone, with another's name, proves nothing."""
        described = (self.api_version, self.kind, self.name, self.uid)
        return described == (identity.api_version, identity.kind, identity.name, identity.uid)


class Node:
    """An object in the graph."""

    __slots__ = ("dependents", "identity", "observed", "owners", "revision", "state")

    def __init__(
        self,
        identity: ObjectReference,
        owners: tuple[OwnerReference, ...] = (),
        state: State = State.ALIVE,
        *,
        observed: bool = True,
        revision: int = 0,
    ) -> None:
        self.identity = identity
        self.owners = owners
        self.state = state
        self.observed = observed
        """Whether a watch has told of the object; False: the node is virtual."""
        self.revision = revision
        self.dependents: Mapping[str, Node] = _NOBODY
        """Who names this object as owner, by UID, in the order in which they came. Most objects have none."""

    @property
    def uid(self) -> str:
        """The object's UID."""
        return self.identity.uid

    def add_dependent(self, node: Node) -> None:
        """From now on `node` depends on this one."""
        if not isinstance(self.dependents, dict):
            self.dependents = {}
        self.dependents[node.uid] = node

    def remove_dependent(self, node: Node) -> None:
        """From now on `node` does not depend on this one."""
        if isinstance(self.dependents, dict):
            self.dependents.pop(node.uid, None)

    def blocking_dependents(self) -> list[Node]:
        """The dependents for which this one waits when it is deleted in the foreground."""
        return [each for each in self.dependents.values() if any(o.blocks and o.uid == self.uid for o in each.owners)]

    def __repr__(self) -> str:
        return f"<{'' if self.observed else 'virtual '}node {self.identity.key}, {self.state.value}>"


def identity_of(resource: Resource, raw: JsonObject) -> ObjectReference:
    """What an object of a resource is called."""
    meta = raw["metadata"]
    return ObjectReference(
        resource.api_version, resource.kind, intern(meta.get("namespace", "")), meta["name"], meta["uid"]
    )  # fmt: skip


def owners_of(raw: JsonObject) -> tuple[OwnerReference, ...]:
    """The owners that an object names."""
    return tuple(
        _owner(each["apiVersion"], each["kind"], each["name"], each["uid"], bool(each.get("blockOwnerDeletion")))
        for each in raw["metadata"].get("ownerReferences") or ()
    )


@lru_cache(maxsize=4096)
def _owner(api_version: str, kind: str, name: str, uid: str, blocks: bool) -> OwnerReference:
    return OwnerReference(intern(api_version), intern(kind), name, uid, blocks)


def state_of(raw: JsonObject) -> State:
    """Where an object is in its life."""
    meta = raw["metadata"]
    if not meta.get("deletionTimestamp"):
        return State.ALIVE
    finalizers = meta.get("finalizers") or ()
    if ORPHAN in finalizers:
        return State.ORPHANING_DEPENDENTS
    return State.DELETING_DEPENDENTS if FOREGROUND in finalizers else State.GOING
