"""One look at a Deployment and its ReplicaSets: what there is, and what may be.

Models: pkg/controller/deployment/util/deployment_util.go (FindNewReplicaSet, FindOldReplicaSets, IsSaturated).
"""

from __future__ import annotations

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.apimachinery.rest import JsonObject
from k8slab.controllers.deployment import status as report
from k8slab.controllers.deployment.fences import Fences, Size, fences
from k8slab.controllers.deployment.revisions import DESIRED, MAXIMUM, new_replica_set, share_annotations


class Rollout:
    """A Deployment, the ReplicaSet of its present version, and all others."""

    def __init__(self, deployment: Deployment, owned: list[ReplicaSet]) -> None:
        """`owned`: its ReplicaSets, oldest first."""
        self.deployment = deployment
        self.new = new_replica_set(deployment, owned)
        """None while there is none."""
        self.all = owned
        self.old = [rs for rs in owned if rs is not self.new]
        """Oldest first."""
        self.progress: tuple[str, str] | None = None
        spec = deployment.spec
        self.limits: Fences = fences(spec.strategy.type, spec.strategy.rolling_update, spec.replicas)

    @property
    def counts(self) -> JsonObject:
        """The numbers of the status."""
        return report.counts(self.deployment, self.new, self.all)

    @property
    def is_complete(self) -> bool:
        """Whether all Pods are of the present version, available, and alone."""
        return report.is_complete(self.deployment, self.counts)

    @property
    def share(self) -> dict[str, str]:
        """What the annotations of a ReplicaSet say that is sized now."""
        return share_annotations(self.deployment.spec.replicas, self.limits.maximum)

    def require_new(self) -> ReplicaSet:
        """The ReplicaSet of the present version, where there must be one."""
        assert self.new is not None
        return self.new

    def is_saturated(self, rs: ReplicaSet) -> bool:
        """Whether a ReplicaSet has all Pods that there should be."""
        wanted = self.deployment.spec.replicas
        noted = rs.metadata.annotations.get(DESIRED) == str(wanted)
        return noted and rs.spec.replicas == wanted == rs.status.available_replicas

    def made(self, rs: ReplicaSet) -> None:
        """The present version has a ReplicaSet now."""
        self.new = rs
        self.all = [*self.all, rs]

    def say_progress(self, reason: str, message: str) -> None:
        """To be written with the status."""
        self.progress = (reason, message)


def size_of(rs: ReplicaSet) -> Size:
    """A ReplicaSet, as the arithmetic sees it."""
    before = rs.metadata.annotations.get(MAXIMUM, "")
    return Size(rs.name, rs.spec.replicas, rs.status.available_replicas, int(before) if before.isdigit() else 0)
