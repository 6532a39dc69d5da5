"""The defaults of what runs Pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, and their autoscaler.

Models: pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go, pkg/apis/autoscaling/v2/defaults.go.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.apiserver.defaults.fill import child, each, fill, fill_zero
from k8slab.apiserver.defaults.pods import default_template

NO_LIMIT = 2**31 - 1


def default_deployment(obj: JsonObject) -> None:
    """Complete a Deployment."""
    spec = child(obj, "spec")
    default_template(spec)
    fill(spec, "replicas", 1)
    strategy = child(spec, "strategy")
    fill(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = child(strategy, "rollingUpdate")
        fill(rolling, "maxUnavailable", "25%")
        fill(rolling, "maxSurge", "25%")
    fill(spec, "revisionHistoryLimit", 10)
    fill(spec, "progressDeadlineSeconds", 600)


def default_replica_set(obj: JsonObject) -> None:
    """Complete a ReplicaSet."""
    spec = child(obj, "spec")
    default_template(spec)
    fill(spec, "replicas", 1)


def default_replication_controller(obj: JsonObject) -> None:
    """Complete a ReplicationController: what it lacks in labels and selector it takes from its template."""
    spec = child(obj, "spec")
    if spec.get("template"):
        default_template(spec)
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)
        if labels and not child(obj, "metadata").get("labels"):
            obj["metadata"]["labels"] = dict(labels)
    fill(spec, "replicas", 1)


def default_stateful_set(obj: JsonObject) -> None:
    """Complete a StatefulSet."""
    spec = child(obj, "spec")
    default_template(spec)
    fill(spec, "podManagementPolicy", "OrderedReady")
    strategy = child(spec, "updateStrategy")
    fill(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), "partition", 0)
    retention = child(spec, "persistentVolumeClaimRetentionPolicy")
    fill(retention, "whenDeleted", "Retain")
    fill(retention, "whenScaled", "Retain")
    fill(spec, "replicas", 1)
    fill(spec, "revisionHistoryLimit", 10)
    for claim in each(spec, "volumeClaimTemplates"):
        fill(claim, "apiVersion", "v1")
        fill(claim, "kind", "PersistentVolumeClaim")
        fill(child(claim, "spec"), "volumeMode", "Filesystem")
        fill(child(claim, "status"), "phase", "Pending")


def default_daemon_set(obj: JsonObject) -> None:
    """Complete a DaemonSet."""
    spec = child(obj, "spec")
    default_template(spec)
    strategy = child(spec, "updateStrategy")
    fill(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = child(strategy, "rollingUpdate")
        fill(rolling, "maxUnavailable", 1)
        fill(rolling, "maxSurge", 0)
    fill(spec, "revisionHistoryLimit", 10)


def default_job(obj: JsonObject) -> None:
    """Complete a Job."""
    spec = child(obj, "spec")
    default_template(spec)
    # With a parallelism alone, any success ends the Job: so completions stay open.
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    fill(spec, "parallelism", 1)
    fill(spec, "backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else NO_LIMIT)
    fill(spec, "completionMode", "NonIndexed")
    fill(spec, "suspend", False)
    policy = spec.get("podFailurePolicy")
    fill(spec, "podReplacementPolicy", "TerminatingOrFailed" if policy is None else "Failed")
    for rule in each(policy or {}, "rules"):
        for condition in each(rule, "onPodConditions"):
            fill(condition, "status", "True")
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if labels and not child(obj, "metadata").get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def default_cron_job(obj: JsonObject) -> None:
    """Complete a CronJob. Its Jobs are completed when they are made."""
    spec = child(obj, "spec")
    job = child(spec, "jobTemplate")
    child(job, "metadata")
    default_template(child(job, "spec"))
    fill(spec, "concurrencyPolicy", "Allow")
    fill(spec, "suspend", False)
    fill(spec, "successfulJobsHistoryLimit", 3)
    fill(spec, "failedJobsHistoryLimit", 1)


def default_pod_template(obj: JsonObject) -> None:
    """Complete a PodTemplate."""
    default_template(obj)


_CPU_AT_80 = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
_SCALE_UP: dict[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN: dict[str, Any] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def default_autoscaler(obj: JsonObject) -> None:
    """Complete a HorizontalPodAutoscaler."""
    spec = child(obj, "spec")
    fill(spec, "minReplicas", 1)
    fill_zero(spec, "metrics", [copy_of(_CPU_AT_80)])
    behavior = spec.get("behavior")
    if behavior is not None:
        for name, rules in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
            given = child(behavior, name)
            for key, value in copy_of(rules).items():
                fill(given, key, value)
