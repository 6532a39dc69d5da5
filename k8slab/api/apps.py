"""The workload kinds that the engine reads: Deployment, ReplicaSet.

Models: k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from k8slab.api.core import Condition
from k8slab.apimachinery.meta import no_entries
from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource


class DeploymentStrategy(View):
    """How old pods give way to new ones. `rolling_update` holds maxSurge and maxUnavailable: a number or a percentage."""

    type: str = "RollingUpdate"
    rolling_update: Mapping[str, int | str] | None = None


class DeploymentSpec(View):
    """What a deployment should be. `template` stays JSON: the controller copies it, and never looks inside."""

    replicas: int = 1
    selector: Mapping[str, Any] = no_entries()
    template: JsonObject = no_entries()
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    progress_deadline_seconds: int = 600
    paused: bool = False


class DeploymentCondition(Condition):
    """Available, Progressing, ReplicaFailure."""

    last_update_time: str | None = None


class DeploymentStatus(View):
    """What a deployment is."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    collision_count: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()


class Deployment(KubeObject):
    """Replicas of a pod, and how to move from one version of it to the next."""

    resource: ClassVar = Resource("apps", "v1", "deployments", "Deployment")

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class ReplicaSetSpec(View):
    """What a ReplicaSet should be."""

    replicas: int = 1
    selector: Mapping[str, Any] = no_entries()
    template: JsonObject = no_entries()
    min_ready_seconds: int = 0


class ReplicaSetStatus(View):
    """What a ReplicaSet is."""

    observed_generation: int = 0
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[Condition, ...] = ()


class ReplicaSet(KubeObject):
    """So many replicas of one pod."""

    resource: ClassVar = Resource("apps", "v1", "replicasets", "ReplicaSet")

    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()
