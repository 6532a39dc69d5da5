"""The Deployment controller's control loop.

It makes no Pods. It keeps one ReplicaSet for each version of the template, lets the newest grow and the others shrink within
the fences of `fences.py`, and reports in the status. Each reconcile does one kind of write, and waits for what comes of it.

Models: pkg/controller/deployment/deployment_controller.go (syncDeployment).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.apimachinery.labels import from_label_selector
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.client.controller_ref import claim
from k8slab.clock import Clock
from k8slab.controllers.deployment.progress import Progress
from k8slab.controllers.deployment.recreate import recreate
from k8slab.controllers.deployment.replica_sets import ReplicaSets
from k8slab.controllers.deployment.revisions import by_age
from k8slab.controllers.deployment.rolling import roll
from k8slab.controllers.deployment.rollout import Rollout
from k8slab.controllers.deployment.scaling import scale, was_scaled
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
        self.progress = Progress(client, clock)
        self.replica_sets = ReplicaSets(client, self.recorder, self.progress)

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
        rollout = Rollout(deployment, sorted(claim(self.client, deployment, selector, candidates), key=by_age))
        if not deployment.metadata.deleting:
            if self.progress.note_pause(deployment):
                return None
            self._step(rollout)
        again = self.progress.write(rollout)
        if again is not None:
            self.queue.add_after(key, again, background=True)  # nobody waits for a deadline
        return None

    def _step(self, rollout: Rollout) -> None:
        """What a rollout needs now: to be held, to be shared out anew, or to go on by its strategy."""
        deployment, sets = rollout.deployment, self.replica_sets
        if deployment.spec.paused or was_scaled(rollout):
            renewed = rollout.new is not None and sets.renew(rollout)
            if not renewed and not scale(rollout, sets) and deployment.spec.paused:
                sets.clean_up(rollout)
        elif deployment.spec.strategy.type == "Recreate":
            recreate(rollout, sets, self.client)
        else:
            roll(rollout, sets)

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


def _owners(rs: ReplicaSet) -> list[str]:
    owner = rs.metadata.controller
    return [owner.uid] if owner else []


def _without_owner(rs: ReplicaSet) -> list[str]:
    return [] if rs.metadata.controller else [rs.namespace]
