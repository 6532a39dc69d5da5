"""The DaemonSet controller: one Pod on each node that will do.

It looks at each node, never at a number: `daemon_placement.py` says where Pods belong, `daemon_rollout.py` which to make and
remove. It acts only when it has seen what it did last. A Pod that fails is replaced later and later, from 1 second to 15
minutes, so that a kubelet which refuses it is not fought.

Models: pkg/controller/daemon/daemon_controller.go, update.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from k8slab.api.apps import ControllerRevision, DaemonSet
from k8slab.api.core import Node, Pod
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.backoff import Backoff
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.client.expectations import TIMEOUT, Expectations
from k8slab.clock import Clock
from k8slab.controllers.daemon_placement import Verdict, daemon_pod, judge, model_of, node_of
from k8slab.controllers.daemon_rollout import Changes, Version, by_seniority, limits, manage, roll
from k8slab.controllers.history import POD_LABEL, expired, forget, history_of
from k8slab.controllers.ownership import NO_OWNER, OWNER, by_owner, orphan_or_owned_by
from k8slab.controllers.pod_control import Failure, PodControl
from k8slab.controllers.pod_ranking import is_available, ready_since
from k8slab.names import Chance

LEFT_OUT = ()

BURST = 250
FIRST_DELAY, LONGEST_DELAY = 1.0, 900.0
"""Seconds between deletions of failed Pods on one node."""


class DaemonSetController(Controller):
    """Keeps the Pods of each DaemonSet."""

    name = "daemonset-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.expectations = Expectations(clock)
        self.pod_control = PodControl(client, self.recorder, self.expectations)
        self._failed = Backoff(FIRST_DELAY, LONGEST_DELAY)
        self.daemons = self.informer(
            DaemonSet, indexers={"namespace": lambda each: [each.namespace]}, on_change=self._daemon_changed
        )
        mine = orphan_or_owned_by("DaemonSet")
        self.revisions = self.informer(
            ControllerRevision, indexers=by_owner(), accept=mine, on_change=self._revision_changed
        )  # fmt: skip
        self.nodes = self.informer(Node, on_change=self._node_changed)
        self.pods = self.informer(Pod, indexers=by_owner(), accept=mine, on_change=self._pod_changed)

    def reconcile(self, key: str) -> float | None:
        """Make and remove Pods where needed, take the next step of a rollout, then say in the status what is."""
        daemon = self.daemons.get(key)
        if daemon is None or daemon.metadata.deleting:
            return None
        candidates = self.revisions.by_index(OWNER, daemon.uid) + self.revisions.by_index(NO_OWNER, daemon.namespace)
        history = history_of(self.client, daemon, candidates)
        pods = self._pods_by_node(daemon)
        model = model_of(daemon)
        verdicts = {node.name: judge(model, node) for node in self.nodes.list()}
        own = history.update.name.removeprefix(f"{daemon.name}-")
        version = Version(
            new=lambda pod: pod.metadata.labels.get(POD_LABEL) == own,
            available=lambda pod: self._available(daemon, pod),
        )
        failure = None
        if self.expectations.satisfied(key):
            failure = self._act(daemon, own, verdicts, pods, version)
            live = [f"{daemon.name}-{pod.metadata.labels.get(POD_LABEL)}" for each in pods.values() for pod in each]
            forget(
                self.client,
                expired(history.versions, [history.update.name, *live], daemon.spec.revision_history_limit),
            )
        else:
            # What a broken watch has missed is never seen: then only time helps.
            self.queue.add_after(key, TIMEOUT + 1, background=True)
        self._write_status(daemon, verdicts, pods, version, history.collisions)
        if failure is not None:
            raise failure[1]
        return self._next_available(daemon, pods)

    def _pods_by_node(self, daemon: DaemonSet) -> dict[str, list[Pod]]:
        """Its Pods, by the node that each is on or is for; without those that have ended and are going."""
        candidates = self.pods.by_index(OWNER, daemon.uid) + self.pods.by_index(NO_OWNER, daemon.namespace)
        found: dict[str, list[Pod]] = {}
        for pod in claim(self.client, daemon, from_label_selector(daemon.spec.selector), candidates):
            if not (pod.finished and pod.metadata.deleting):
                found.setdefault(node_of(pod), []).append(pod)
        return found

    # What is to be done.

    def _act(
        self,
        daemon: DaemonSet,
        own: str,
        verdicts: Mapping[str, Verdict],
        pods: Mapping[str, Sequence[Pod]],
        version: Version,
    ) -> Failure | None:
        strategy, changes = daemon.spec.update_strategy, Changes()
        allowed = limits(strategy.rolling_update, sum(verdict.run for verdict in verdicts.values()))
        surges = strategy.type == "RollingUpdate" and allowed.surge > 0
        for node, verdict in verdicts.items():
            manage(changes, verdict, node, pods.get(node, ()), version, surges)
        # One that is for a node which has gone is never bound, and no kubelet will ever end it.
        lost = [pod for node, those in pods.items() if node not in verdicts for pod in those if not pod.spec.node_name]
        changes.delete += [*self._deletable(daemon, changes.ended), *lost]
        failure = self._apply(daemon, own, changes)
        if failure is None and strategy.type == "RollingUpdate" and self.expectations.satisfied(daemon.key):
            failure = self._apply(daemon, own, roll(verdicts, pods, version, allowed))
        return failure

    def _apply(self, daemon: DaemonSet, own: str, changes: Changes) -> Failure | None:
        failure = None
        if changes.create:
            bodies = [daemon_pod(daemon, own, node) for node in changes.create[:BURST]]
            failure = self.pod_control.create(daemon, bodies)
        if changes.delete:
            failure = self.pod_control.delete(daemon, changes.delete[:BURST]) or failure
        return failure

    def _deletable(self, daemon: DaemonSet, ended: Sequence[Pod]) -> list[Pod]:
        """Those that have ended, but for the failed ones whose turn has not come yet."""
        now, found = self.clock.now(), []
        for pod in ended:
            where = f"{pod.namespace}/{pod.name} on node {pod.spec.node_name}"
            if pod.status.phase == "Succeeded":
                message = f"Found succeeded daemon pod {where}, will try to delete it"
                self.recorder.event(daemon, "Normal", "SucceededDaemonPod", message)
                found.append(pod)
                continue
            key = f"{daemon.uid}/{daemon.status.observed_generation}/{pod.spec.node_name}"
            waited = self._failed.since(key, now)
            if waited < self._failed.get(key):
                self.queue.add_after(daemon.key, self._failed.get(key) - waited)
                continue
            self._failed.failed(key, now)
            message = f"Found failed daemon pod {where}, will try to kill it"
            self.recorder.event(daemon, "Warning", "FailedDaemonPod", message)
            found.append(pod)
        return found

    # What is.

    def _available(self, daemon: DaemonSet, pod: Pod) -> bool:
        return is_available(pod, daemon.spec.min_ready_seconds, self.clock.now())

    def _next_available(self, daemon: DaemonSet, pods: Mapping[str, Sequence[Pod]]) -> float | None:
        """In how many seconds the next Pod will have been ready for long enough; None if none is on the way."""
        long_enough = self.clock.now() - daemon.spec.min_ready_seconds
        waits = [ready_since(pod) - long_enough for each in pods.values() for pod in each if pod.ready]
        return min((wait for wait in waits if wait > 0), default=None)

    def _write_status(
        self,
        daemon: DaemonSet,
        verdicts: Mapping[str, Verdict],
        pods: Mapping[str, Sequence[Pod]],
        version: Version,
        collisions: int,
    ) -> None:
        wanted = [node for node, verdict in verdicts.items() if verdict.run]
        first = [min(pods[node], key=by_seniority) for node in wanted if pods.get(node)]
        available = sum(version.available(pod) for pod in first)
        status: JsonObject = {
            "observedGeneration": daemon.metadata.generation,
            "currentNumberScheduled": len(first),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": sum(not verdicts[node].run for node in pods if node in verdicts),
            "numberReady": sum(pod.ready for pod in first),
            "updatedNumberScheduled": sum(version.new(pod) for pod in first),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
        }
        if collisions:
            status["collisionCount"] = collisions
        seen = daemon.status.model_dump(by_alias=True)
        if any(seen[name] != value for name, value in status.items()):
            self.client.patch_status(DaemonSet, daemon.name, daemon.namespace, status)

    # What happened.

    def _daemon_changed(self, old: DaemonSet | None, new: DaemonSet | None) -> None:
        daemon = new or old
        assert daemon is not None
        if new is None:
            self.expectations.forget(daemon.key)
            self._failed.forget(f"{daemon.uid}/")
        self.queue.add(daemon.key)

    def _revision_changed(self, old: ControllerRevision | None, new: ControllerRevision | None) -> None:
        for each in (old, new):
            if each is not None:
                self._wake_owners(each)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        owner = pod.metadata.controller
        if owner is not None:
            key = f"{pod.namespace}/{owner.name}"
            if old is None:
                self.expectations.creation_observed(key)
            if new is None or new.metadata.deleting:
                self.expectations.deletion_observed(key, pod.uid)
        for each in (old, new):
            if each is not None:
                self._wake_owners(each)

    def _wake_owners(self, obj: Pod | ControllerRevision) -> None:
        manager = obj.metadata.controller
        if manager is not None:
            self.queue.add(f"{obj.namespace}/{manager.name}")
            return
        for daemon in self.daemons.by_index("namespace", obj.namespace):
            if from_label_selector(daemon.spec.selector).matches(obj.metadata.labels):
                self.queue.add(daemon.key)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        """A heartbeat wakes nobody: only what a placement depends on does."""
        if old is not None and new is not None and _placing(old) == _placing(new):
            return
        for daemon in self.daemons.list():
            model = model_of(daemon)
            was = judge(model, old) if old is not None else None
            if new is None or judge(model, new) != was:
                self.queue.add(daemon.key)


def _placing(node: Node) -> tuple[object, ...]:
    return node.metadata.labels, node.spec.taints
