"""The StatefulSet controller: Pods with names that stay.

`web-0`, `web-1`, ... are made and removed one after the other (`ordinals.py`), and each gets the same claims again
(`stateful_pod.py`). Versions are ControllerRevisions (`history.py`). It needs no expectations: a name can be taken only once,
and a Pod is deleted by its UID, so that acting twice on old news does nothing.

A version that never becomes ready holds an ordered set up, even when the template goes back: its Pod must be deleted by hand.
So it is upstream.

Models: pkg/controller/statefulset/stateful_set.go, stateful_set_control.go, stateful_pod_control.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.api.apps import ControllerRevision, StatefulSet
from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.clock import Clock
from k8slab.controllers.history import POD_LABEL, History, expired, forget, history_of, template_of
from k8slab.controllers.ordinals import (
    CREATE,
    Plan,
    Step,
    next_steps,
    ordinal_of,
    ordinals_of,
    unavailable_of,
    update_from,
)
from k8slab.controllers.ownership import NO_OWNER, OWNER, by_owner, orphan_or_owned_by
from k8slab.controllers.pod_ranking import is_available, ready_since
from k8slab.controllers.stateful_pod import claim_owners, claims_of, identity_labels, stateful_pod
from k8slab.names import Chance

LEFT_OUT = ("Claims are made and kept, but nothing binds them to volumes: Pods do not wait for their claims.",)


class StatefulSetController(Controller):
    """Keeps the Pods of each StatefulSet."""

    name = "statefulset-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.sets = self.informer(
            StatefulSet,
            indexers={"namespace": lambda each: [each.namespace]},
            on_change=lambda old, new: self._set_changed(new or old),
        )
        mine = orphan_or_owned_by("StatefulSet")
        self.revisions = self.informer(
            ControllerRevision, indexers=by_owner(), accept=mine, on_change=self._dependent_changed
        )  # fmt: skip
        self.pods = self.informer(Pod, indexers=by_owner(), accept=mine, on_change=self._dependent_changed)

    def reconcile(self, key: str) -> float | None:
        """One step of each Pod that may take one, then the status."""
        stateful = self.sets.get(key)
        if stateful is None or stateful.metadata.deleting:
            return None  # its Pods and versions go with it, and are not to be made again
        pods = self._pods_of(stateful)
        history = history_of(self.client, stateful, self._candidates(stateful))
        current = history.named(stateful.status.current_revision) or history.update
        failure = self._act(stateful, history, current, pods)
        self._write_status(stateful, history, current, list(pods.values()))
        if failure is not None:
            raise failure
        live = [current.name, history.update.name, *(_version_of(pod) for pod in pods.values())]
        forget(self.client, expired(history.versions, live, stateful.spec.revision_history_limit))
        return self._next_available(stateful, pods)

    def _pods_of(self, stateful: StatefulSet) -> dict[int, Pod]:
        """Its Pods, by ordinal."""
        candidates = self.pods.by_index(OWNER, stateful.uid) + self.pods.by_index(NO_OWNER, stateful.namespace)
        # A Pod that bears another's name is nobody's, whatever its labels.
        named = [pod for pod in candidates if ordinal_of(pod.name, stateful.name) is not None]
        kept = claim(self.client, stateful, from_label_selector(stateful.spec.selector), named)
        return {ordinal_of(pod.name, stateful.name) or 0: pod for pod in kept}

    def _candidates(self, stateful: StatefulSet) -> list[ControllerRevision]:
        return self.revisions.by_index(OWNER, stateful.uid) + self.revisions.by_index(NO_OWNER, stateful.namespace)

    # What is to be done.

    def _act(
        self, stateful: StatefulSet, history: History, current: ControllerRevision, pods: Mapping[int, Pod]
    ) -> ApiError | None:
        """Do the next steps; the error, if one failed."""
        plan = Plan(
            ordinals=ordinals_of(stateful),
            ordered=stateful.spec.pod_management_policy == "OrderedReady",
            available=lambda pod: self._is_available(stateful, pod),
            outdated=lambda pod: _version_of(pod) != history.update.name,
            update_from=update_from(stateful),
            unavailable=unavailable_of(stateful),
        )
        try:
            for ordinal, pod in pods.items():
                self._repair(stateful, ordinal, pod, condemned=ordinal not in plan.ordinals)
            for step in next_steps(plan, pods):
                if step.verb == CREATE:
                    before = plan.update_from is not None and step.ordinal < plan.update_from
                    self._create(stateful, current if before else history.update, step.ordinal)
                else:
                    self._delete(stateful, step)
        except ApiError as error:
            return error
        return None

    def _create(self, stateful: StatefulSet, version: ControllerRevision, ordinal: int) -> None:
        self._make_claims(stateful, ordinal)
        body = stateful_pod(stateful, template_of(version), version.name, ordinal)
        name = body["metadata"]["name"]
        try:
            self.client.create(Pod, body, stateful.namespace)
        except AlreadyExists:
            raise  # ours, and the cache does not know yet; or another's, and all we can do is wait
        except ApiError as error:
            self._say(stateful, "create", f"Pod {name} in", error)
            raise
        self._say(stateful, "create", f"Pod {name} in")

    def _delete(self, stateful: StatefulSet, step: Step) -> None:
        assert step.pod is not None
        try:
            self.client.delete(Pod, step.pod.name, step.pod.namespace, uid=step.pod.uid)
        except NotFound:
            return
        except ApiError as error:
            self._say(stateful, "delete", f"Pod {step.pod.name} in", error)
            raise
        self._say(stateful, "delete", f"Pod {step.pod.name} in")

    def _make_claims(self, stateful: StatefulSet, ordinal: int) -> None:
        """Those that are missing: a claim is kept when its Pod goes, and found again."""
        for _, body in claims_of(stateful, ordinal):
            name = body["metadata"]["name"]
            try:
                self.client.get(PersistentVolumeClaim, name, stateful.namespace)
                continue
            except NotFound:
                body["metadata"]["ownerReferences"] = claim_owners(stateful, None)
            what = f"Claim {name} Pod {stateful.name}-{ordinal} in"
            try:
                self.client.create(PersistentVolumeClaim, body, stateful.namespace)
            except ApiError as error:
                self._say(stateful, "create", what.replace(" Pod", " for Pod"), error)
                raise
            self._say(stateful, "create", what, outcome="success")

    def _repair(self, stateful: StatefulSet, ordinal: int, pod: Pod, condemned: bool) -> None:
        """What its identity rests on: the labels, its claims, and who takes these along."""
        if pod.metadata.deleting:
            return
        labels = identity_labels(pod.name, ordinal)
        if any(pod.metadata.labels.get(name) != value for name, value in labels.items()):
            self.client.patch(Pod, pod.name, pod.namespace, {"metadata": {"labels": labels}})
            self._say(stateful, "update", f"Pod {pod.name} in")
        if not stateful.spec.volume_claim_templates:
            return
        if pod.status.phase == "Pending":
            self._make_claims(stateful, ordinal)
        if stateful.spec.persistent_volume_claim_retention_policy.when_scaled != "Delete":
            return
        owners = claim_owners(stateful, pod if condemned else None)
        for _, body in claims_of(stateful, ordinal):
            found = self.client.get(PersistentVolumeClaim, body["metadata"]["name"], stateful.namespace)
            if [each.uid for each in found.metadata.owner_references] != [each["uid"] for each in owners]:
                patch = {"metadata": {"ownerReferences": owners}}
                self.client.patch(PersistentVolumeClaim, found.name, found.namespace, patch)

    def _say(
        self, stateful: StatefulSet, verb: str, what: str, error: ApiError | None = None, outcome: str = "successful"
    ) -> None:
        about = f"{verb} {what} StatefulSet {stateful.name}"
        if error is None:
            self.recorder.event(stateful, "Normal", f"Successful{verb.title()}", f"{about} {outcome}")
        else:
            self.recorder.event(stateful, "Warning", f"Failed{verb.title()}", f"{about} failed error: {error.message}")

    # What is.

    def _is_available(self, stateful: StatefulSet, pod: Pod) -> bool:
        return pod.status.phase == "Running" and is_available(pod, stateful.spec.min_ready_seconds, self.clock.now())

    def _next_available(self, stateful: StatefulSet, pods: Mapping[int, Pod]) -> float | None:
        """In how many seconds the next Pod will have been ready for long enough; None if none is on the way."""
        long_enough = self.clock.now() - stateful.spec.min_ready_seconds
        waits = [ready_since(pod) - long_enough for pod in pods.values() if pod.ready]
        return min((wait for wait in waits if wait > 0), default=None)

    def _write_status(
        self, stateful: StatefulSet, history: History, current: ControllerRevision, pods: list[Pod]
    ) -> None:
        staying = [_version_of(pod) for pod in pods if not pod.metadata.deleting]
        status: JsonObject = {
            "observedGeneration": stateful.metadata.generation,
            "replicas": len(pods),
            "readyReplicas": sum(pod.status.phase == "Running" and pod.ready for pod in pods),
            "availableReplicas": sum(self._is_available(stateful, pod) for pod in pods),
            "currentReplicas": staying.count(current.name),
            "updatedReplicas": staying.count(history.update.name),
            "currentRevision": current.name,
            "updateRevision": history.update.name,
            "collisionCount": history.collisions,
        }
        if stateful.spec.update_strategy.type == "RollingUpdate" and _is_done(status, stateful.spec.replicas):
            status["currentReplicas"], status["currentRevision"] = status["updatedReplicas"], history.update.name
        if status != stateful.status.model_dump(by_alias=True):
            self.client.patch_status(StatefulSet, stateful.name, stateful.namespace, status)

    # What happened.

    def _set_changed(self, stateful: StatefulSet | None) -> None:
        assert stateful is not None
        self.queue.add(stateful.key)

    def _dependent_changed(self, old: Pod | ControllerRevision | None, new: Pod | ControllerRevision | None) -> None:
        for obj in (old, new):
            if obj is None:
                continue
            manager = obj.metadata.controller
            if manager is not None:
                self.queue.add(f"{obj.namespace}/{manager.name}")
                continue
            for stateful in self.sets.by_index("namespace", obj.namespace):
                if from_label_selector(stateful.spec.selector).matches(obj.metadata.labels):
                    self.queue.add(stateful.key)


def _version_of(pod: Pod) -> str:
    return pod.metadata.labels.get(POD_LABEL, "")


def _is_done(status: JsonObject, replicas: int) -> bool:
    return all(status[name] == replicas for name in ("updatedReplicas", "readyReplicas", "replicas"))
