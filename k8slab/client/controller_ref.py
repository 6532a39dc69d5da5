"""Whose is it? Adopting what nobody manages, and letting go of what no longer fits.

A controller's selector says what it would like to manage; the controller reference on the object says who does. An object
has at most one. Before it adopts, a controller looks at its owner anew, past the cache: an owner that is being deleted, or was
replaced by another of the same name, adopts nobody.

Models: pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from k8slab.apimachinery.errors import Conflict, Invalid, NotFound
from k8slab.apimachinery.labels import Selector
from k8slab.apimachinery.meta import controller_reference
from k8slab.apimachinery.model import KubeObject
from k8slab.client.client import STRATEGIC, Client

T = TypeVar("T", bound=KubeObject)


def claim(client: Client, owner: KubeObject, selector: Selector, candidates: Iterable[T]) -> list[T]:
    """Those of the candidates that the owner manages from now on; adopts and releases on the way.

    Raises NotFound or Conflict if the owner turns out to be gone when there is something to adopt.
    """
    may_adopt = _once(lambda: _is_there(client, owner))
    kept = []
    for obj in candidates:
        manager = obj.metadata.controller
        fits = selector.matches(obj.metadata.labels)
        if manager is not None:
            if manager.uid != owner.uid:
                continue
            if fits:
                kept.append(obj)
            elif not owner.metadata.deleting:
                _release(client, owner, obj)
        elif fits and not owner.metadata.deleting and not obj.metadata.deleting and may_adopt():
            with suppress(NotFound):  # it has gone meanwhile
                _adopt(client, owner, obj)
                kept.append(obj)
    return kept


def reference_to(owner: KubeObject) -> dict[str, object]:
    """The controller reference that makes an object `owner`'s."""
    return controller_reference(owner.resource.api_version, owner.resource.kind, owner.name, owner.uid)


def _is_there(client: Client, owner: KubeObject) -> bool:
    fresh = client.get(type(owner), owner.name, owner.namespace)
    if fresh.uid != owner.uid:
        raise NotFound(f"original {owner.resource.kind} {owner.key} is gone: got uid {fresh.uid}, wanted {owner.uid}")
    return not fresh.metadata.deleting


def _adopt(client: Client, owner: KubeObject, obj: KubeObject) -> None:
    patch = {"metadata": {"uid": obj.uid, "ownerReferences": [reference_to(owner)]}}
    client.patch(type(obj), obj.name, obj.namespace, patch, content_type=STRATEGIC)


def _release(client: Client, owner: KubeObject, obj: KubeObject) -> None:
    patch = {"metadata": {"uid": obj.uid, "ownerReferences": [{"$patch": "delete", "uid": owner.uid}]}}
    # Gone already, or released already: either way it is no longer ours.
    with suppress(NotFound, Invalid, Conflict):
        client.patch(type(obj), obj.name, obj.namespace, patch, content_type=STRATEGIC)


def _once(look: Callable[[], bool]) -> Callable[[], bool]:
    found: list[bool] = []

    def asked() -> bool:
        if not found:
            found.append(look())
        return found[0]

    return asked
