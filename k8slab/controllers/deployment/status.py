"""What a Deployment says about itself: counts, and three conditions.

*Available*: enough Pods are. *Progressing*: a rollout gets on, or is done, or has not moved for `progressDeadlineSeconds`.
*ReplicaFailure*: Pods cannot be made at all.

Models: pkg/controller/deployment/sync.go (calculateStatus), progress.go (syncRolloutStatus).
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.apps import Deployment, DeploymentCondition, ReplicaSet
from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import from_rfc3339, to_rfc3339
from k8slab.controllers.deployment.fences import Fences

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
DONE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
CREATE_FAILED = "ReplicaSetCreateError"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2**31 - 1
"""As `progressDeadlineSeconds`: nobody asks how the rollout gets on, and there is no condition *Progressing*."""


def counts(deployment: Deployment, new: ReplicaSet | None, sets: Sequence[ReplicaSet]) -> JsonObject:
    """The numbers of the status."""
    total = sum(rs.status.replicas for rs in sets)
    available = sum(rs.status.available_replicas for rs in sets)
    found: JsonObject = {
        "observedGeneration": deployment.metadata.generation,
        "replicas": total,
        "updatedReplicas": new.status.replicas if new else 0,
        "readyReplicas": sum(rs.status.ready_replicas for rs in sets),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(rs.spec.replicas for rs in sets) - available),
        "terminatingReplicas": sum(rs.status.terminating_replicas or 0 for rs in sets),
    }
    if deployment.status.collision_count is not None:
        found["collisionCount"] = deployment.status.collision_count
    return found


def has_deadline(deployment: Deployment) -> bool:
    """Whether it matters how long a rollout takes."""
    return deployment.spec.progress_deadline_seconds != NO_DEADLINE


def is_complete(deployment: Deployment, status: JsonObject) -> bool:
    """Whether all Pods are of the present version, available, and alone."""
    wanted = deployment.spec.replicas
    return bool(
        status["updatedReplicas"] == wanted
        and status["replicas"] == wanted
        and status["availableReplicas"] == wanted
        and status["observedGeneration"] >= deployment.metadata.generation
    )


def is_progressing(deployment: Deployment, status: JsonObject) -> bool:
    """Whether something moved since the last look."""
    before = deployment.status
    old_now = status["replicas"] - status["updatedReplicas"]
    old_then = before.replicas - before.updated_replicas
    return bool(
        status["updatedReplicas"] > before.updated_replicas
        or old_now < old_then
        or status["readyReplicas"] > before.ready_replicas
        or status["availableReplicas"] > before.available_replicas
    )


class Conditions:
    """The conditions of a Deployment, being worked out."""

    def __init__(self, deployment: Deployment, now: float) -> None:
        self._now = to_rfc3339(now)
        self._seconds = now
        self._found: dict[str, DeploymentCondition] = {each.type: each for each in deployment.status.conditions}

    def get(self, type_: str) -> DeploymentCondition | None:
        """The condition of a type."""
        return self._found.get(type_)

    def set(self, type_: str, status: str, reason: str, message: str) -> None:
        """Say something new; what is said already keeps its times."""
        before = self._found.get(type_)
        if before and (before.status, before.reason) == (status, reason):
            return
        since = before.last_transition_time if before and before.status == status else self._now
        self.remove(type_)  # the last that was said stands last
        self._found[type_] = DeploymentCondition(
            type=type_, status=status, reason=reason, message=message,
            last_update_time=self._now, last_transition_time=since,
        )  # fmt: skip

    def renew(self, reason: str, message: str) -> None:
        """There is progress: its deadline begins anew."""
        before = self._found.get(PROGRESSING)
        since = before.last_transition_time if before and before.status == "True" else self._now
        self.remove(PROGRESSING)
        self._found[PROGRESSING] = DeploymentCondition(
            type=PROGRESSING, status="True", reason=reason, message=message,
            last_update_time=self._now, last_transition_time=since,
        )  # fmt: skip

    def remove(self, type_: str) -> None:
        """It no longer applies."""
        self._found.pop(type_, None)

    def seconds_since_progress(self) -> float:
        """How long nothing has moved."""
        found = self._found.get(PROGRESSING)
        return self._seconds - from_rfc3339(found.last_update_time) if found and found.last_update_time else 0.0

    def to_json(self) -> list[JsonObject]:
        """As the status holds them."""
        return [
            {
                "type": each.type,
                "status": each.status,
                "lastUpdateTime": each.last_update_time,
                "lastTransitionTime": each.last_transition_time,
                "reason": each.reason,
                "message": each.message,
            }
            for each in self._found.values()
        ]


def available(conditions: Conditions, limits: Fences, status: JsonObject) -> None:
    """Whether enough Pods are available."""
    if status["availableReplicas"] >= limits.minimum:
        conditions.set(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        conditions.set(
            AVAILABLE, "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
        )


def progressing(
    conditions: Conditions,
    deployment: Deployment,
    new: ReplicaSet | None,
    old: Sequence[ReplicaSet],
    status: JsonObject,
) -> None:
    """How the rollout gets on."""
    name = f'ReplicaSet "{new.name}"' if new else f'Deployment "{deployment.name}"'
    before = conditions.get(PROGRESSING)
    if not has_deadline(deployment):
        conditions.remove(PROGRESSING)
    nothing_to_do = not has_deadline(deployment) or (
        status["replicas"] == status["updatedReplicas"] and before is not None and before.reason == DONE
    )
    if not nothing_to_do:
        if is_complete(deployment, status):
            conditions.set(PROGRESSING, "True", DONE, f"{name} has successfully progressed.")
        elif is_progressing(deployment, status):
            conditions.renew("ReplicaSetUpdated", f"{name} is progressing.")
        elif _timed_out(conditions, deployment):
            conditions.set(PROGRESSING, "False", TIMED_OUT, f"{name} has timed out progressing.")
    failures = [each for rs in (*([new] if new else []), *old) for each in rs.status.conditions if each.type == FAILURE]
    if failures:
        conditions.set(FAILURE, failures[0].status, failures[0].reason, failures[0].message)
    else:
        conditions.remove(FAILURE)


def _timed_out(conditions: Conditions, deployment: Deployment) -> bool:
    before = conditions.get(PROGRESSING)
    if before is None or before.reason == DONE:
        return False
    if before.reason == TIMED_OUT:
        return True
    return conditions.seconds_since_progress() > deployment.spec.progress_deadline_seconds
