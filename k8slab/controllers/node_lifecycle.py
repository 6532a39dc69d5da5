"""The node lifecycle controller: it notices that a node is lost, and sees to it that its Pods go elsewhere.

Every 5 s it looks at all nodes:

1. which have given a sign of life (`node_health.py`); one that has not for 50 s is lost: its conditions become Unknown, and
   its Pods are marked as not ready, so that no Service sends requests there;
2. what state their zones are in, and how fast nodes may be tainted there (`node_zones.py`);
3. those that are not ready wait in their zone's queue (`rate_limited_queue.py`) for a NoExecute taint; those that are ready
   again leave it, and lose the taint.

Besides, whenever a node changes, its NoSchedule taints follow its conditions (`node_taints.py`). The Pods are not its business
any more: who has a taint that they do not tolerate is evicted by another controller (`taint_eviction.py`).

A node that is lost says nothing, so no event tells of it: this is the one controller that has to look at the clock.
Models: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.controller import Controller
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock, to_rfc3339
from k8slab.controllers.heartbeats import Heartbeats
from k8slab.controllers.node_health import MONITOR_PERIOD, Health, IsLost, is_lost, unknown_conditions
from k8slab.controllers.node_taints import is_eviction, wanted_taints
from k8slab.controllers.node_zones import (
    EVICTION_RATE,
    EXCLUDE_LABEL,
    INITIAL,
    EvictionRate,
    ZoneState,
    all_disrupted,
    eviction_rate,
    zone_of,
    zone_state,
)
from k8slab.controllers.rate_limited_queue import RateLimitedQueue
from k8slab.names import Chance

LEFT_OUT = (
    "Pods on a node that says itself that it is not ready are marked not ready when that is heard, not each new one after it.",
)

BY_NODE = "node"


@dataclass(slots=True)
class Zone:
    """Nodes that may fail together."""

    state: str = INITIAL
    queue: RateLimitedQueue = field(default_factory=lambda: RateLimitedQueue(EVICTION_RATE))
    """Nodes that are to get a NoExecute taint."""


class NodeLifecycleController(Controller):
    """Watches over the nodes."""

    name = "node-lifecycle-controller"

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        is_lost: IsLost = is_lost,
        zone_state: ZoneState = zone_state,
        eviction_rate: EvictionRate = eviction_rate,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.recorder = EventRecorder(client, clock, "node-controller")
        self._is_lost, self._zone_state, self._eviction_rate = is_lost, zone_state, eviction_rate
        self.nodes = self.informer(Node, on_change=self._node_changed)
        # Followed only while some node is not ready; else nobody needs them.
        self.pods = self.informer(Pod, indexers={BY_NODE: _node_of}, on_change=self._pod_changed)
        self.pods.rest()
        self.heartbeats = Heartbeats(client, clock)
        self.health: dict[str, Health] = {}
        self.zones: dict[str, Zone] = {}
        self._evicting: dict[str, bool] = {}
        """Whether a node's Pods are to be driven out, where that is decided."""
        self._to_mark: dict[str, None] = {}
        """Nodes some of whose Pods still say that they are ready."""
        self._next_look = NEVER

    def step(self) -> bool:
        """Work off what is known; when that is done, taint whose turn it is, and look around if it is time."""
        if super().step():
            return True
        now = self.clock.now()
        tainting = self._let_out(now)
        if now < self._next_look:
            return tainting
        self._look_around(now)
        # Without a node there is nothing to look at: the first one will wake us.
        self._next_look = now + MONITOR_PERIOD if self.health else NEVER
        return tainting or len(self.queue) > 0 or self.pods.stale

    def next_deadline(self) -> float:
        """The next look around, or the next turn of a node to be tainted."""
        turns = min((zone.queue.next_ready() for zone in self.zones.values()), default=NEVER)
        return min(super().next_deadline(), self._next_look, turns)

    def close(self) -> None:
        """Stop watching."""
        super().close()
        self.heartbeats.close()

    # One node: what is decided is written.

    def reconcile(self, key: str) -> float | None:
        """Say of a node that it is lost, if it is; mark its Pods then; and bring its taints up to date."""
        node = self.nodes.get(key)
        if node is None:
            return None
        now = self.clock.now()
        if self._is_silent(node, now) and (conditions := unknown_conditions(node, now)):
            node = self._say_lost(node, conditions)
        if key in self._to_mark:
            self._mark_pods(key)
        taints = wanted_taints(node, self._evicting.get(key), now)
        if taints != list(node.spec.taints):
            said = [taint.model_dump(by_alias=True, exclude_defaults=True) for taint in taints]
            # On the revision that was seen: whoever tainted it meanwhile shall not be overwritten.
            patch = {"metadata": _revision(node), "spec": {"taints": said or None}}
            self.client.patch(Node, key, "", patch)
        return None

    def _say_lost(self, node: Node, conditions: list[JsonObject]) -> Node:
        """Write that nobody knows how the node is; the node as it is now."""
        # On the revision that was seen: it may have spoken just now.
        patch = {"metadata": _revision(node), "status": {"conditions": conditions}}
        found = self.client.patch(Node, node.name, "", patch, content_type=STRATEGIC, subresource="status")
        if node.ready == "True":
            text = f"Node {node.name} status is now: NodeNotReady"
            self.recorder.event(node, "Normal", "NodeNotReady", text)
            self._to_mark[node.name] = None
        return Node.of(found)

    def _mark_pods(self, node: str) -> None:
        """Its Pods are not ready, whatever they said last."""
        self.pods.follow()
        if self.pods.stale:
            self.pods.drain()
        for pod in self.pods.by_index(BY_NODE, node):
            if not pod.ready:
                continue
            condition = {"type": "Ready", "status": "False", "lastTransitionTime": to_rfc3339(self.clock.now())}
            patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
            try:
                self.client.patch(
                    Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC, subresource="status"
                )  # fmt: skip
            except NotFound:
                continue
            self.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")
        del self._to_mark[node]

    def _is_silent(self, node: Node, now: float) -> bool:
        """Whether a node has given no new sign of life for too long."""
        health = self.health.get(node.name)
        if health is None or health.uid != node.uid:
            return False  # not known yet
        health.note(node, self.heartbeats.of(node.name), now)
        return self._is_lost(now - health.probed, health.posted)

    # All nodes: what is to be done is decided.

    def _look_around(self, now: float) -> None:
        """Who has given a sign, who is lost, and who may be tainted. What follows for a node is queued."""
        self.heartbeats.look()
        nodes = self.nodes.list()
        self._get_to_know(nodes, now)
        by_zone: dict[str, list[bool]] = {}
        for node in nodes:
            silent = self._is_silent(node, now)
            if silent and unknown_conditions(node, now):
                self.queue.add(node.name)
            self._decide_eviction(node)
            if EXCLUDE_LABEL not in node.metadata.labels:
                by_zone.setdefault(zone_of(node), []).append(node.ready == "True" and not silent)
        self._handle_disruption(by_zone, nodes, now)
        if any(node.ready == "Unknown" for node in nodes):
            self.pods.follow()
        else:
            self.pods.rest()

    def _get_to_know(self, nodes: list[Node], now: float) -> None:
        """Greet those that are new, and say goodbye to those that have gone."""
        there = {node.name: node.uid for node in nodes}
        for name, health in [each for each in self.health.items() if there.get(each[0]) != each[1].uid]:
            gone = Node.of({"metadata": {"name": name, "uid": health.uid}})
            self.recorder.event(gone, "Normal", "RemovingNode", f"Removing Node {name} from Controller")
            self._forget(name)
        for node in nodes:
            if node.name not in self.health:
                text = f"Registered Node {node.name} in Controller"
                self.recorder.event(node, "Normal", "RegisteredNode", text)
                self.health[node.name] = Health.of(node, now)
            if (zone := zone_of(node)) not in self.zones:
                self.zones[zone] = Zone()

    def _forget(self, name: str) -> None:
        del self.health[name]
        self._evicting.pop(name, None)
        self._to_mark.pop(name, None)
        self._leave_queues(name)

    def _leave_queues(self, name: str) -> None:
        for zone in self.zones.values():
            zone.queue.remove(name)  # of all: it may have been in another zone before

    def _decide_eviction(self, node: Node) -> None:
        """Whoever is not ready queues for a NoExecute taint; whoever is ready does not need one."""
        if node.ready == "True":
            self._set_evicting(node, False)
        elif node.ready and not self._evicting.get(node.name):
            if any(is_eviction(taint) for taint in node.spec.taints):
                self._set_evicting(node, True)  # it was tainted before we came, or as something else
            else:
                self.zones[zone_of(node)].queue.add(node.name)

    def _set_evicting(self, node: Node, evicting: bool) -> None:
        if not evicting:
            self._leave_queues(node.name)
        if self._evicting.get(node.name) is not evicting:
            self._evicting[node.name] = evicting
            self.queue.add(node.name)

    def _let_out(self, now: float) -> bool:
        """Taint the nodes whose turn it is; True if there was one."""
        found = [name for zone in self.zones.values() if (name := zone.queue.let_out(now)) is not None]
        for name in found:
            self._evicting[name] = True
            self.queue.add(name)
        return bool(found)

    def _handle_disruption(self, by_zone: dict[str, list[bool]], nodes: Iterable[Node], now: float) -> None:
        """Set the rates of the zones. `by_zone`: whether each of a zone's nodes is ready."""
        states = {zone: self._zone_state(sum(ready), len(ready) - sum(ready)) for zone, ready in by_zone.items()}
        all_were_lost = all_disrupted(self.zones[name].state for name in states)
        all_are_lost = all_disrupted(states.values())
        if all_are_lost and not all_were_lost:
            for node in nodes:
                self._set_evicting(node, False)
        if all_were_lost and not all_are_lost:
            for health in self.health.values():
                health.probed = now  # nobody was heard; that was not their fault
        for name, state in states.items():
            zone = self.zones[name]
            if zone.state != state or all_are_lost != all_were_lost:
                zone.state = state
                zone.queue.swap_rate(0.0 if all_are_lost else self._eviction_rate(state, len(by_zone[name])), now)

    # What happened.

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None:
            self.queue.add(new.name)
            self._next_look = min(self._next_look, self.clock.now() + MONITOR_PERIOD)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None or not new.ready or (old is not None and old.spec.node_name == new.spec.node_name):
            return
        node = self.nodes.get(new.spec.node_name)
        if node is not None and node.ready == "Unknown":
            self._to_mark[node.name] = None
            self.queue.add(node.name)


def _revision(node: Node) -> JsonObject:
    return {"resourceVersion": node.metadata.resource_version}


def _node_of(pod: Pod) -> list[str]:
    return [pod.spec.node_name] if pod.spec.node_name else []
