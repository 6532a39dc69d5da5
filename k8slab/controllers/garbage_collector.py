"""The garbage collector: what nobody owns any more goes.

Every object may name its owners. When the last of them is gone, the object is garbage. The collector watches the metadata
of all kinds, keeps who owns whom by UID, and looks at three cases:

- an owner is gone: its dependents are deleted, once the server itself says that no owner of theirs is there;
- an owner is being deleted in the *foreground*: its dependents first; when none that blocks is left, its finalizer goes;
- an owner is being deleted and its dependents are to be *orphaned*: the references to it go first, then the finalizer.

An owner that the cache does not know may only be new: before anything is deleted, the server is asked.

Models: pkg/controller/garbagecollector/garbagecollector.go, graph_builder.go (without its virtual nodes, for now).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.meta import OwnerReference
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.informer import Informer
from k8slab.clock import Clock
from k8slab.names import Chance

IGNORED = frozenset({("", "events"), ("events.k8s.io", "events"), ("", "bindings"), ("", "componentstatuses")})
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
DEPENDENTS = "owner"


class GarbageCollector(Controller):
    """Deletes what is owned by nobody who exists. Its keys are UIDs."""

    name = "garbage-collector-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        resources: Sequence[Resource],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self._objects: dict[str, KubeObject] = {}
        self._graph: list[Informer[KubeObject]] = []
        self._resources = {}
        for resource in resources:
            if (resource.group, resource.plural) in IGNORED or "list" not in getattr(resource, "verbs", ("list",)):
                continue
            kind = _metadata_of(resource)
            self._graph.append(
                self.informer(kind, indexers={DEPENDENTS: _owners_of}, on_change=self._changed)
            )  # fmt: skip
            self._resources[resource.api_version, resource.kind] = resource

    def reconcile(self, key: str) -> float | None:
        """Look at one object: as an owner, and as a dependent."""
        obj = self._objects.get(key)
        if obj is None:
            for dependent in self._dependents(key):
                self.queue.add(dependent.uid)
            return None
        if obj.metadata.deleting:
            if ORPHAN in obj.metadata.finalizers:
                self._orphan(obj)
            elif FOREGROUND in obj.metadata.finalizers:
                self._foreground(obj)
            return None
        if obj.metadata.owner_references:
            self._attempt_to_delete(obj)
        return None

    def _attempt_to_delete(self, obj: KubeObject) -> None:
        """Delete an object none of whose owners is there."""
        absent, waiting, solid = [], [], []
        for owner in obj.metadata.owner_references:
            found = self._look_up(obj, owner)
            if found is None:
                absent.append(owner)
            elif _is_foreground(found):
                waiting.append(owner)
            else:
                solid.append(owner)
        if solid:
            if absent or waiting:
                self._drop_references(obj, [owner.uid for owner in (*absent, *waiting)])
            return
        # With an owner that waits for us, we go the same way: our own dependents first.
        dependents = self._dependents(obj.uid)
        if waiting and any(map(_is_foreground, dependents)) and self._unblock(obj):
            return
        policy = "Foreground" if waiting and dependents else "Background"
        if ORPHAN in obj.metadata.finalizers:
            policy = "Orphan"
        elif FOREGROUND in obj.metadata.finalizers:
            policy = "Foreground"
        try:
            self.client.delete(
                obj.resource, obj.name, obj.namespace,
                uid=obj.uid, resource_version=obj.metadata.resource_version, propagation=policy,
            )  # fmt: skip
        except NotFound:
            return

    def _look_up(self, obj: KubeObject, owner: OwnerReference) -> KubeObject | None:
        """The owner as the cache knows it; where it does not, as the server says. None: it is gone."""
        known = self._objects.get(owner.uid)
        if known is not None:
            if _is_meant(known, owner, obj):
                return known
            if not _can_own(known, obj):
                self._report_namespace(obj, owner)
        resource = self._resources.get((owner.api_version, owner.kind))
        if resource is None:
            return _Unknown()  # a kind that is not served: nobody can say that it is gone
        namespace = obj.namespace if resource.namespaced else ""
        if resource.namespaced and not namespace:
            return _Unknown()  # a cluster-scoped object cannot be owned by what lives in a namespace
        try:
            found = self.client.get(_metadata_of(resource), owner.name, namespace)
        except NotFound:
            return None
        return found if found.uid == owner.uid else None

    def _report_namespace(self, obj: KubeObject, owner: OwnerReference) -> None:
        where = f"[{owner.api_version}/{owner.kind}, namespace: {obj.namespace}, name: {owner.name}, uid: {owner.uid}]"
        message = f'ownerRef {where} does not exist in namespace "{obj.namespace}"'
        self.recorder.event(obj, "Warning", "OwnerRefInvalidNamespace", message)

    def _foreground(self, owner: KubeObject) -> None:
        """Delete the dependents; when none is left that blocks, let the owner go."""
        blocking = False
        for dependent in self._dependents(owner.uid):
            if not dependent.metadata.deleting:
                self.queue.add(dependent.uid)
            blocking = blocking or any(
                reference.uid == owner.uid and reference.block_owner_deletion
                for reference in dependent.metadata.owner_references
            )
        if not blocking:
            self._remove_finalizer(owner, FOREGROUND)

    def _orphan(self, owner: KubeObject) -> None:
        for dependent in self._dependents(owner.uid):
            self._drop_references(dependent, [owner.uid])
        self._remove_finalizer(owner, ORPHAN)

    def _drop_references(self, obj: KubeObject, uids: Sequence[str]) -> None:
        self._write_references(obj, [each for each in obj.metadata.owner_references if each.uid not in uids])

    def _unblock(self, obj: KubeObject) -> bool:
        """Objects that own each other in a ring would wait for ever: nobody waits for this one. False if nobody did."""
        references = obj.metadata.owner_references
        if not any(each.block_owner_deletion for each in references):
            return False
        self._write_references(obj, [each.model_copy(update={"block_owner_deletion": False}) for each in references])
        return True

    def _write_references(self, obj: KubeObject, references: Sequence[OwnerReference]) -> None:
        kept = [each.model_dump(by_alias=True, exclude_defaults=True) for each in references]
        patch = {
            "metadata": {
                "uid": obj.uid,
                "resourceVersion": obj.metadata.resource_version,
                "ownerReferences": kept,
            }
        }
        try:
            self.client.patch(obj.resource, obj.name, obj.namespace, patch)
        except NotFound:
            return

    def _remove_finalizer(self, obj: KubeObject, finalizer: str) -> None:
        kept = [each for each in obj.metadata.finalizers if each != finalizer]
        patch = {
            "metadata": {"uid": obj.uid, "resourceVersion": obj.metadata.resource_version, "finalizers": kept or None}
        }
        try:
            self.client.patch(obj.resource, obj.name, obj.namespace, patch)
        except NotFound:
            return

    def _knows_owner(self, obj: KubeObject, owner: OwnerReference) -> bool:
        known = self._objects.get(owner.uid)
        return known is not None and _is_meant(known, owner, obj)

    def _dependents(self, uid: str) -> list[KubeObject]:
        return [obj for informer in self._graph for obj in informer.by_index(DEPENDENTS, uid)]

    def _changed(self, old: KubeObject | None, new: KubeObject | None) -> None:
        obj = new or old
        assert obj is not None
        if new is None:
            self._objects.pop(obj.uid, None)
            self.queue.add(obj.uid)
        else:
            self._objects[new.uid] = new
            if old is not None and _same_graph(old, new):
                return  # the usual case: a status, a lease
            if new.metadata.deleting and new.metadata.finalizers:
                self.queue.add(new.uid)
            elif not all(self._knows_owner(new, owner) for owner in new.metadata.owner_references):
                self.queue.add(new.uid)  # an owner that is not known may be gone already
        # Whoever waits for its dependents wants to know of each change.
        for owner in dict.fromkeys(_owners_of(obj) + (_owners_of(old) if old else [])):
            waiting = self._objects.get(owner)
            if waiting is not None and waiting.metadata.deleting and waiting.metadata.finalizers:
                self.queue.add(owner)


class _Unknown(KubeObject):
    """An owner of whom nothing can be said."""

    resource: ClassVar = Resource("", "", "", "")


_KINDS: dict[Resource, type[KubeObject]] = {}


def _metadata_of(resource: Resource) -> type[KubeObject]:
    """The view of any kind that is its metadata alone. One class for each resource, so that views are shared."""
    plain = Resource(resource.group, resource.version, resource.plural, resource.kind, resource.namespaced)
    if plain not in _KINDS:
        body = {"resource": plain, "__annotations__": {"resource": ClassVar}}
        _KINDS[plain] = type(f"{resource.kind}Metadata", (KubeObject,), body)
    return _KINDS[plain]


def _can_own(owner: KubeObject, obj: KubeObject) -> bool:
    """Only what has no namespace, or the same."""
    return owner.namespace in ("", obj.namespace)


def _is_meant(known: KubeObject, owner: OwnerReference, obj: KubeObject) -> bool:
    """Whether a reference describes the object that has its UID: a UID alone, with another's name, proves nothing."""
    group = owner.api_version.rpartition("/")[0]
    described = (group, owner.kind, owner.name) == (known.resource.group, known.resource.kind, known.name)
    return described and _can_own(known, obj)


def _is_foreground(obj: KubeObject) -> bool:
    """Whether it is going, and waits for its dependents to go first."""
    return obj.metadata.deleting and FOREGROUND in obj.metadata.finalizers


def _same_graph(old: KubeObject, new: KubeObject) -> bool:
    """Whether a change leaves everything as it was that decides who goes."""
    return (
        old.uid == new.uid
        and old.metadata.owner_references == new.metadata.owner_references
        and old.metadata.finalizers == new.metadata.finalizers
        and old.metadata.deletion_timestamp == new.metadata.deletion_timestamp
    )


def _owners_of(obj: KubeObject) -> list[str]:
    return [owner.uid for owner in obj.metadata.owner_references]
