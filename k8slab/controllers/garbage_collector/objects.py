"""The objects behind the nodes: what the server says of them, and what the collector writes.

Whatever is deleted is deleted by UID, in the state in which it was looked at: if it has changed meanwhile, and it is its owners
that changed, it has to be looked at again. What is patched is patched by UID, too. A namesake that has come in the meantime
is never touched.

Models: pkg/controller/garbagecollector/operations.go, patch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from k8slab.apimachinery.errors import Conflict, NotFound, UnsupportedMediaType
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import MERGE, STRATEGIC, Client
from k8slab.client.discovery import RestMapper
from k8slab.controllers.garbage_collector.graph import ObjectReference, owners_of


class NamespacedOwner(Exception):
    """An object outside namespaces names an owner of a kind that lives in them: nobody can say which one is meant."""


class Objects:
    """Reads and writes the objects of all kinds."""

    def __init__(self, client: Client) -> None:
        self.mapper = RestMapper()
        self._client = client

    def live(self, identity: ObjectReference) -> JsonObject | None:
        """The object as it is now; None if there is none of that name, or if it is another one.

        Raises NamespacedOwner, NoKindMatch, ApiError.
        """
        resource = self.mapper.resource(identity.api_version, identity.kind)
        if resource.namespaced and not identity.namespace:
            raise NamespacedOwner(str(identity))
        try:
            found = self._client.raw("GET", resource.path(identity.namespace, identity.name))
        except NotFound:
            return None
        return found if found["metadata"]["uid"] == identity.uid else None

    def delete(self, identity: ObjectReference, seen: JsonObject, policy: str) -> bool:
        """Delete an object, as it was seen. False if it is gone. Raises Conflict if its owners are others now."""
        resource = self.mapper.resource(identity.api_version, identity.kind)

        def ask(version: str) -> None:
            self._client.delete(
                resource, identity.name, identity.namespace,
                uid=identity.uid, resource_version=version, propagation=policy,
            )  # fmt: skip

        try:
            try:
                ask(seen["metadata"]["resourceVersion"])
            except Conflict:
                now = self.live(identity)
                if now is None:
                    return False
                if owners_of(now) != owners_of(seen):
                    raise
                ask("")  # something else has changed, which matters to nobody here
        except NotFound:
            return False
        return True

    def drop_owners(self, identity: ObjectReference, uids: Sequence[str]) -> None:
        """Let an object name these owners no longer."""
        self._patch_owners(
            identity,
            [{"$patch": "delete", "uid": uid} for uid in uids],
            lambda owners: [each for each in owners if each["uid"] not in uids],
        )

    def unblock_owners(self, identity: ObjectReference, uids: Sequence[str]) -> None:
        """Let none of its owners wait for an object."""
        self._patch_owners(
            identity,
            [{"uid": uid, "blockOwnerDeletion": False} for uid in uids],
            lambda owners: [{**each, "blockOwnerDeletion": False} for each in owners],
        )

    def remove_finalizer(self, identity: ObjectReference, finalizer: str) -> None:
        """Let an object go, as far as this finalizer is concerned."""
        now = self.live(identity)
        held_by = (now or {"metadata": {}})["metadata"].get("finalizers") or []
        if now is None or finalizer not in held_by:
            return
        kept = [each for each in held_by if each != finalizer]
        version = now["metadata"]["resourceVersion"]
        self._patch(identity, {"resourceVersion": version, "finalizers": kept or None}, MERGE)

    def _patch_owners(
        self, identity: ObjectReference, changes: list[Any], otherwise: Callable[[list[Any]], list[Any]]
    ) -> None:
        """By a strategic patch of those references alone; custom kinds take none, so there the whole list is replaced."""
        try:
            self._patch(identity, {"ownerReferences": changes}, STRATEGIC)
        except UnsupportedMediaType:
            now = self.live(identity)
            if now is not None:
                meta = now["metadata"]
                owners = otherwise(meta.get("ownerReferences") or [])
                version = meta["resourceVersion"]
                self._patch(identity, {"resourceVersion": version, "ownerReferences": owners or None}, MERGE)

    def _patch(self, identity: ObjectReference, metadata: JsonObject, content_type: str) -> None:
        """Raises Conflict for another UID; an object that is gone needs no patch."""
        resource = self.mapper.resource(identity.api_version, identity.kind)
        body = {"metadata": {"uid": identity.uid, **metadata}}
        try:
            self._client.patch(resource, identity.name, identity.namespace, body, content_type=content_type)
        except NotFound:
            return
