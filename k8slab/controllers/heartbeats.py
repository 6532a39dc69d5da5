"""When the nodes' leases were renewed last: a watch that is looked at now and then, and wakes nobody.

A hundred nodes renew ten leases a second. Nothing has to be done about any of them: whoever asks every few seconds finds out
early enough who has fallen silent. So its news waits in the log until somebody asks, and of each lease one field is read.

Models: the lease lister of pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from collections.abc import Collection

from k8slab.api.coordination import Lease
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client.client import Client
from k8slab.client.reflector import Reflector, key_of
from k8slab.clock import Clock

NAMESPACE = "kube-node-lease"


class Heartbeats:
    """The last renewal of each node's lease."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._clock, self._leases = clock, _Renewals(client)

    def look(self) -> None:
        """Take in what has come since the last look. Raises ApiError."""
        if self._leases.stale or self._leases.release <= self._clock.now():
            self._leases.drain()

    def of(self, node: str) -> str | None:
        """The time in a node's lease, as it is written there; None if it has none."""
        return self._leases.times.get(f"{NAMESPACE}/{node}")

    def close(self) -> None:
        """Stop watching."""
        self._leases.close()


class _Renewals(Reflector):
    def __init__(self, client: Client) -> None:
        super().__init__(client, Lease.resource, namespace=NAMESPACE)
        self.times: dict[str, str] = {}

    def _apply(self, event: WatchEvent) -> bool:
        key = key_of(event.object)
        if event.type == "DELETED":
            self.times.pop(key, None)
        else:
            self.times[key] = event.object["spec"].get("renewTime")
        return True

    def _known(self) -> Collection[str]:
        return self.times

    def _forget(self, key: str) -> None:
        self.times.pop(key, None)
