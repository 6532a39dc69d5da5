"""The Deployment controller: from one version of a Pod to the next.

It makes no Pods. It keeps one ReplicaSet for each version of the template, lets the newest grow and the others shrink within
the fences of `rolling.py`, and reports in the status (`deployment_status.py`). Each reconcile does one kind of write, and
waits for what comes of it.

Models: pkg/controller/deployment/deployment_controller.go, sync.go, rolling.go, recreate.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim, reference_to
from k8slab.clock import Clock
from k8slab.controllers import deployment_status as report
from k8slab.controllers.revisions import (
    DESIRED,
    HASH_LABEL,
    MAXIMUM,
    REVISION,
    annotations_for,
    by_age,
    new_replica_set,
    next_revision,
    revision_of,
    same_template,
    share_annotations,
    template_hash,
)
from k8slab.controllers.rolling import Fences, Size, fences, new_size, old_sizes, proportions
from k8slab.names import Chance

LEFT_OUT = (
    "The annotation of the old rollback API is not looked at.",
    "After a scaling step upstream's status leaves out progress; here it is worked out as always.",
    "A ReplicaSet without its annotation of the maximum counts by the sum of the specs; upstream takes the status.",
)

OWNER, NO_OWNER = "owner", "no-owner"


class DeploymentController(Controller):
    """Rolls Deployments out."""

    name = "deployment-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.deployments = self.informer(
            Deployment, indexers={"namespace": lambda each: [each.namespace]}, on_change=self._deployment_changed
        )
        self.sets = self.informer(
            ReplicaSet, indexers={OWNER: _owners, NO_OWNER: _without_owner}, on_change=self._set_changed
        )  # fmt: skip

    def reconcile(self, key: str) -> float | None:
        """One step of a rollout."""
        deployment = self.deployments.get(key)
        if deployment is None:
            return None
        if not deployment.spec.selector:
            message = "This deployment is selecting all pods. A non-empty selector is required."
            self.recorder.event(deployment, "Warning", "SelectingAll", message)
            return None
        selector = from_label_selector(deployment.spec.selector)
        candidates = self.sets.by_index(OWNER, deployment.uid) + self.sets.by_index(NO_OWNER, deployment.namespace)
        owned = sorted(claim(self.client, deployment, selector, candidates), key=by_age)
        rollout = _Rollout(deployment, new_replica_set(deployment, owned), owned)
        if deployment.metadata.deleting:
            self._write_status(rollout)
            return None
        if self._note_pause(deployment):
            return None
        if deployment.spec.paused or self._was_scaled(rollout):
            renewed = rollout.new is not None and self._renew(rollout)
            if not renewed and not self._scale(rollout) and deployment.spec.paused:
                self._clean_up(rollout)
        elif deployment.spec.strategy.type == "Recreate":
            self._recreate(rollout)
        else:
            self._roll(rollout)
        self._write_status(rollout)
        return None

    # The two strategies.

    def _roll(self, rollout: _Rollout) -> None:
        if not self._ensure_new(rollout):
            return
        new, limits = rollout.require_new(), rollout.limits
        size = new_size(limits, _size(new), [_size(rs) for rs in rollout.old])
        if size != new.spec.replicas:
            self._resize(rollout, new, size)
            return
        smaller = old_sizes(limits, _size(new), [_size(rs) for rs in rollout.old if rs.spec.replicas])
        for rs in rollout.old:
            if rs.name in smaller:
                self._resize(rollout, rs, smaller[rs.name])
        if not smaller and report.is_complete(rollout.deployment, rollout.counts):
            self._clean_up(rollout)

    def _recreate(self, rollout: _Rollout) -> None:
        busy = [rs for rs in rollout.old if rs.spec.replicas]
        for rs in busy:
            self._resize(rollout, rs, 0)
        if busy or any(self._still_runs(rs) for rs in rollout.old):
            return
        if not self._ensure_new(rollout):
            return
        new = rollout.require_new()
        if new.spec.replicas != rollout.deployment.spec.replicas:
            self._resize(rollout, new, rollout.deployment.spec.replicas)
        elif report.is_complete(rollout.deployment, rollout.counts):
            self._clean_up(rollout)

    def _still_runs(self, rs: ReplicaSet) -> bool:
        """Whether a Pod of an old version has not ended yet: asked of the server, for the last word."""
        if rs.status.replicas or rs.status.observed_generation < rs.metadata.generation:
            return True
        if not rs.status.terminating_replicas:
            return False
        pods = self.client.list(Pod, rs.namespace, labels=str(from_label_selector(rs.spec.selector)))
        return any(
            pod.metadata.controller and pod.metadata.controller.uid == rs.uid and not pod.finished for pod in pods
        )

    # Scaling.

    def _was_scaled(self, rollout: _Rollout) -> bool:
        """Whether the Deployment was scaled since its ReplicaSets were sized."""
        wanted = str(rollout.deployment.spec.replicas)
        return any(rs.spec.replicas and rs.metadata.annotations.get(DESIRED, wanted) != wanted for rs in rollout.all)

    def _scale(self, rollout: _Rollout) -> bool:
        """Give each ReplicaSet its share; True if one was resized."""
        deployment, limits = rollout.deployment, rollout.limits
        active = sorted((rs for rs in rollout.all if rs.spec.replicas), key=by_age, reverse=True)
        if len(active) <= 1:
            only = active[0] if active else (rollout.new or (rollout.old[-1] if rollout.old else None))
            if only is None or only.spec.replicas == deployment.spec.replicas:
                return self._share_anew(rollout, active)
            self._resize(rollout, only, deployment.spec.replicas)
            return True
        new = rollout.new
        if new is not None and _is_saturated(new, deployment):
            rest = [rs for rs in active if rs is not new]
            for rs in rest:
                self._resize(rollout, rs, 0)
            return bool(rest)
        if deployment.spec.strategy.type != "RollingUpdate":
            return False
        sizes = proportions(limits, [_size(rs) for rs in active])
        changed = [rs for rs in active if sizes[rs.name] != rs.spec.replicas]
        for rs in changed:
            self._resize(rollout, rs, sizes[rs.name])
        return bool(changed) or self._share_anew(rollout, active)

    def _share_anew(self, rollout: _Rollout, sets: Sequence[ReplicaSet]) -> bool:
        """Nothing to resize, but the annotations must say which size was taken into account."""
        share = share_annotations(rollout.deployment.spec.replicas, rollout.limits.maximum)
        stale = [rs for rs in sets if any(rs.metadata.annotations.get(name) != text for name, text in share.items())]
        for rs in stale:
            self.client.patch(ReplicaSet, rs.name, rs.namespace, {"metadata": {"annotations": share}})
        return bool(stale)

    def _resize(self, rollout: _Rollout, rs: ReplicaSet, size: int) -> None:
        deployment, limits = rollout.deployment, rollout.limits
        share = share_annotations(deployment.spec.replicas, limits.maximum)
        patch = {
            "metadata": {"annotations": share, "resourceVersion": rs.metadata.resource_version},
            "spec": {"replicas": size},
        }
        self.client.patch(ReplicaSet, rs.name, rs.namespace, patch)
        self._say_scaled(deployment, rs.name, rs.spec.replicas, size)

    def _say_scaled(self, deployment: Deployment, name: str, before: int, after: int) -> None:
        word = "up" if after > before else "down"
        message = f"Scaled {word} replica set {name} from {before} to {after}"
        self.recorder.event(deployment, "Normal", "ScalingReplicaSet", message)

    # The new ReplicaSet.

    def _ensure_new(self, rollout: _Rollout) -> bool:
        """Whether the present version has a ReplicaSet, with its number; if not, it has one soon."""
        if rollout.new is None:
            self._create_new(rollout)
            return False
        return not self._renew(rollout)

    def _renew(self, rollout: _Rollout) -> bool:
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

    def _create_new(self, rollout: _Rollout) -> None:
        deployment = rollout.deployment
        name_hash = template_hash(deployment.spec.template, deployment.status.collision_count)
        name = f"{deployment.name}-{name_hash}"
        revision = next_revision(rollout.old)
        size = new_size(rollout.limits, Size(name, 0, 0), [_size(rs) for rs in rollout.old])
        template = copy_of(deployment.spec.template)
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH_LABEL] = name_hash
        selector = copy_of(dict(deployment.spec.selector))
        selector.setdefault("matchLabels", {})[HASH_LABEL] = name_hash
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "labels": dict(labels),
                "annotations": annotations_for(deployment, None, revision)
                | share_annotations(deployment.spec.replicas, rollout.limits.maximum),
                "ownerReferences": [reference_to(deployment)],
            },
            "spec": {
                "replicas": size,
                "selector": selector,
                "template": template,
                "minReadySeconds": deployment.spec.min_ready_seconds,
            },
        }
        try:
            self.client.create(ReplicaSet, body, deployment.namespace)
        except AlreadyExists:
            self._after_collision(deployment, name)
            return
        except ApiError as error:
            message = f'Failed to create new replica set "{name}": {error.message}'
            self.recorder.event(deployment, "Warning", report.CREATE_FAILED, message)
            self._write_failure(deployment, message)
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

    def _clean_up(self, rollout: _Rollout) -> None:
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

    # The status.

    def _write_failure(self, deployment: Deployment, message: str) -> None:
        """A ReplicaSet cannot be made: say so at once, for this reconcile ends here."""
        if report.has_deadline(deployment):
            conditions = report.Conditions(deployment, self.clock.now())
            conditions.set(report.PROGRESSING, "False", report.CREATE_FAILED, message)
            with suppress(ApiError):  # there is a worse trouble to report
                self.client.patch_status(
                    Deployment, deployment.name, deployment.namespace, {"conditions": conditions.to_json()}
                )

    def _note_pause(self, deployment: Deployment) -> bool:
        """A pause stops the clock of the progress deadline, and says so. True if that had to be written."""
        if not report.has_deadline(deployment):
            return False
        found = next((each for each in deployment.status.conditions if each.type == report.PROGRESSING), None)
        if found is not None and found.reason == report.TIMED_OUT:
            return False
        is_marked = found is not None and found.reason == report.PAUSED
        conditions = report.Conditions(deployment, self.clock.now())
        if deployment.spec.paused and not is_marked:
            conditions.set(report.PROGRESSING, "Unknown", report.PAUSED, "Deployment is paused")
        elif not deployment.spec.paused and is_marked:
            conditions.set(report.PROGRESSING, "Unknown", report.RESUMED, "Deployment is resumed")
        else:
            return False
        self.client.patch_status(
            Deployment, deployment.name, deployment.namespace, {"conditions": conditions.to_json()}
        )
        return True

    def _write_status(self, rollout: _Rollout) -> None:
        deployment = rollout.deployment
        status = rollout.counts
        conditions = report.Conditions(deployment, self.clock.now())
        if rollout.progress is not None:
            conditions.renew(*rollout.progress)
        report.available(conditions, rollout.limits, status)
        if not deployment.spec.paused and not deployment.metadata.deleting:
            report.progressing(conditions, deployment, rollout.new, rollout.old, status)
            self._look_again_at_the_deadline(deployment, conditions)
        status["conditions"] = conditions.to_json()
        if status != _seen(deployment, status):
            self.client.patch_status(Deployment, deployment.name, deployment.namespace, status)

    def _look_again_at_the_deadline(self, deployment: Deployment, conditions: report.Conditions) -> None:
        found = conditions.get(report.PROGRESSING)
        if found is None or found.reason in (report.DONE, report.TIMED_OUT):
            return
        left = deployment.spec.progress_deadline_seconds - conditions.seconds_since_progress()
        # A second more, so that the condition is surely over time when we look. Nobody waits for it.
        self.queue.add_after(deployment.key, max(left, 0) + 1, background=True)

    # What happened.

    def _deployment_changed(self, old: Deployment | None, new: Deployment | None) -> None:
        deployment = new or old
        assert deployment is not None
        self.queue.add(deployment.key)

    def _set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        for rs in (old, new):
            if rs is None:
                continue
            manager = rs.metadata.controller
            if manager is not None:
                if manager.kind == "Deployment":
                    self.queue.add(f"{rs.namespace}/{manager.name}")
                continue
            for deployment in self.deployments.by_index("namespace", rs.namespace):
                if from_label_selector(deployment.spec.selector).matches(rs.metadata.labels):
                    self.queue.add(deployment.key)


class _Rollout:
    """One look at a Deployment and its ReplicaSets."""

    def __init__(self, deployment: Deployment, new: ReplicaSet | None, owned: list[ReplicaSet]) -> None:
        self.deployment, self.new = deployment, new
        self.all = owned
        self.old = [rs for rs in owned if rs is not new]
        """Oldest first."""
        self.progress: tuple[str, str] | None = None
        spec = deployment.spec
        self.limits: Fences = fences(spec.strategy.type, spec.strategy.rolling_update, spec.replicas)

    @property
    def counts(self) -> JsonObject:
        """The numbers of the status."""
        return report.counts(self.deployment, self.new, self.all)

    def require_new(self) -> ReplicaSet:
        """The ReplicaSet of the present version, where there must be one."""
        assert self.new is not None
        return self.new

    def say_progress(self, reason: str, message: str) -> None:
        """To be written with the status."""
        self.progress = (reason, message)


def _size(rs: ReplicaSet) -> Size:
    before = rs.metadata.annotations.get(MAXIMUM, "")
    return Size(rs.name, rs.spec.replicas, rs.status.available_replicas, int(before) if before.isdigit() else 0)


def _is_saturated(rs: ReplicaSet, deployment: Deployment) -> bool:
    """Whether the new version has all Pods that there should be."""
    wanted = deployment.spec.replicas
    noted = rs.metadata.annotations.get(DESIRED) == str(wanted)
    return noted and rs.spec.replicas == wanted == rs.status.available_replicas


def _seen(deployment: Deployment, like: JsonObject) -> JsonObject:
    """The status that the cache knows, in the form in which we write it."""
    status = deployment.status
    found: JsonObject = {
        "observedGeneration": status.observed_generation,
        "replicas": status.replicas,
        "updatedReplicas": status.updated_replicas,
        "readyReplicas": status.ready_replicas,
        "availableReplicas": status.available_replicas,
        "unavailableReplicas": status.unavailable_replicas,
        "terminatingReplicas": status.terminating_replicas,
        "conditions": report.Conditions(deployment, 0).to_json(),
    }
    if "collisionCount" in like:
        found["collisionCount"] = status.collision_count
    return found


def _owners(rs: ReplicaSet) -> list[str]:
    owner = rs.metadata.controller
    return [owner.uid] if owner else []


def _without_owner(rs: ReplicaSet) -> list[str]:
    return [] if rs.metadata.controller else [rs.namespace]
