"""What the server fills in where a client says nothing.

A default is applied once, when an object comes in, and stored with it: a later release with other defaults changes no
stored object. Filling in twice changes nothing more. Every function changes the object that it is given, in place, and
relies on the schema having been checked.

Models: pkg/apis/*/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.defaults import others, pods, services, workloads

DEFAULTS: Mapping[tuple[str, str], Callable[[JsonObject], None]] = {
    ("", "endpoints"): services.default_endpoints,
    ("", "limitranges"): others.default_limit_range,
    ("", "namespaces"): others.default_namespace,
    ("", "nodes"): others.default_node,
    ("", "persistentvolumeclaims"): others.default_volume_claim,
    ("", "persistentvolumes"): others.default_volume,
    ("", "pods"): pods.default_pod,
    ("", "podtemplates"): workloads.default_pod_template,
    ("", "replicationcontrollers"): workloads.default_replication_controller,
    ("", "secrets"): others.default_secret,
    ("", "services"): services.default_service,
    ("apiextensions.k8s.io", "customresourcedefinitions"): others.default_custom_resource_definition,
    ("apps", "daemonsets"): workloads.default_daemon_set,
    ("apps", "deployments"): workloads.default_deployment,
    ("apps", "replicasets"): workloads.default_replica_set,
    ("apps", "statefulsets"): workloads.default_stateful_set,
    ("autoscaling", "horizontalpodautoscalers"): workloads.default_autoscaler,
    ("batch", "cronjobs"): workloads.default_cron_job,
    ("batch", "jobs"): workloads.default_job,
    ("discovery.k8s.io", "endpointslices"): services.default_endpoint_slice,
    ("networking.k8s.io", "networkpolicies"): services.default_network_policy,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): others.default_role_binding,
    ("rbac.authorization.k8s.io", "rolebindings"): others.default_role_binding,
    ("scheduling.k8s.io", "priorityclasses"): others.default_priority_class,
    ("storage.k8s.io", "storageclasses"): others.default_storage_class,
}
"""How each kind is completed, by (group, plural). A kind that is not here has no defaults."""
