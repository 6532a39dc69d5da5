"""What a kubelet remembers of one Pod.

A Pod on a node is syncing, until it is to go; terminating, until its containers have stopped; terminated, until the API server
has let it go. Nothing here outlives the kubelet: a new one finds all that matters in the API server and in the runtime.

Models: pkg/kubelet/pod_workers.go (podSyncStatus).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from k8slab.api.core import Pod
from k8slab.apimachinery.packing import Packed
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.cached import Cached

SYNCING, TERMINATING, TERMINATED = "syncing", "terminating", "terminated"


@dataclass(slots=True)
class Worker:
    """One Pod on this node."""

    known: Cached[Pod]
    """The Pod as the watch told of it last."""
    started: float
    phase: str = SYNCING
    waiting: dict[str, tuple[str, str]] = field(default_factory=dict)
    again: float = 0.0
    """When to look again; 0: when something happens."""
    failed: bool = False
    """Whether that is to try again what has failed."""
    written: Packed | None = None
    """The status that was written last, as JSON."""
    revision: int = 0
    """The revision of that write."""
    last: JsonObject | None = None
    """The status at its end, once it is terminated: the runtime knows nothing of it any more."""

    @property
    def pod(self) -> Pod:
        """What it should be."""
        return self.known.view()
