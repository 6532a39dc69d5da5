"""The workload kinds that the engine reads: Deployment, ReplicaSet, StatefulSet, DaemonSet, and their revisions.

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


class StatefulSetOrdinals(View):
    """The number of the first Pod."""

    start: int = 0


class StatefulSetUpdateStrategy(View):
    """RollingUpdate, with a partition below which all stays as it is; or OnDelete."""

    type: str = "RollingUpdate"
    rolling_update: Mapping[str, int | str] | None = None


class ClaimRetention(View):
    """What becomes of claims when their set, or their Pod, goes: Retain or Delete."""

    when_deleted: str = "Retain"
    when_scaled: str = "Retain"


class StatefulSetSpec(View):
    """What a StatefulSet should be."""

    replicas: int = 1
    selector: Mapping[str, Any] = no_entries()
    template: JsonObject = no_entries()
    service_name: str = ""
    pod_management_policy: str = "OrderedReady"
    update_strategy: StatefulSetUpdateStrategy = StatefulSetUpdateStrategy()
    volume_claim_templates: tuple[JsonObject, ...] = ()
    persistent_volume_claim_retention_policy: ClaimRetention = ClaimRetention()
    ordinals: StatefulSetOrdinals = StatefulSetOrdinals()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10


class StatefulSetStatus(View):
    """What a StatefulSet is."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int | None = None


class StatefulSet(KubeObject):
    """Pods with names that stay, each with claims of its own."""

    resource: ClassVar = Resource("apps", "v1", "statefulsets", "StatefulSet")

    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DaemonSetUpdateStrategy(View):
    """RollingUpdate or OnDelete. `rolling_update` holds maxSurge and maxUnavailable: a number or a percentage."""

    type: str = "RollingUpdate"
    rolling_update: Mapping[str, int | str] | None = None


class DaemonSetSpec(View):
    """What a DaemonSet should be."""

    selector: Mapping[str, Any] = no_entries()
    template: JsonObject = no_entries()
    update_strategy: DaemonSetUpdateStrategy = DaemonSetUpdateStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10


class DaemonSetStatus(View):
    """What a DaemonSet is."""

    observed_generation: int = 0
    current_number_scheduled: int = 0
    desired_number_scheduled: int = 0
    number_misscheduled: int = 0
    number_ready: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None


class DaemonSet(KubeObject):
    """One Pod on each node that will do."""

    resource: ClassVar = Resource("apps", "v1", "daemonsets", "DaemonSet")

    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()


class ControllerRevision(KubeObject):
    """One version of a StatefulSet's or DaemonSet's template: `data` is the patch that brings it back."""

    resource: ClassVar = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")

    revision: int = 0
    data: JsonObject = no_entries()
