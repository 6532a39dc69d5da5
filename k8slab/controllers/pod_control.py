"""Making and deleting Pods for an owner: few requests when they fail, events, and what is expected to be seen of it.

Creation starts slowly, in batches of 1, 2, 4, ...: if Pods can't be created at all, few requests find that out.

Models: pkg/controller/controller_utils.go (RealPodControl, GetPodFromTemplate, SlowStartInitialBatchSize).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.controller_ref import reference_to
from k8slab.client.expectations import Expectations
from k8slab.client.recorder import EventRecorder

BURST = 500
"""Pods created or deleted in one reconcile at most."""
Failure = tuple[str, ApiError]
"""FailedCreate or FailedDelete, and why."""


def pod_from_template(owner: KubeObject, template: JsonObject, prefix: str = "") -> JsonObject:
    """The body of a Pod of this owner, but for its name, which begins as the owner's or with `prefix`."""
    meta = template.get("metadata") or {}
    kept = {name: meta[name] for name in ("labels", "annotations", "finalizers") if meta.get(name)}
    base = prefix or f"{owner.name}-"
    metadata: dict[str, Any] = {"generateName": base, **kept, "ownerReferences": [reference_to(owner)]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec") or {}}


class PodControl:
    """Acts for one controller."""

    def __init__(self, client: Client, recorder: EventRecorder, expectations: Expectations) -> None:
        self._client, self._recorder, self._expectations = client, recorder, expectations

    def create(self, owner: KubeObject, bodies: Sequence[JsonObject]) -> Failure | None:
        """Create Pods, and expect to see them; the last failure of the first batch in which one failed."""
        key, made, batch = owner.key, 0, 1
        self._expectations.expect_creations(key, len(bodies))
        while made < len(bodies):
            failed: ApiError | None = None
            size = min(batch, len(bodies) - made)
            for body in bodies[made : made + size]:
                try:
                    pod = self._client.create(Pod, body, owner.namespace)
                    self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
                except ApiError as error:
                    failed = error
                    self._expectations.creation_observed(key)
                    self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            made += size
            if failed is not None:
                for _ in range(len(bodies) - made):
                    self._expectations.creation_observed(key)
                return "FailedCreate", failed
            batch *= 2
        return None

    def delete(self, owner: KubeObject, pods: Sequence[Pod]) -> Failure | None:
        """Delete Pods, and expect to see them go; the last failure. One that has gone already is fine."""
        key, failure = owner.key, None
        self._expectations.expect_deletions(key, [pod.uid for pod in pods])
        for pod in pods:
            try:
                self._client.delete(Pod, pod.name, pod.namespace, uid=pod.uid)
                self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.name}")
            except NotFound:
                self._expectations.deletion_observed(key, pod.uid)
            except ApiError as error:
                self._expectations.deletion_observed(key, pod.uid)
                self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
                failure = ("FailedDelete", error)
        return failure
