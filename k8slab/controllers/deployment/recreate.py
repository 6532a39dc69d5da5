"""The strategy Recreate: all old Pods end, then there are new ones. For what bears no second version beside it.

Models: pkg/controller/deployment/recreate.go.
"""

from __future__ import annotations

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.labels import from_label_selector
from k8slab.client.client import Client
from k8slab.controllers.deployment.replica_sets import ReplicaSets
from k8slab.controllers.deployment.rollout import Rollout


def recreate(rollout: Rollout, sets: ReplicaSets, client: Client) -> None:
    """One step."""
    busy = [rs for rs in rollout.old if rs.spec.replicas]
    for rs in busy:
        sets.resize(rollout, rs, 0)
    if busy or any(_still_runs(client, rs) for rs in rollout.old):
        return
    if not sets.ensure_new(rollout):
        return
    new = rollout.require_new()
    if new.spec.replicas != rollout.deployment.spec.replicas:
        sets.resize(rollout, new, rollout.deployment.spec.replicas)
    elif rollout.is_complete:
        sets.clean_up(rollout)


def _still_runs(client: Client, rs: ReplicaSet) -> bool:
    """Whether a Pod of an old version has not ended yet: asked of the server, for the last word."""
    if rs.status.replicas or rs.status.observed_generation < rs.metadata.generation:
        return True
    if not rs.status.terminating_replicas:
        return False
    pods = client.list(Pod, rs.namespace, labels=str(from_label_selector(rs.spec.selector)))
    return any(pod.metadata.controller and pod.metadata.controller.uid == rs.uid and not pod.finished for pod in pods)
