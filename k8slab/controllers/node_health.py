"""Is a node alive? Signs of life, and how long to wait for the next one.

A kubelet gives two signs: it renews its lease every 10 s, and it posts its status when that has changed, or every 5 minutes.
The controller never compares the times written there with its own clock, which may differ. It only notes, on its own clock,
*when it saw* that a sign is another than before. A node without a new sign for 50 s is lost; one that has never posted its
status may take 60 s from its creation on.

Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go (tryUpdateNodeHealth).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from k8slab.api.core import Node
from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import from_rfc3339, to_rfc3339

MONITOR_PERIOD = 5.0
"""Seconds between two looks at all nodes."""
GRACE_PERIOD, STARTUP_GRACE_PERIOD = 50.0, 60.0
IsLost = Callable[[float, bool], bool]
KUBELETS_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""What only the kubelet can know. (NetworkUnavailable is said by others.)"""


@dataclass(slots=True)
class Health:
    """What is known of one node's signs of life."""

    uid: str
    probed: float
    """When the last new sign was seen, on the controller's clock."""
    posted: bool = False
    """Whether it has posted its status."""
    heartbeat: str | None = None
    """The last heartbeat in its status."""
    renewed: str | None = None
    """The last renewal of its lease."""
    _node: Node | None = None

    @classmethod
    def of(cls, node: Node, now: float) -> Health:
        """What is known of a node that is seen for the first time."""
        ready = node.condition("Ready")
        if ready is None:
            return cls(node.uid, from_rfc3339(node.metadata.creation_timestamp))
        return cls(node.uid, now, True, ready.last_heartbeat_time)

    def note(self, node: Node, renewed: str | None, now: float) -> None:
        """Look at both signs: one that is new counts from now on."""
        if node is self._node and renewed == self.renewed:
            return
        self._node = node
        ready = node.condition("Ready")
        posted, heartbeat = ready is not None, ready.last_heartbeat_time if ready else None
        if (posted, heartbeat) != (self.posted, self.heartbeat) or (renewed and renewed != self.renewed):
            self.probed = now
        self.posted, self.heartbeat, self.renewed = posted, heartbeat, renewed or self.renewed


def is_lost(silent: float, posted: bool) -> bool:
    """Whether a node is lost that has given no new sign for so many seconds. `posted`: whether it ever posted its status."""
    # At that moment, not after it: on a virtual clock ten looks take exactly 50 s, on a real one a little more.
    return silent >= (GRACE_PERIOD if posted else STARTUP_GRACE_PERIOD)


def unknown_conditions(node: Node, now: float) -> list[JsonObject]:
    """The conditions to be written for a node that is lost; empty if that is said already."""
    found = []
    for type_ in KUBELETS_CONDITIONS:
        before = node.condition(type_)
        if before is None:
            reason, message = "NodeStatusNeverUpdated", "Kubelet never posted node status."
            since: JsonObject = {"lastHeartbeatTime": node.metadata.creation_timestamp}
        elif before.status != "Unknown":
            reason, message, since = "NodeStatusUnknown", "Kubelet stopped posting node status.", {}
        else:
            continue
        condition = {"type": type_, "status": "Unknown", "reason": reason, "message": message}
        found.append(condition | since | {"lastTransitionTime": to_rfc3339(now)})
    places = {each.type: place for place, each in enumerate(node.status.conditions)}
    return sorted(found, key=lambda each: places.get(each["type"], len(places)))  # a patch puts them in its own order
