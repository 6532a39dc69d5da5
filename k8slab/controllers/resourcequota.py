"""The resource quota controller: counts anew what a namespace uses.

Admission counts in whatever is created. Nobody is asked when something ends or goes: so this controller counts all that a
quota is about, when the quota changes, when an object that counts is deleted or ends, and every five minutes. Its count is
the truth; admission's is only quicker.

It watches no kind before some quota counts it.

Models: pkg/controller/resourcequota/resource_quota_controller.go, resource_quota_monitor.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from k8slab.api.core import Pod, ResourceQuota
from k8slab.api.quota import Usage, counted_by, in_scope, total, usage_of
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.quantity import canonical
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.names import Chance

LEFT_OUT = ("A Pod that is resized is not counted anew by admission; the recount sees it.",)

RESYNC = 300.0
IN_NAMESPACE = "namespace"


class ResourceQuotaController(Controller):
    """Keeps the status of quotas. Its keys are quotas."""

    name = "resourcequota-controller"

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
        self._resources = {(each.group, each.plural): each for each in resources if each.namespaced}
        self._watched: dict[tuple[str, str], None] = {}
        self.quotas = self.informer(
            ResourceQuota, indexers={IN_NAMESPACE: lambda quota: (quota.namespace,)}, on_change=self._quota_changed
        )  # fmt: skip

    def reconcile(self, key: str) -> float | None:
        """Count, and write down what was found; again in five minutes."""
        if (quota := self.quotas.get(key)) is None:
            return None
        fresh = self.client.raw("GET", ResourceQuota.resource.path(quota.namespace, quota.name))
        hard: Usage = {
            name: canonical(amount) for name, amount in ((fresh.get("spec") or {}).get("hard") or {}).items()
        }
        status: JsonObject = {"hard": hard, "used": self._used(fresh, hard)}
        if fresh.get("status") != status:
            body = {**fresh, "status": status}  # with its resourceVersion: what admission counted meanwhile is not lost
            self.client.update(ResourceQuota, body, subresource="status")
        self.queue.add_after(key, RESYNC, background=True)
        return None

    def _used(self, quota: JsonObject, hard: Usage) -> Usage:
        by_kind: dict[tuple[str, str], list[str]] = {}
        for name in hard:
            by_kind.setdefault(counted_by(name), []).append(name)
        found: Usage = {}
        for kind, names in by_kind.items():
            found |= self._count(quota, kind, names)
        return {name: found[name] for name in hard}

    def _count(self, quota: JsonObject, kind: tuple[str, str], names: list[str]) -> Usage:
        resource = self._resources.get(kind)
        if resource is None:
            return dict.fromkeys(names, "0")
        self._watch(kind, resource)
        try:
            objects = self.client.raw("GET", resource.path(quota["metadata"]["namespace"]))["items"]
        except NotFound:
            objects = []
        return total((usage_of(*kind, obj) for obj in objects if in_scope(quota, *kind, obj)), names)

    def _watch(self, kind: tuple[str, str], resource: Resource) -> None:
        """From now on hear of what goes."""
        if kind in self._watched:
            return
        self._watched[kind] = None
        if kind == ("", "pods"):
            self.informer(Pod, on_change=self._pod_changed)
        else:
            self.informer(_metadata_of(resource), on_change=self._object_changed)

    def _quota_changed(self, old: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is not None and (old is None or old.spec != new.spec or new.status.hard != new.spec.hard):
            self.queue.add(new.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and (new is None or (new.finished and not old.finished)):
            self._count_again(old.namespace)

    def _object_changed(self, old: KubeObject | None, new: KubeObject | None) -> None:
        if old is not None and new is None:
            self._count_again(old.namespace)

    def _count_again(self, namespace: str) -> None:
        for quota in self.quotas.by_index(IN_NAMESPACE, namespace):
            self.queue.add(quota.key)


def _metadata_of(resource: Resource) -> type[KubeObject]:
    """A view of any kind: all that is looked at is its metadata."""
    attributes: dict[str, Any] = {"resource": resource, "__annotations__": {"resource": ClassVar[Resource]}}
    return type(resource.kind, (KubeObject,), attributes)
