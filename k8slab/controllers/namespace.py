"""The namespace controller: a namespace that goes takes everything in it along.

First the Pods, which take time to end; when they are gone, all other objects; when nothing is left, the finalizer
`kubernetes` in `spec.finalizers` goes, and with it the namespace.

Models: pkg/controller/namespace/namespace_controller.go, deletion/namespaced_resources_deleter.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8slab.api.core import Namespace
from k8slab.apimachinery.errors import MethodNotAllowed, NotFound
from k8slab.apimachinery.rest import copy_of
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.names import Chance

FINALIZER = "kubernetes"
LOOK_AGAIN = 1.0


class NamespaceController(Controller):
    """Empties namespaces that are being deleted."""

    name = "namespace-controller"

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
        self._resources = [
            resource for resource in resources
            if resource.namespaced and "deletecollection" in getattr(resource, "verbs", ("deletecollection",))
            and (resource.group, resource.plural) != ("events.k8s.io", "events")
        ]  # fmt: skip
        self.namespaces = self.informer(Namespace, on_change=self._changed)

    def reconcile(self, key: str) -> float | None:
        """Delete what is left, and look again while something is."""
        namespace = self.namespaces.get(key)
        if namespace is None or not namespace.metadata.deleting:
            return None
        pods = next(resource for resource in self._resources if resource.plural == "pods")
        if self._empty(pods, key):
            return LOOK_AGAIN
        left = [resource for resource in self._resources if resource is not pods and self._empty(resource, key)]
        if left:
            return LOOK_AGAIN
        self._finalize(key)
        return None

    def _empty(self, resource: Resource, namespace: str) -> bool:
        """Delete all objects of a resource; True if some are still there."""
        path = resource.path(namespace)
        try:
            if not self.client.raw("GET", path)["items"]:
                return False
            self.client.raw("DELETE", path, body={"propagationPolicy": "Background"})
            return bool(self.client.raw("GET", path)["items"])
        except MethodNotAllowed:
            return False

    def _finalize(self, name: str) -> None:
        try:
            fresh = copy_of(self.client.raw("GET", Namespace.resource.path("", name)))
            kept = [each for each in fresh["spec"].get("finalizers", []) if each != FINALIZER]
            fresh["spec"]["finalizers"] = kept
            self.client.update(Namespace, fresh, subresource="finalize")
        except NotFound:
            return

    def _changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and new.metadata.deleting:
            self.queue.add(new.key)
