"""The core kinds that the engine reads: Pod, Node, Namespace, Service.

Only the fields that some component looks at are here; an object keeps all its other fields in the store.
Models: k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from k8slab.apimachinery.meta import no_entries
from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.scheme import Resource


class Condition(View):
    """A pod's or node's condition."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class ContainerPort(View):
    """A port that a container listens on."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = ""


class ResourceRequirements(View):
    """What a container asks for (`requests`) and may at most use (`limits`), as quantities."""

    requests: Mapping[str, str] = no_entries()
    limits: Mapping[str, str] = no_entries()


class EnvVar(View):
    """A variable of a container's environment."""

    name: str
    value: str = ""
    value_from: Mapping[str, Any] | None = None


class VolumeMount(View):
    """Where a container sees a volume."""

    name: str
    mount_path: str
    read_only: bool = False
    sub_path: str = ""


class Container(View):
    """One container of a pod."""

    name: str
    image: str = ""
    image_pull_policy: str = "IfNotPresent"
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[Mapping[str, Any], ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: tuple[VolumeMount, ...] = ()
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    restart_policy: str | None = None
    """Only init containers have one: Always makes a sidecar."""
    readiness_probe: Mapping[str, Any] | None = None
    liveness_probe: Mapping[str, Any] | None = None
    startup_probe: Mapping[str, Any] | None = None


class Toleration(View):
    """A taint that a pod bears."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None

    def tolerates(self, taint: Taint) -> bool:
        """Whether this toleration covers `taint`. Models: k8s.io/api/core/v1/toleration.go (ToleratesTaint)."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == "Exists" or (bool(self.key) and self.value == taint.value)


class Taint(View):
    """Keeps pods off a node: NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    effect: str
    value: str = ""
    time_added: str | None = None


class Volume(View):
    """A directory that a pod's containers can mount."""

    name: str
    empty_dir: Mapping[str, Any] | None = None
    host_path: Mapping[str, Any] | None = None
    config_map: Mapping[str, Any] | None = None
    secret: Mapping[str, Any] | None = None
    downward_api: Mapping[str, Any] | None = None
    projected: Mapping[str, Any] | None = None
    persistent_volume_claim: Mapping[str, Any] | None = None


class PodSpec(View):
    """What a pod should be."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    node_name: str = ""
    node_selector: Mapping[str, str] = no_entries()
    affinity: Mapping[str, Any] | None = None
    tolerations: tuple[Toleration, ...] = ()
    restart_policy: str = "Always"
    scheduler_name: str = "default-scheduler"
    scheduling_gates: tuple[Mapping[str, Any], ...] = ()
    service_account_name: str = ""
    termination_grace_period_seconds: int = 30
    active_deadline_seconds: int | None = None
    host_network: bool = False
    hostname: str = ""
    subdomain: str = ""
    priority: int | None = None
    preemption_policy: str = "PreemptLowerPriority"
    topology_spread_constraints: tuple[Mapping[str, Any], ...] = ()
    volumes: tuple[Volume, ...] = ()
    overhead: Mapping[str, str] = no_entries()


class ContainerStateWaiting(View):
    """Not running yet, or not running any more and about to be restarted."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(View):
    """Running."""

    started_at: str | None = None


class ContainerStateTerminated(View):
    """Over."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    container_id: str = ""


class ContainerState(View):
    """One of the three."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(View):
    """What became of a container."""

    name: str
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = ""
    container_id: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(View):
    """What a pod is."""

    phase: str = "Pending"
    conditions: tuple[Condition, ...] = ()
    reason: str = ""
    message: str = ""
    pod_ip: str = ""
    host_ip: str = ""
    start_time: str | None = None
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    ephemeral_container_statuses: tuple[ContainerStatus, ...] = ()
    nominated_node_name: str = ""
    qos_class: str = ""


class Pod(KubeObject):
    """Containers that share an address and live and die together."""

    resource: ClassVar = Resource("", "v1", "pods", "Pod")

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def finished(self) -> bool:
        """Whether it has ended for good (Succeeded or Failed)."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def active(self) -> bool:
        """Whether it counts towards a ReplicaSet's replicas: neither ended nor being deleted."""
        return not self.finished and not self.metadata.deleting

    @property
    def ready(self) -> bool:
        """Whether its Ready condition is True."""
        condition = self.condition("Ready")
        return condition is not None and condition.status == "True"

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, None if the pod has none."""
        return next((item for item in self.status.conditions if item.type == kind), None)


class NodeSpec(View):
    """What an administrator says about a node."""

    pod_cidr: str = ""
    pod_cidrs: tuple[str, ...] = ()
    provider_id: str = ""
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


class NodeCondition(Condition):
    """A node's condition; it also says when the node last spoke of it."""

    last_heartbeat_time: str | None = None


class NodeStatus(View):
    """What the node says about itself."""

    capacity: Mapping[str, str] = no_entries()
    allocatable: Mapping[str, str] = no_entries()
    conditions: tuple[NodeCondition, ...] = ()
    addresses: tuple[Mapping[str, str], ...] = ()
    images: tuple[Mapping[str, Any], ...] = ()


class Node(KubeObject):
    """A machine that runs pods."""

    resource: ClassVar = Resource("", "v1", "nodes", "Node", namespaced=False)

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @cached_property
    def ready(self) -> str:
        """The status of its Ready condition: True, False, Unknown; empty if it has none yet."""
        condition = self.condition("Ready")
        return condition.status if condition is not None else ""

    def condition(self, kind: str) -> NodeCondition | None:
        """The condition of a type, None if the node has none."""
        return next((item for item in self.status.conditions if item.type == kind), None)


class Namespace(KubeObject):
    """A scope for names."""

    resource: ClassVar = Resource("", "v1", "namespaces", "Namespace", namespaced=False)


class Event(KubeObject):
    """What a component wants people to know."""

    resource: ClassVar = Resource("", "v1", "events", "Event")

    reason: str = ""
    message: str = ""
    type: str = "Normal"
    count: int = 1
    involved_object: Mapping[str, str] = no_entries()
    first_timestamp: str | None = None
    last_timestamp: str | None = None


class ServiceAccount(KubeObject):
    """Somebody that a Pod can run as."""

    resource: ClassVar = Resource("", "v1", "serviceaccounts", "ServiceAccount")


class ResourceQuotaSpec(View):
    """How much there may be."""

    hard: Mapping[str, str] = no_entries()
    scopes: tuple[str, ...] = ()
    scope_selector: Mapping[str, Any] | None = None


class ResourceQuotaStatus(View):
    """How much there may be, and how much there is."""

    hard: Mapping[str, str] = no_entries()
    used: Mapping[str, str] = no_entries()


class ResourceQuota(KubeObject):
    """Limits of what a namespace may hold and use, together."""

    resource: ClassVar = Resource("", "v1", "resourcequotas", "ResourceQuota")

    spec: ResourceQuotaSpec = ResourceQuotaSpec()
    status: ResourceQuotaStatus = ResourceQuotaStatus()


class ConfigMap(KubeObject):
    """Configuration, as text by key."""

    resource: ClassVar = Resource("", "v1", "configmaps", "ConfigMap")

    data: Mapping[str, str] = no_entries()


class Secret(KubeObject):
    """Like a ConfigMap, base64-encoded, and not shown by default."""

    resource: ClassVar = Resource("", "v1", "secrets", "Secret")

    data: Mapping[str, str] = no_entries()


class PersistentVolumeClaim(KubeObject):
    """A request for storage that outlives Pods."""

    resource: ClassVar = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
