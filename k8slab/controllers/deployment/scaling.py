"""A Deployment is scaled: at once if it is at rest; in the middle of a rollout each version gets its share.

Models: pkg/controller/deployment/sync.go (isScalingEvent, scale).
"""

from __future__ import annotations

from k8slab.controllers.deployment.fences import proportions
from k8slab.controllers.deployment.replica_sets import ReplicaSets
from k8slab.controllers.deployment.revisions import DESIRED, by_age
from k8slab.controllers.deployment.rollout import Rollout, size_of


def was_scaled(rollout: Rollout) -> bool:
    """Whether the Deployment was scaled since its ReplicaSets were sized."""
    wanted = str(rollout.deployment.spec.replicas)
    return any(rs.spec.replicas and rs.metadata.annotations.get(DESIRED, wanted) != wanted for rs in rollout.all)


def scale(rollout: Rollout, sets: ReplicaSets) -> bool:
    """Give each ReplicaSet its share; True if something was written."""
    deployment, new = rollout.deployment, rollout.new
    active = sorted((rs for rs in rollout.all if rs.spec.replicas), key=by_age, reverse=True)
    if len(active) <= 1:
        only = active[0] if active else (new or (rollout.old[-1] if rollout.old else None))
        if only is None or only.spec.replicas == deployment.spec.replicas:
            return sets.share_anew(rollout, active)
        sets.resize(rollout, only, deployment.spec.replicas)
        return True
    if new is not None and rollout.is_saturated(new):
        rest = [rs for rs in active if rs is not new]
        for rs in rest:
            sets.resize(rollout, rs, 0)
        return bool(rest)
    if deployment.spec.strategy.type != "RollingUpdate":
        return False
    sizes = proportions(rollout.limits, [size_of(rs) for rs in active])
    changed = [rs for rs in active if sizes[rs.name] != rs.spec.replicas]
    for rs in changed:
        sets.resize(rollout, rs, sizes[rs.name])
    return bool(changed) or sets.share_anew(rollout, active)
