"""The service account controller: every namespace has an account called `default`, which its Pods run as.

Whoever deletes it finds it made again, with another UID: tokens of the old one are worth nothing.

Models: pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from k8slab.api.core import Namespace, ServiceAccount
from k8slab.apimachinery.errors import AlreadyExists
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.names import Chance

LEFT_OUT = ()

DEFAULT = "default"


class ServiceAccountController(Controller):
    """Keeps the default accounts. Its keys are namespaces."""

    name = "serviceaccount-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.namespaces = self.informer(Namespace, on_change=self._namespace_changed)
        self.accounts = self.informer(
            ServiceAccount, fields=f"metadata.name={DEFAULT}", on_change=self._account_changed
        )

    def reconcile(self, key: str) -> float | None:
        """Make the account where it is missing."""
        namespace = self.namespaces.get(key)
        if namespace is None or namespace.metadata.deleting or self.accounts.get(f"{key}/{DEFAULT}") is not None:
            return None
        with suppress(AlreadyExists):  # the cache may not have heard of it yet
            self.client.create(ServiceAccount, {"metadata": {"name": DEFAULT, "namespace": key}}, key)
        return None

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None:
            self.queue.add(new.key)

    def _account_changed(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        if new is None and old is not None:
            self.queue.add(old.namespace)
