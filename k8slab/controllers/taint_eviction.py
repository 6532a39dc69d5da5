"""Taint eviction: Pods leave a node whose NoExecute taints they do not tolerate, or not for that long.

For each Pod on such a node there is a moment at which it has to go (`tolerance.py`). It is set when the taint is first seen,
and stays what it is while the taints change from one to another; when the last taint goes, or the Pod tolerates forever, it
is called off. It is in no object: a controller that starts again begins to count again.

To go means: the condition DisruptionTarget says why, then a plain deletion. No PodDisruptionBudget is asked.

Models: pkg/controller/tainteviction/taint_eviction.go, timed_workers.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from k8slab.api.core import Node, Pod, Taint
from k8slab.apimachinery.errors import Conflict, NotFound
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.controller import Controller
from k8slab.clock import NEVER, Clock, to_rfc3339
from k8slab.controllers.tolerance import tolerance
from k8slab.names import Chance

LEFT_OUT = ("When a Node is deleted its pending evictions are called off at once; upstream does so Pod by Pod.",)

BY_NODE = "node"
EVENT = "TaintManagerEviction"


@dataclass(slots=True)
class Eviction:
    """A Pod that has to go."""

    pod: Pod
    when: float
    done: bool = False
    """Whether its deletion was asked for."""


class TaintEvictionController(Controller):
    """Deletes Pods off tainted nodes. Its keys are nodes (`node-1`) and Pods (`default/web`)."""

    name = "taint-eviction-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.nodes = self.informer(Node, on_change=self._node_changed)
        # Followed only while some node is tainted; else no Pod matters.
        self.pods = self.informer(Pod, indexers={BY_NODE: _node_of}, on_change=self._pod_changed)
        self.pods.rest()
        self.taints: dict[str, list[Taint]] = {}
        """The NoExecute taints of the nodes that have some."""
        self.evictions: dict[str, Eviction] = {}
        """The Pods that have to go, by key."""

    def step(self) -> bool:
        """Work off what is known; when no node is tainted any more, the Pods need not be followed."""
        worked = super().step()
        if not worked and not self.taints and self.pods.synced:
            self.pods.rest()
            self.evictions.clear()
        return worked

    def reconcile(self, key: str) -> float | None:
        """Look at one Pod, or at all Pods of a node."""
        if "/" in key:
            self._look_at(key)
            return None
        for pod in self.pods.by_index(BY_NODE, key):
            self.queue.add(pod.key)
        return None

    def _look_at(self, key: str) -> None:
        pod, now = self.pods.get(key), self.clock.now()
        planned = self.evictions.get(key)
        if planned is not None and (pod is None or pod.uid != planned.pod.uid):
            self._call_off(key)
            planned = None
        if pod is None:
            return
        seconds = tolerance(self.taints.get(pod.spec.node_name, ()), pod.spec.tolerations)
        if seconds == NEVER:
            self._call_off(key)
        elif planned is None or (seconds == 0 and not planned.done):
            self._call_off(key)
            self.evictions[key] = Eviction(pod, now + seconds)
        self._go_on(key, now)

    def _go_on(self, key: str, now: float) -> None:
        """Delete a Pod whose time has come; look again then, if it has not."""
        planned = self.evictions.get(key)
        if planned is None or planned.done:
            return
        if planned.when > now:
            self.queue.add_after(key, planned.when - now, background=True)
            return
        self.recorder.event(planned.pod, "Normal", EVENT, f"Marking for deletion Pod {key}")
        self._delete(planned.pod, now)
        planned.done = True

    def _delete(self, pod: Pod, now: float) -> None:
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": to_rfc3339(now),
        }
        try:
            patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
            self.client.patch(Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC, subresource="status")
            self.client.delete(Pod, pod.name, pod.namespace, uid=pod.uid)
        except (NotFound, Conflict):
            return  # it has gone by itself

    def _call_off(self, key: str) -> None:
        """A Pod need not go after all, or has gone."""
        planned = self.evictions.pop(key, None)
        if planned is not None and not planned.done:
            self.recorder.event(planned.pod, "Normal", EVENT, f"Cancelling deletion of Pod {key}")

    # What happened.

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        before, now = _no_execute(old), _no_execute(new)
        node = new or old
        assert node is not None
        if now:
            self.taints[node.name] = now
            self.pods.follow()
        else:
            self.taints.pop(node.name, None)
        if before != now:
            self.queue.add(node.name)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        concerns_us = pod.key in self.evictions or pod.spec.node_name in self.taints
        if concerns_us and (new is None or old is None or old.spec != new.spec):
            self.queue.add(pod.key)


def _no_execute(node: Node | None) -> list[Taint]:
    return [taint for taint in node.spec.taints if taint.effect == "NoExecute"] if node is not None else []


def _node_of(pod: Pod) -> list[str]:
    return [pod.spec.node_name] if pod.spec.node_name else []
