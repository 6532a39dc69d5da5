"""What the loop asks of a component. The components do not know the loop, nor each other.

A component is crash-only: all that matters is in etcd, so it can be thrown away at any moment and made again.
"""

from __future__ import annotations

from typing import Protocol


class Component(Protocol):
    """One part of the cluster that works by itself."""

    name: str
    """As its leases, events and user agent name it: `deployment-controller`, `kube-scheduler`, `kubelet-node-1`."""

    def step(self) -> bool:
        """Do one unit of work: drain the watches into the cache, then work off one key. False when there was none."""
        ...

    def next_deadline(self) -> float:
        """When it wants a turn without being woken, in the clock's seconds; infinity: never."""
        ...

    def next_work(self) -> float:
        """The same, counting only work in progress (a pull, a container that is stopping, a retry after a conflict).

        Heartbeats, resyncs and back-offs are not work: a cluster that does nothing else is idle.
        """
        ...

    def close(self) -> None:
        """Stop watching, let go of threads and connections. Safe to call twice."""
        ...
