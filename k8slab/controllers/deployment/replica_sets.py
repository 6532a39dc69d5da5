"""What a rollout writes: ReplicaSets are made, sized, and deleted when there are too many old ones.

Models: pkg/controller/deployment/sync.go (getNewReplicaSet, scaleReplicaSet, cleanupDeployment).
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller_ref import reference_to
from k8slab.client.recorder import EventRecorder
from k8slab.controllers.deployment import status as report
from k8slab.controllers.deployment.fences import Size, new_size
from k8slab.controllers.deployment.progress import Progress
from k8slab.controllers.deployment.revisions import (
    HASH_LABEL,
    REVISION,
    annotations_for,
    next_revision,
    revision_of,
    same_template,
    template_hash,
)
from k8slab.controllers.deployment.rollout import Rollout, size_of


class ReplicaSets:
    """Writes the ReplicaSets of Deployments."""

    def __init__(self, client: Client, recorder: EventRecorder, progress: Progress) -> None:
        self.client, self.recorder, self.progress = client, recorder, progress

    # Sizes.

    def resize(self, rollout: Rollout, rs: ReplicaSet, size: int) -> None:
        """Let it have so many Pods. Raises Conflict if it is no longer as we know it."""
        patch = {
            "metadata": {"annotations": rollout.share, "resourceVersion": rs.metadata.resource_version},
            "spec": {"replicas": size},
        }
        self.client.patch(ReplicaSet, rs.name, rs.namespace, patch)
        self._say_scaled(rollout.deployment, rs.name, rs.spec.replicas, size)

    def share_anew(self, rollout: Rollout, sets: Sequence[ReplicaSet]) -> bool:
        """Nothing to resize, but the annotations must say which size was taken into account. True if they did not."""
        share = rollout.share
        stale = [rs for rs in sets if any(rs.metadata.annotations.get(name) != text for name, text in share.items())]
        for rs in stale:
            self.client.patch(ReplicaSet, rs.name, rs.namespace, {"metadata": {"annotations": share}})
        return bool(stale)

    def _say_scaled(self, deployment: Deployment, name: str, before: int, after: int) -> None:
        word = "up" if after > before else "down"
        message = f"Scaled {word} replica set {name} from {before} to {after}"
        self.recorder.event(deployment, "Normal", "ScalingReplicaSet", message)

    # The new one.

    def ensure_new(self, rollout: Rollout) -> bool:
        """Whether the present version has a ReplicaSet, with its number; if not, it has one soon."""
        if rollout.new is None:
            self.create_new(rollout)
            return False
        return not self.renew(rollout)

    def renew(self, rollout: Rollout) -> bool:
        """Bring what the new ReplicaSet has from the Deployment, its template aside, up to date; True if it was not."""
        deployment, new = rollout.deployment, rollout.require_new()
        revision = max(next_revision(rollout.old), revision_of(new))
        wanted = annotations_for(deployment, new, revision)
        long_enough = deployment.spec.min_ready_seconds
        changed = wanted != new.metadata.annotations or long_enough != new.spec.min_ready_seconds
        if changed:
            patch = {"metadata": {"annotations": wanted}, "spec": {"minReadySeconds": long_enough}}
            self.client.patch(ReplicaSet, new.name, new.namespace, patch)
        self._number(deployment, revision)
        found = any(each.type == report.PROGRESSING for each in deployment.status.conditions)
        if not found and report.has_deadline(deployment):
            rollout.say_progress("FoundNewReplicaSet", f'Found new replica set "{new.name}"')
        return changed

    def create_new(self, rollout: Rollout) -> None:
        """A ReplicaSet for the present version, as large as the fences allow."""
        deployment = rollout.deployment
        name_hash = template_hash(deployment.spec.template, deployment.status.collision_count)
        name = f"{deployment.name}-{name_hash}"
        revision = next_revision(rollout.old)
        size = new_size(rollout.limits, Size(name, 0, 0), [size_of(rs) for rs in rollout.old])
        annotations = annotations_for(deployment, None, revision) | rollout.share
        body = _body(deployment, name_hash, annotations, size)
        try:
            rollout.made(ReplicaSet.of(self.client.create(ReplicaSet, body, deployment.namespace)))
        except AlreadyExists:
            self._after_collision(deployment, name)
            return
        except ApiError as error:
            message = f'Failed to create new replica set "{name}": {error.message}'
            self.recorder.event(deployment, "Warning", report.CREATE_FAILED, message)
            self.progress.write_failure(deployment, message)
            raise
        if size:
            self._say_scaled(deployment, name, 0, size)
        self._number(deployment, revision)
        rollout.say_progress("NewReplicaSetCreated", f'Created new replica set "{name}"')

    def _after_collision(self, deployment: Deployment, name: str) -> None:
        """The name is taken. If by our own, the cache will tell; if by another template, the next hash is another."""
        taken = self.client.get(ReplicaSet, name, deployment.namespace)
        manager = taken.metadata.controller
        if manager and manager.uid == deployment.uid and same_template(taken, deployment.spec.template):
            return
        count = (deployment.status.collision_count or 0) + 1
        self.client.patch_status(Deployment, deployment.name, deployment.namespace, {"collisionCount": count})

    def _number(self, deployment: Deployment, revision: int) -> None:
        if deployment.metadata.annotations.get(REVISION) != str(revision):
            patch = {"metadata": {"annotations": {REVISION: str(revision)}}}
            self.client.patch(Deployment, deployment.name, deployment.namespace, patch)

    # The old ones.

    def clean_up(self, rollout: Rollout) -> None:
        """Delete the oldest versions beyond the limit."""
        alive = [rs for rs in rollout.old if not rs.metadata.deleting]
        extra = len(alive) - rollout.deployment.spec.revision_history_limit
        for rs in sorted(alive, key=revision_of)[: max(0, extra)]:
            if rs.spec.replicas or rs.status.replicas or rs.metadata.generation > rs.status.observed_generation:
                continue
            try:
                self.client.delete(ReplicaSet, rs.name, rs.namespace, uid=rs.uid)
            except NotFound:
                continue


def _body(deployment: Deployment, name_hash: str, annotations: dict[str, str], size: int) -> JsonObject:
    template = copy_of(deployment.spec.template)
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH_LABEL] = name_hash
    selector = copy_of(dict(deployment.spec.selector))
    selector.setdefault("matchLabels", {})[HASH_LABEL] = name_hash
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{deployment.name}-{name_hash}",
            "labels": dict(labels),
            "annotations": annotations,
            "ownerReferences": [reference_to(deployment)],
        },
        "spec": {
            "replicas": size,
            "selector": selector,
            "template": template,
            "minReadySeconds": deployment.spec.min_ready_seconds,
        },
    }
