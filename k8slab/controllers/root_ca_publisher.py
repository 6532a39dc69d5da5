"""The root CA publisher: every namespace has a ConfigMap with the certificate by which Pods know the API server.

A certificate is no secret: it only says whose signature to trust. Admission mounts it into every Pod, beside the token.

Models: pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from k8slab.api.core import ConfigMap, Namespace
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.names import Chance

LEFT_OUT = ()

NAME = "kube-root-ca.crt"
SAYS = "kubernetes.io/description"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
    "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)


class RootCAPublisher(Controller):
    """Keeps the ConfigMaps. Its keys are namespaces. `root_ca`: the certificate, as PEM."""

    name = "root-ca-cert-publisher-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        root_ca: str = "",
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self._root_ca = root_ca
        self.namespaces = self.informer(Namespace, on_change=self._namespace_changed)
        self.maps = self.informer(ConfigMap, fields=f"metadata.name={NAME}", on_change=self._map_changed)

    def reconcile(self, key: str) -> float | None:
        """Make the ConfigMap where it is missing, and mend it where somebody has changed it."""
        namespace = self.namespaces.get(key)
        if namespace is None or namespace.metadata.deleting:
            return None
        found, wanted = self.maps.get(f"{key}/{NAME}"), root_ca_map(key, self._root_ca)
        if found is None:
            with suppress(AlreadyExists):  # the cache may not have heard of it yet
                self.client.create(ConfigMap, wanted, key)
        elif dict(found.data) != wanted["data"]:
            with suppress(NotFound):
                self.client.update(ConfigMap, wanted)
        return None

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None:
            self.queue.add(new.key)

    def _map_changed(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        changed = new or old
        if changed is not None:
            self.queue.add(changed.namespace)


def root_ca_map(namespace: str, root_ca: str) -> JsonObject:
    """The ConfigMap of one namespace."""
    meta = {"name": NAME, "namespace": namespace, "annotations": {SAYS: DESCRIPTION}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": root_ca}}
