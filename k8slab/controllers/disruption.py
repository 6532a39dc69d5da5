"""The disruption controller: how many Pods of a budget may be missed right now.

It only counts, and writes the number into the budget's status; the API server's `/eviction` spends it
(`apiserver/subresources/eviction.py`). So two who drain nodes at once share one budget, and neither asks the other.

Models: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.policy import PodDisruptionBudget
from k8slab.apimachinery.errors import Conflict, NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.meta import OwnerReference
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import STRATEGIC, Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock, from_rfc3339, to_rfc3339
from k8slab.controllers.budget import DELETION_TIMEOUT, counts, healthy, needs_scale, seconds_to_stale, still_disrupted
from k8slab.names import Chance

LEFT_OUT = ("The scale of a custom kind is not asked for: a budget with a percentage over its Pods says SyncFailed.",)

SCALABLE = {
    ("apps/v1", "StatefulSet"): Resource("apps", "v1", "statefulsets", "StatefulSet"),
    ("v1", "ReplicationController"): Resource("", "v1", "replicationcontrollers", "ReplicationController"),
}
"""What else may own Pods, and has a `/scale`."""


POD = "pod "
"""What the keys of Pods begin with; all others are budgets."""
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB "
    "cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set "
    '".spec.minAvailable" field of the PDB to an integer value.'
)


class NoScale(Exception):
    """The number of Pods that there should be cannot be known."""


class DisruptionController(Controller):
    """Keeps the status of each PodDisruptionBudget."""

    name = "disruption-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        in_namespace = {"namespace": lambda obj: [obj.namespace]}
        self.budgets = self.informer(
            PodDisruptionBudget, indexers=in_namespace, on_change=lambda old, new: self._budget_changed(new or old)
        )
        self.pods = self.informer(Pod, indexers=in_namespace, on_change=self._pod_changed)
        self.sets = self.informer(ReplicaSet, on_change=self._scale_changed)
        self.deployments = self.informer(Deployment, on_change=self._scale_changed)

    def reconcile(self, key: str) -> float | None:
        """Count, and write the status if it differs. Again when the next eviction that never arrived is forgotten.

        Besides, a Pod of which was said that it is to go, and which does not go, is no longer said so.
        """
        if key.startswith(POD):
            self._take_back(key)
            return None
        budget = self.budgets.get(key)
        if budget is None:
            return None
        selector = from_label_selector(budget.spec.selector)
        pods = [
            pod for pod in self.pods.by_index("namespace", budget.namespace) if selector.matches(pod.metadata.labels)
        ]
        if not pods:
            self.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            scale = self._scale(budget, pods) if needs_scale(budget.spec) else 0
        except NoScale as problem:
            message = f"Failed to calculate the number of expected pods: {problem}"
            self.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message)
            self._write(budget, {"disruptionsAllowed": 0}, "SyncFailed", str(problem))
            return None
        now = self.clock.now()
        expected, desired = counts(budget.spec, len(pods), scale)
        disrupted = still_disrupted(pods, budget.status.disrupted_pods, now)
        self._tell_who_is_still_there(budget, pods, disrupted)
        current = healthy(pods, disrupted)
        allowed = max(0, current - desired) if expected > 0 else 0
        status = {
            "observedGeneration": budget.metadata.generation,
            "expectedPods": expected,
            "desiredHealthy": desired,
            "currentHealthy": current,
            "disruptionsAllowed": allowed,
            "disruptedPods": disrupted,
        }
        self._write(budget, status, "SufficientPods" if allowed else "InsufficientPods")
        ends = [from_rfc3339(when) + DELETION_TIMEOUT - now for when in disrupted.values()]
        return min(ends, default=None)

    def _tell_who_is_still_there(
        self, budget: PodDisruptionBudget, pods: list[Pod], disrupted: Mapping[str, str]
    ) -> None:  # fmt: skip
        """An eviction that came to nothing."""
        # Upstream names the namespace twice.
        message = f"Pod was expected by PDB {budget.namespace}/{budget.namespace} to be deleted but it wasn't"
        for pod in pods:
            if pod.name in budget.status.disrupted_pods and pod.name not in disrupted and not pod.metadata.deleting:
                self.recorder.event(pod, "Warning", "NotDeleted", message)

    def _take_back(self, key: str) -> None:
        pod = self.pods.get(key.removeprefix(POD))
        wait = seconds_to_stale(pod, self.clock.now()) if pod is not None else None
        if pod is None or wait is None:
            return
        if wait > 0:
            self.queue.add_after(key, wait, background=True)
            return
        condition = {"type": "DisruptionTarget", "status": "False", "reason": None, "message": None}
        condition["lastTransitionTime"] = to_rfc3339(self.clock.now())
        patch = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
        with suppress(NotFound, Conflict):
            self.client.patch(Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC, subresource="status")

    # How many there should be.

    def _scale(self, budget: PodDisruptionBudget, pods: list[Pod]) -> int:
        """The sum of what the Pods' controllers should have. Raises NoScale."""
        scales: dict[str, int] = {}
        seen: set[str] = set()
        for pod in pods:
            owner = pod.metadata.controller
            if owner is None or owner.uid in seen:
                continue
            seen.add(owner.uid)
            found = self._scale_of(budget.namespace, owner)
            if found is None:
                raise NoScale(f'found no controllers for pod "{pod.name}"')
            scales[found[0]] = found[1]
        if any(pod.metadata.controller is None for pod in pods):  # they count for nothing: nobody would replace them
            message = UNMANAGED.format(in_go(budget.spec.selector or {}))
            self.recorder.event(budget, "Warning", "UnmanagedPods", message)
        return sum(scales.values())

    def _scale_of(self, namespace: str, owner: OwnerReference) -> tuple[str, int] | None:
        """(UID of who decides, how many it wants): a ReplicaSet's Deployment decides for it. None: it is gone. Raises NoScale."""
        if (owner.api_version, owner.kind) == ("apps/v1", "ReplicaSet"):
            rs = self.sets.get(f"{namespace}/{owner.name}")
            if rs is None or rs.uid != owner.uid:
                return None
            above = rs.metadata.controller
            deployment = self.deployments.get(f"{namespace}/{above.name}") if above is not None else None
            return (deployment.uid, deployment.spec.replicas) if deployment is not None else (rs.uid, rs.spec.replicas)
        resource = SCALABLE.get((owner.api_version, owner.kind))
        if resource is None:
            raise NoScale(
                f"{owner.kind.lower()}s.{owner.api_version.partition('/')[0]} does not implement the scale subresource"
            )
        try:
            scale = self.client.raw("GET", resource.path(namespace, owner.name, "scale"))
        except NotFound:
            return None
        return owner.uid, scale["spec"].get("replicas", 0)

    # The status.

    def _write(self, budget: PodDisruptionBudget, status: JsonObject, reason: str, message: str = "") -> None:
        allowed = "True" if reason == "SufficientPods" else "False"
        before = next((each for each in budget.status.conditions if each.type == "DisruptionAllowed"), None)
        same = before is not None and before.status == allowed
        condition = {
            "type": "DisruptionAllowed",
            "status": allowed,
            "reason": reason,
            "message": message,
            "observedGeneration": status.get("observedGeneration", budget.status.observed_generation),
            "lastTransitionTime": before.last_transition_time if before and same else to_rfc3339(self.clock.now()),
        }
        known = budget.status.model_dump(by_alias=True, exclude={"conditions"})
        seen = before is not None and (before.status, before.reason) == (allowed, reason)
        if seen and all(known.get(name) == value for name, value in status.items()):
            return
        # Whole, and with what was read: an eviction that was counted meanwhile must not be lost.
        status = {**known, **status, "conditions": [condition]}
        if not status["disruptedPods"]:
            del status["disruptedPods"]
        body = {
            "apiVersion": budget.resource.api_version,
            "kind": budget.resource.kind,
            "metadata": {
                "name": budget.name,
                "namespace": budget.namespace,
                "resourceVersion": budget.metadata.resource_version,
            },
            "spec": budget.spec.model_dump(by_alias=True, exclude_none=True),
            "status": status,
        }
        self.client.update(PodDisruptionBudget, body, subresource="status")

    # What happened.

    def _budget_changed(self, budget: PodDisruptionBudget | None) -> None:
        if budget is not None:
            self.queue.add(budget.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is not None and (wait := seconds_to_stale(new, self.clock.now())) is not None:
            self.queue.add_after(POD + new.key, wait, background=True)
        for budget in self.budgets.by_index("namespace", pod.namespace):
            selector = from_label_selector(budget.spec.selector)
            if any(each is not None and selector.matches(each.metadata.labels) for each in (old, new)):
                self.queue.add(budget.key)

    def _scale_changed(self, old: ReplicaSet | Deployment | None, new: ReplicaSet | Deployment | None) -> None:
        obj = new or old
        assert obj is not None
        if old is None or new is None or old.spec.replicas != new.spec.replicas:
            for budget in self.budgets.by_index("namespace", obj.namespace):
                self.queue.add(budget.key)


def in_go(selector: Mapping[str, Any]) -> str:
    """A label selector, as Go prints it."""
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{each['key']},Operator:{each['operator']},"
        f"Values:[{' '.join(each.get('values') or ())}],}},"
        for each in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
