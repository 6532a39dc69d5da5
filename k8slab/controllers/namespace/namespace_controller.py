"""The namespace controller: a namespace that goes takes everything in it along.

When somebody deletes a namespace, the finalizer `kubernetes` in its spec holds it, and its phase is `Terminating`. Five seconds
later, so that everybody has heard of it and creates nothing more there, the controller empties it (`deleter.py`) and says how
far it has come (`conditions.py`). While something is left it comes back: after half the time that this is expected to take.
When nothing is left, the finalizer goes, and with it the namespace.

Whatever holds an object in it, holds the namespace. Who waits for a finalizer that nobody takes off waits for ever, and does
so in the background.

Models: pkg/controller/namespace/namespace_controller.go, deletion/namespaced_resources_deleter.go (Delete).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Namespace
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller import Controller, NotYet
from k8slab.clock import Clock, from_rfc3339, to_rfc3339
from k8slab.controllers.namespace.conditions import updated
from k8slab.controllers.namespace.deleter import Deleter, Left
from k8slab.names import Chance

LEFT_OUT = ()

FINALIZER = "kubernetes"
GRACE_PERIOD = 5.0
"""Seconds before a change of a namespace is looked at."""
LONGEST_RETRY = 60.0


class NamespaceController(Controller):
    """Empties namespaces that are being deleted."""

    name = "namespace-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.queue.longest_delay = LONGEST_RETRY
        self.namespaces = self.informer(Namespace, on_change=self._changed)
        self._deleter = Deleter(client, clock)

    def reconcile(self, key: str) -> float | None:
        """Delete what is left, say what is left, and come back while something is."""
        namespace = self.namespaces.get(key)
        if namespace is None or not namespace.metadata.deleting:
            return None
        fresh = self._fresh(key)
        if fresh is None or FINALIZER not in (fresh["spec"].get("finalizers") or []):
            return None
        left = self._deleter.delete_all(key, from_rfc3339(fresh["metadata"]["deletionTimestamp"]))
        news = self._tell(fresh, left)
        if left.errors:
            raise NotYet("; ".join(left.errors), background=not news)
        if left.seconds:
            somebody_works = news or left.ending
            self.queue.add_after(key, left.seconds // 2 + 1, background=not somebody_works)
        else:
            self._finalize(key)
        return None

    def _fresh(self, name: str) -> JsonObject | None:
        try:
            return self.client.raw("GET", Namespace.resource.path("", name))
        except NotFound:
            return None

    def _tell(self, namespace: JsonObject, left: Left) -> bool:
        """Say in the conditions how far it has come. Whether that is news."""
        before = (namespace.get("status") or {}).get("conditions") or []
        conditions = updated(before, left, to_rfc3339(self.clock.now()))
        if conditions == before:
            return False
        meta = namespace["metadata"]
        self.client.patch_status(
            Namespace, meta["name"], "", {"conditions": conditions}, resourceVersion=meta["resourceVersion"]
        )
        return True

    def _finalize(self, name: str) -> None:
        fresh = copy_of(self._fresh(name))
        if fresh is not None:
            fresh["spec"]["finalizers"] = [each for each in fresh["spec"].get("finalizers", []) if each != FINALIZER]
            self.client.update(Namespace, fresh, subresource="finalize")

    def _changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and new.metadata.deleting:
            self.queue.add_after(new.key, GRACE_PERIOD)
