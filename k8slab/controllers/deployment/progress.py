"""How a rollout gets on, written into the Deployment's status; and the deadline by which it must have moved.

Models: pkg/controller/deployment/progress.go (syncRolloutStatus, requeueStuckDeployment), sync.go (checkPausedConditions).
"""

from __future__ import annotations

from contextlib import suppress

from k8slab.api.apps import Deployment
from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.clock import Clock
from k8slab.controllers.deployment import status as report
from k8slab.controllers.deployment.rollout import Rollout


class Progress:
    """Writes the status of Deployments."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client, self.clock = client, clock

    def write(self, rollout: Rollout) -> float | None:
        """Write the status, if it is another than before. In how many seconds to look at the deadline; None: never."""
        deployment = rollout.deployment
        status = rollout.counts
        conditions = report.Conditions(deployment, self.clock.now())
        if rollout.progress is not None:
            conditions.renew(*rollout.progress)
        report.available(conditions, rollout.limits, status)
        again = None
        if not deployment.spec.paused and not deployment.metadata.deleting:
            report.progressing(conditions, deployment, rollout.new, rollout.old, status)
            again = _seconds_to_deadline(deployment, conditions)
        status["conditions"] = conditions.to_json()
        if status != _seen(deployment, status):
            self.client.patch_status(Deployment, deployment.name, deployment.namespace, status)
        return again

    def note_pause(self, deployment: Deployment) -> bool:
        """A pause stops the clock of the progress deadline, and says so. True if that had to be written."""
        if not report.has_deadline(deployment):
            return False
        conditions = report.Conditions(deployment, self.clock.now())
        found = conditions.get(report.PROGRESSING)
        if found is not None and found.reason == report.TIMED_OUT:
            return False
        is_marked = found is not None and found.reason == report.PAUSED
        if deployment.spec.paused and not is_marked:
            conditions.set(report.PROGRESSING, "Unknown", report.PAUSED, "Deployment is paused")
        elif not deployment.spec.paused and is_marked:
            conditions.set(report.PROGRESSING, "Unknown", report.RESUMED, "Deployment is resumed")
        else:
            return False
        self._write_conditions(deployment, conditions)
        return True

    def write_failure(self, deployment: Deployment, message: str) -> None:
        """A ReplicaSet cannot be made: say so at once, for this reconcile ends here."""
        if report.has_deadline(deployment):
            conditions = report.Conditions(deployment, self.clock.now())
            conditions.set(report.PROGRESSING, "False", report.CREATE_FAILED, message)
            with suppress(ApiError):  # there is a worse trouble to report
                self._write_conditions(deployment, conditions)

    def _write_conditions(self, deployment: Deployment, conditions: report.Conditions) -> None:
        patch = {"conditions": conditions.to_json()}
        self.client.patch_status(Deployment, deployment.name, deployment.namespace, patch)


def _seconds_to_deadline(deployment: Deployment, conditions: report.Conditions) -> float | None:
    found = conditions.get(report.PROGRESSING)
    if found is None or found.reason in (report.DONE, report.TIMED_OUT):
        return None
    left = deployment.spec.progress_deadline_seconds - conditions.seconds_since_progress()
    return max(left, 0) + 1  # a second more, so that the condition is surely over time when we look


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
