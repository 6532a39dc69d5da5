"""The strategy RollingUpdate: the new version grows and the old ones shrink, step by step, within the fences of `fences.py`.

Models: pkg/controller/deployment/rolling.go.
"""

from __future__ import annotations

from k8slab.controllers.deployment.fences import new_size, old_sizes
from k8slab.controllers.deployment.replica_sets import ReplicaSets
from k8slab.controllers.deployment.rollout import Rollout, size_of


def roll(rollout: Rollout, sets: ReplicaSets) -> None:
    """One step: up, if there is room, else down, if enough are available; when all is done, old versions are cleared away."""
    if not sets.ensure_new(rollout):
        return
    new, limits = rollout.require_new(), rollout.limits
    size = new_size(limits, size_of(new), [size_of(rs) for rs in rollout.old])
    if size != new.spec.replicas:
        sets.resize(rollout, new, size)
        return
    smaller = old_sizes(limits, size_of(new), [size_of(rs) for rs in rollout.old if rs.spec.replicas])
    for rs in rollout.old:
        if rs.name in smaller:
            sets.resize(rollout, rs, smaller[rs.name])
    if not smaller and rollout.is_complete:
        sets.clean_up(rollout)
