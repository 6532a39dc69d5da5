"""The rules of the kinds, beyond their schemas.

The schema knows types; these rules know what makes sense. Each function looks at one kind, after its defaults were filled in,
and returns what is wrong with it, all of it, with upstream's paths and sentences; a learner who reads the error on
kubernetes.io reads the same here.

Models: pkg/apis/*/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.apimachinery.errors import Cause
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.validation import others, pods, services, workloads

VALIDATIONS: Mapping[tuple[str, str], Callable[[JsonObject], list[Cause]]] = {
    ("", "configmaps"): others.validate_config_map,
    ("", "persistentvolumeclaims"): others.validate_claim,
    ("", "persistentvolumes"): others.validate_volume,
    ("", "pods"): pods.validate_pod,
    ("", "replicationcontrollers"): workloads.validate_replication_controller,
    ("", "resourcequotas"): others.validate_quota,
    ("", "secrets"): others.validate_secret,
    ("", "services"): services.validate_service,
    ("apps", "daemonsets"): workloads.validate_daemon_set,
    ("apps", "deployments"): workloads.validate_deployment,
    ("apps", "replicasets"): workloads.validate_replica_set,
    ("apps", "statefulsets"): workloads.validate_stateful_set,
    ("autoscaling", "horizontalpodautoscalers"): workloads.validate_autoscaler,
    ("batch", "cronjobs"): workloads.validate_cron_job,
    ("batch", "jobs"): workloads.validate_job,
    ("coordination.k8s.io", "leases"): others.validate_lease,
    ("networking.k8s.io", "ingresses"): others.validate_ingress,
    ("policy", "poddisruptionbudgets"): workloads.validate_budget,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): others.validate_role_binding,
    ("rbac.authorization.k8s.io", "clusterroles"): others.validate_role,
    ("rbac.authorization.k8s.io", "rolebindings"): others.validate_role_binding,
    ("rbac.authorization.k8s.io", "roles"): others.validate_role,
    ("scheduling.k8s.io", "priorityclasses"): others.validate_priority_class,
}
"""By (group, plural). A kind that is not here has no rules beyond its schema."""

_WORKLOAD = ("spec", "spec.selector", "spec.template")
_BINDING = ("roleRef", "roleRef.kind", "roleRef.name")
LEFT_TO_THE_RULES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps/v1", "DaemonSet"): _WORKLOAD,
    ("apps/v1", "Deployment"): _WORKLOAD,
    ("apps/v1", "ReplicaSet"): _WORKLOAD,
    ("apps/v1", "StatefulSet"): _WORKLOAD,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): ("spec", "spec.maxReplicas", "spec.scaleTargetRef"),
    ("batch/v1", "CronJob"): ("spec", "spec.schedule", "spec.jobTemplate", "spec.jobTemplate.spec.template"),
    ("batch/v1", "Job"): ("spec", "spec.template"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): _BINDING,
    ("v1", "Binding"): ("target",),
}
"""Fields that the schemas require, by (apiVersion, kind), and whose absence the rules put into upstream's words.

In Go a struct that is left out is an empty one: it is what is missing in it that upstream tells.
"""
