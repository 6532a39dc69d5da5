"""Since when a change waits to be told: the time that ends up in the annotation last-change-trigger-time.

From there to the rules on the nodes it is measured how long the cluster takes to send requests to a new Pod, or no more to an
old one. It is the earliest moment among the changes since the last look: when a Pod became ready, or stopped to be, and when
the Service was made.

Models: k8s.io/endpointslice/util/trigger_time_tracker.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from k8slab.api.core import Pod
from k8slab.api.discovery import Service

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"


@dataclass(slots=True)
class _Seen:
    service: str = ""
    pods: dict[str, str] = field(default_factory=dict)


class TriggerTimes:
    """What was seen of each Service and its Pods."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def look(self, service: Service, pods: Iterable[Pod]) -> str:
        """The time of the earliest change since the last look; empty if nothing has changed. It counts as seen now."""
        before = self._seen.get(service.key, _Seen())
        # Times of whole seconds in one form: as texts they compare as they do as times.
        now = _Seen(service.metadata.creation_timestamp, {pod.key: _changed_at(pod) for pod in pods})
        changes = [when for key, when in now.pods.items() if when > before.pods.get(key, "")]
        if now.service > before.service:
            changes.append(now.service)
        self._seen[service.key] = now
        return min(changes, default="")

    def forget(self, key: str) -> None:
        """The Service is gone."""
        self._seen.pop(key, None)


def _changed_at(pod: Pod) -> str:
    ready = pod.condition("Ready")
    return (ready.last_transition_time if ready else None) or pod.metadata.creation_timestamp
