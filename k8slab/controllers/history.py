"""The versions of a StatefulSet or DaemonSet, as ControllerRevisions.

A Deployment keeps each version in a ReplicaSet. What makes its Pods itself keeps them in objects that hold nothing but a patch:
applied to the owner, it brings the version's template back. That is what `kubectl rollout undo` does; the controller only
gives the version that has come back the highest number.

Models: pkg/controller/history/controller_history.go, and newRevision in statefulset/ and daemon/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from k8slab.api.apps import ControllerRevision, DaemonSet, StatefulSet
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller_ref import claim, reference_to
from k8slab.names import fnv32a, safe_encode

Owner = StatefulSet | DaemonSet
POD_LABEL = "controller-revision-hash"
"""By this label a Pod says which version it is: a StatefulSet's with the version's name, a DaemonSet's with its hash."""
HASH_LABELS = {"StatefulSet": "controller.kubernetes.io/hash", "DaemonSet": POD_LABEL}
"""By this label a version says its hash."""


def patch_of(template: JsonObject) -> JsonObject:
    """The patch that makes this the owner's template, whatever it was before."""
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def template_of(revision: ControllerRevision) -> JsonObject:
    """The template that a version has."""
    return {name: value for name, value in revision.data["spec"]["template"].items() if name != "$patch"}


def hash_of(patch: JsonObject, collisions: int) -> str:
    """A short name for a version. Of its JSON, like upstream's, but with the keys sorted."""
    return safe_encode(str(fnv32a(orjson.dumps(patch, option=orjson.OPT_SORT_KEYS) + str(collisions).encode())))


def in_order(revisions: Iterable[ControllerRevision]) -> list[ControllerRevision]:
    """Oldest first."""
    return sorted(revisions, key=lambda each: (each.revision, each.metadata.creation_timestamp, each.name))


def expired(revisions: Sequence[ControllerRevision], live: Iterable[str], limit: int) -> list[ControllerRevision]:
    """Which of the versions, oldest first, are to be forgotten: the oldest that nobody is, beyond the limit."""
    in_use = frozenset(live)
    unused = [each for each in revisions if each.name not in in_use]
    return unused[: max(0, len(unused) - limit)]


@dataclass
class History:
    """The versions of one owner, oldest first, and which of them its template is now."""

    versions: list[ControllerRevision]
    update: ControllerRevision
    collisions: int
    """How often the name of a new version was taken."""

    def named(self, name: str) -> ControllerRevision | None:
        """The version of this name, None if there is none."""
        return next((each for each in self.versions if each.name == name), None)


def history_of(client: Client, owner: Owner, candidates: Iterable[ControllerRevision]) -> History:
    """The owner's versions; the present one is made, or made the newest again, if it is not.

    Raises Conflict or NotFound where the candidates turn out to be old news.
    """
    versions = in_order(claim(client, owner, from_label_selector(owner.spec.selector), candidates))
    patch = patch_of(owner.spec.template)
    number = versions[-1].revision + 1 if versions else 1
    collisions = owner.status.collision_count or 0
    equal = [each for each in versions if each.data == patch]
    if not equal:
        update, collisions = _create(client, owner, patch, number, collisions)
        return History([*versions, update], update, collisions)
    update = equal[-1]
    if update is not versions[-1]:
        change = {"metadata": {"resourceVersion": update.metadata.resource_version}, "revision": number}
        update = ControllerRevision.of(client.patch(ControllerRevision, update.name, update.namespace, change))
        versions = in_order([*(each for each in versions if each.uid != update.uid), update])
    return History(versions, update, collisions)


def forget(client: Client, revisions: Iterable[ControllerRevision]) -> None:
    """Delete versions. One that has gone is fine."""
    for each in revisions:
        try:
            client.delete(ControllerRevision, each.name, each.namespace, uid=each.uid)
        except NotFound:
            continue


def _create(
    client: Client, owner: Owner, patch: JsonObject, number: int, collisions: int
) -> tuple[ControllerRevision, int]:
    while True:
        short = hash_of(patch, collisions)
        name = f"{owner.name}-{short}"
        labels = dict((patch["spec"]["template"].get("metadata") or {}).get("labels") or {})
        body = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": name,
                "labels": {**labels, HASH_LABELS[owner.resource.kind]: short},
                "annotations": dict(owner.metadata.annotations),
                "ownerReferences": [reference_to(owner)],
            },
            "data": copy_of(patch),
            "revision": number,
        }
        try:
            return ControllerRevision.of(client.create(ControllerRevision, body, owner.namespace)), collisions
        except AlreadyExists:
            # Our own, which the cache has not told of yet; or another's, and then the next hash is another.
            taken = client.get(ControllerRevision, name, owner.namespace)
            manager = taken.metadata.controller
            if taken.data == patch and manager is not None and manager.uid == owner.uid:
                return taken, collisions
            collisions += 1
