"""The controllers of a cluster, as a table; and what else a learner's own part can stand in for.

Every controller is made in the same way, of a client, a clock and a stream of chance. What one of them needs besides, it is
given here: this is the only place that knows.

Models: NewControllerDescriptors in cmd/kube-controller-manager/app/controllermanager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from k8slab.apiserver.resources import RESOURCES
from k8slab.client.leader_election import next_record
from k8slab.controllers.clusterrole_aggregation import ClusterRoleAggregationController
from k8slab.controllers.cronjob import CronJobController
from k8slab.controllers.custom_resource_definition import CustomResourceDefinitionController
from k8slab.controllers.daemonset import DaemonSetController
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.disruption import DisruptionController
from k8slab.controllers.endpoints import EndpointsController
from k8slab.controllers.endpointslice import EndpointSliceController
from k8slab.controllers.garbage_collector import GarbageCollector
from k8slab.controllers.job import JobController
from k8slab.controllers.namespace import NamespaceController
from k8slab.controllers.node_ipam import NodeIpamController
from k8slab.controllers.node_lifecycle import NodeLifecycleController
from k8slab.controllers.pod_gc import PodGarbageCollector
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.controllers.resourcequota import ResourceQuotaController
from k8slab.controllers.root_ca_publisher import RootCAPublisher
from k8slab.controllers.serviceaccount import ServiceAccountController
from k8slab.controllers.statefulset import StatefulSetController
from k8slab.controllers.taint_eviction import TaintEvictionController
from k8slab.controllers.ttl_after_finished import TTLAfterFinishedController
from k8slab.engine.spec import MakeComponent, Spec
from k8slab.kubelet.node_lease import NodeLease
from k8slab.scheduler.scheduler import Scheduler

LEFT_OUT = (
    "There are no controllers of volumes: nothing binds, attaches, expands or protects them, and no Pod waits for a claim.",
    "There are none of ReplicationControllers, HorizontalPodAutoscalers, certificates, resource claims and bootstrap tokens.",
    "Nothing mirrors Endpoints into slices, and there is no cloud: no load balancers, no routes.",
    "There is no kube-proxy and no cluster DNS: to a Service leads the API server's proxy only.",
)

CONTROLLERS: Mapping[str, MakeComponent] = {
    "deployment": DeploymentController,
    "replicaset": ReplicaSetController,
    "statefulset": StatefulSetController,
    "daemonset": DaemonSetController,
    "job": JobController,
    "cronjob": CronJobController,
    "ttl-after-finished": TTLAfterFinishedController,
    "disruption": DisruptionController,
    "namespace": NamespaceController,
    "crd": CustomResourceDefinitionController,
    "serviceaccount": ServiceAccountController,
    "root-ca-cert-publisher": RootCAPublisher,
    "resourcequota": partial(ResourceQuotaController, resources=tuple(RESOURCES.values())),
    "clusterrole-aggregation": ClusterRoleAggregationController,
    "garbage-collector": GarbageCollector,
    "node-ipam": NodeIpamController,
    "node-lifecycle": NodeLifecycleController,
    "taint-eviction": TaintEvictionController,
    "pod-garbage-collector": PodGarbageCollector,
    "endpointslice": EndpointSliceController,
    "endpoints": EndpointsController,
}
"""The controllers of a cluster, by the names that `Cluster(replace={...})` takes."""

OTHERS: Mapping[str, Callable[..., Any]] = {
    "scheduler": Scheduler,
    "node-lease": NodeLease,
    "leader-election": next_record,
}
"""What else can be replaced: the scheduler, the heartbeat of every kubelet, and what each candidate writes next."""
INSIDE_OTHERS = ("node-lease", "leader-election")
"""Those that work inside a component, and are none themselves."""

REPLACEABLE = (*CONTROLLERS, *OTHERS)
"""All that `replace` takes."""

SMALL_CLUSTER, LARGE_CLUSTER_CIDR = 256, "10.244.0.0/14"
"""So many nodes find room in the usual range of Pod addresses; more of them get one that begins at the same place."""


def controllers_of(spec: Spec, root_ca: str) -> dict[str, MakeComponent]:
    """The controllers of a cluster, by name: those of the table, with what they need to know of it; and the learner's own."""
    made: dict[str, MakeComponent] = {**CONTROLLERS}
    made["root-ca-cert-publisher"] = partial(RootCAPublisher, root_ca=root_ca)
    if len(spec.nodes) > SMALL_CLUSTER:
        made["node-ipam"] = partial(NodeIpamController, cluster_cidr=LARGE_CLUSTER_CIDR)
    made |= {name: make for name, make in spec.replace.items() if name not in OTHERS}
    return {f"{name}-controller": make for name, make in made.items()}


def other_of(spec: Spec, name: str) -> Callable[..., Any]:
    """What does the work of one of `OTHERS` in a cluster."""
    return spec.replace.get(name, OTHERS[name])
