"""The ReplicaSet controller: as many Pods as there should be.

    diff = active Pods - spec.replicas
    diff < 0: create (`pod_control.py`)
    diff > 0: delete, least harm first (`pod_ranking.py`)

It acts only when it has seen what it did last (`client/expectations.py`): its cache may be behind. How many Pods are active,
ready or going is a running sum over the cache (`Tally`), so that a reconcile costs the same with 10 Pods or 10,000.

Models: pkg/controller/replicaset/replica_set.go, replica_set_utils.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.client.expectations import TIMEOUT, Expectations
from k8slab.client.informer import Tally
from k8slab.clock import Clock, to_rfc3339
from k8slab.controllers.pod_control import BURST, Failure, PodControl, pod_from_template
from k8slab.controllers.pod_ranking import rank_for_deletion, ready_since
from k8slab.names import Chance

LEFT_OUT = (
    "The consistency store of 1.36 (wait until the cache has reached the last write) is left out: expectations alone guard.",
)

OWNER, NO_OWNER = "owner", "no-owner"
ACTIVE, READY, GOING = range(3)


class ReplicaSetController(Controller):
    """Keeps the number of Pods of each ReplicaSet."""

    name = "replicaset-controller"
    rank = staticmethod(rank_for_deletion)
    """Which Pods go first."""

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.expectations = Expectations(clock)
        self.pod_control = PodControl(client, self.recorder, self.expectations)
        self.sets = self.informer(
            ReplicaSet, indexers={OWNER: _owners, "namespace": lambda rs: [rs.namespace]}, on_change=self._set_changed
        )
        self.pods = self.informer(
            Pod, indexers={OWNER: _owners, NO_OWNER: _without_owner}, on_change=self._pod_changed
        )  # fmt: skip
        self._tally = Tally(self.pods, _owner, _counts)
        # UIDs of ReplicaSets whose Pods must be looked at one by one: labels or owners have changed.
        self._suspect: set[str] = set()

    def reconcile(self, key: str) -> float | None:
        """Bring the number of Pods closer to what it should be, then say in the status what is."""
        rs = self.sets.get(key)
        if rs is None:
            return None
        counts = self._tally.get(rs.uid, 3)
        settled = self.expectations.satisfied(key)
        if rs.uid not in self._suspect and counts[ACTIVE] == rs.spec.replicas and not rs.spec.min_ready_seconds:
            self._write_status(rs, _status(rs, counts, counts[ACTIVE], counts[READY]), None)
            return None

        selector = from_label_selector(rs.spec.selector)
        pods = claim(self.client, rs, selector, self._candidates(rs))
        self._suspect.discard(rs.uid)
        active = [pod for pod in pods if pod.active]
        failure = None
        if settled and not rs.metadata.deleting:
            failure = self._manage(rs, active)
        if not settled:
            # What a broken watch has missed is never seen: then only time helps.
            self.queue.add_after(key, TIMEOUT + 1, background=True)
        self._write_status(rs, self._status_of(rs, pods, active), failure)
        return self._next_available(rs, active)

    # What is to be done.

    def _manage(self, rs: ReplicaSet, active: list[Pod]) -> Failure | None:
        """Create or delete Pods; the reason and the error if that failed."""
        diff = len(active) - rs.spec.replicas
        if diff < 0:
            body = pod_from_template(rs, rs.spec.template)
            return self.pod_control.create(rs, [copy_of(body) for _ in range(min(-diff, BURST))])
        if diff > 0:
            ranked = self.rank(active, self._related(rs, active), self.clock.now())
            return self.pod_control.delete(rs, ranked[: min(diff, BURST)])
        return None

    def _candidates(self, rs: ReplicaSet) -> list[Pod]:
        return self.pods.by_index(OWNER, rs.uid) + self.pods.by_index(NO_OWNER, rs.namespace)

    def _related(self, rs: ReplicaSet, active: list[Pod]) -> Iterable[Pod]:
        """All active Pods of the same Deployment: two on one node are worse than two on two nodes."""
        manager = rs.metadata.controller
        if manager is None:
            return active
        siblings = self.sets.by_index(OWNER, manager.uid)
        return [pod for each in siblings for pod in self.pods.by_index(OWNER, each.uid) if pod.active]

    # What is.

    def _status_of(self, rs: ReplicaSet, pods: list[Pod], active: list[Pod]) -> JsonObject:
        labels = from_label_selector({"matchLabels": (rs.spec.template.get("metadata") or {}).get("labels") or {}})
        labeled = sum(1 for pod in active if labels.matches(pod.metadata.labels))
        ready = [pod for pod in active if pod.ready]
        long_enough = self.clock.now() - rs.spec.min_ready_seconds
        available = sum(1 for pod in ready if not rs.spec.min_ready_seconds or ready_since(pod) <= long_enough)
        going = sum(1 for pod in pods if pod.metadata.deleting and not pod.finished)
        return _status(rs, (len(active), len(ready), going), labeled, available)

    def _next_available(self, rs: ReplicaSet, active: list[Pod]) -> float | None:
        """In how many seconds the next Pod will have been ready for long enough; None if none is on the way."""
        long_enough = self.clock.now() - rs.spec.min_ready_seconds
        waits = [ready_since(pod) - long_enough for pod in active if pod.ready]
        return min((wait for wait in waits if wait > 0), default=None)

    def _write_status(self, rs: ReplicaSet, status: JsonObject, failure: Failure | None) -> None:
        """Write the status if it differs. Raises the failure, so that the key comes back later."""
        before = [condition for condition in rs.status.conditions if condition.type == "ReplicaFailure"]
        if failure is not None:
            # Said once: the next failure's message may differ in a name that was never given.
            if not before or before[0].reason != failure[0]:
                status["conditions"] = [
                    {"type": "ReplicaFailure", "status": "True", "reason": failure[0], "message": failure[1].message}
                    | {"lastTransitionTime": to_rfc3339(self.clock.now())}
                ]
        elif before:
            status["conditions"] = None  # not there at all, as if there had never been one
        if status != _seen_status(rs, "conditions" in status):
            self.client.patch_status(ReplicaSet, rs.name, rs.namespace, status)
        if failure is not None:
            raise failure[1]

    # What happened.

    def _set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        rs = new or old
        assert rs is not None
        if old is None or new is None or old.spec.selector != new.spec.selector or new.metadata.deleting:
            self._suspect.add(rs.uid)
        if new is None:
            self._suspect.discard(rs.uid)
            self.expectations.forget(rs.key)
        self.queue.add(rs.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        owner = pod.metadata.controller
        if old is not None and new is not None and old.metadata.controller != owner and old.metadata.controller:
            self._wake_owner(old.namespace, old.metadata.controller.name, old.metadata.controller.uid, suspect=True)
        if owner is None:
            for each in self.sets.by_index("namespace", pod.namespace):
                if from_label_selector(each.spec.selector).matches(pod.metadata.labels):
                    self._wake_owner(each.namespace, each.name, each.uid, suspect=True)
            return
        key = f"{pod.namespace}/{owner.name}"
        rs = self.sets.get(key)
        if owner.kind != "ReplicaSet" or rs is None or rs.uid != owner.uid:
            return
        if old is None:
            self.expectations.creation_observed(key)
        if new is None or new.metadata.deleting:
            self.expectations.deletion_observed(key, pod.uid)
        relabeled = old is not None and new is not None and old.metadata.labels != new.metadata.labels
        self._wake_owner(pod.namespace, owner.name, owner.uid, suspect=relabeled)

    def _wake_owner(self, namespace: str, name: str, uid: str, suspect: bool) -> None:
        rs = self.sets.get(f"{namespace}/{name}")
        if rs is None or rs.uid != uid:
            return
        if suspect:
            self._suspect.add(uid)
        self.queue.add(rs.key)


def _status(rs: ReplicaSet, counts: tuple[int, ...], labeled: int, available: int) -> JsonObject:
    return {
        "replicas": counts[ACTIVE],
        "fullyLabeledReplicas": labeled,
        "readyReplicas": counts[READY],
        "availableReplicas": available,
        "terminatingReplicas": counts[GOING],
        "observedGeneration": rs.metadata.generation,
    }


def _seen_status(rs: ReplicaSet, with_conditions: bool) -> JsonObject:
    """The status that the cache knows, in the form in which we write it."""
    seen = rs.status
    found: JsonObject = {
        "replicas": seen.replicas,
        "fullyLabeledReplicas": seen.fully_labeled_replicas,
        "readyReplicas": seen.ready_replicas,
        "availableReplicas": seen.available_replicas,
        "terminatingReplicas": seen.terminating_replicas,
        "observedGeneration": seen.observed_generation,
    }
    if with_conditions:
        found["conditions"] = [
            {"type": each.type, "status": each.status, "reason": each.reason, "message": each.message}
            | {"lastTransitionTime": each.last_transition_time}
            for each in seen.conditions
        ]
    return found


def _owner(pod: Pod) -> str | None:
    owner = pod.metadata.controller
    return owner.uid if owner else None


def _owners(obj: Pod | ReplicaSet) -> list[str]:
    owner = obj.metadata.controller
    return [owner.uid] if owner else []


def _without_owner(pod: Pod) -> list[str]:
    return [] if pod.metadata.controller else [pod.namespace]


def _counts(pod: Pod) -> tuple[int, ...]:
    return int(pod.active), int(pod.active and pod.ready), int(pod.metadata.deleting and not pod.finished)
