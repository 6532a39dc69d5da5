"""Which rules belong to which kind."""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.apiserver import validation
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.strategies.kinds import (
    DataStrategy,
    Defaulted,
    EventStrategy,
    JobStrategy,
    NamespaceStrategy,
    NodeStrategy,
    ServiceStrategy,
    WorkloadStrategy,
)
from k8slab.apiserver.strategies.pods import PodStrategy
from k8slab.apiserver.strategy import Strategy

WITHOUT_GENERATION = frozenset(
    {
        ("", "configmaps"), ("", "endpoints"), ("", "events"), ("", "limitranges"), ("", "persistentvolumeclaims"),
        ("", "persistentvolumes"), ("", "podtemplates"), ("", "resourcequotas"), ("", "secrets"),
        ("", "serviceaccounts"), ("coordination.k8s.io", "leases"), ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"), ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "roles"), ("storage.k8s.io", "storageclasses"), ("apps", "controllerrevisions"),
        ("certificates.k8s.io", "certificatesigningrequests"), ("storage.k8s.io", "csinodes"), ("node.k8s.io", "runtimeclasses"),
    }
)  # fmt: skip


def _job(obj: dict) -> list:  # type: ignore[type-arg]
    return list(validation.pod_spec((obj["spec"].get("template") or {}).get("spec") or {}, "spec.template.spec"))


_OWN: Mapping[tuple[str, str], Strategy] = {
    ("", "configmaps"): DataStrategy(),
    ("", "events"): EventStrategy(),
    ("", "namespaces"): NamespaceStrategy(),
    ("", "nodes"): NodeStrategy(),
    ("", "pods"): PodStrategy(),
    ("", "secrets"): DataStrategy(DEFAULTS["", "secrets"]),
    ("", "services"): ServiceStrategy(),
    ("apps", "daemonsets"): WorkloadStrategy(DEFAULTS["apps", "daemonsets"], validation.workload, "selector"),
    ("apps", "deployments"): WorkloadStrategy(DEFAULTS["apps", "deployments"], validation.deployment, "selector"),
    ("apps", "replicasets"): WorkloadStrategy(DEFAULTS["apps", "replicasets"], validation.workload, "selector"),
    ("apps", "statefulsets"): WorkloadStrategy(
        DEFAULTS["apps", "statefulsets"], validation.workload, "selector", "serviceName", "podManagementPolicy"
    ),
    ("batch", "jobs"): JobStrategy(DEFAULTS["batch", "jobs"], _job, "selector", "completionMode"),
    ("events.k8s.io", "events"): EventStrategy(),
}

STRATEGIES: Mapping[tuple[str, str], Strategy] = {
    key: _OWN.get(key)
    or Defaulted(DEFAULTS.get(key), generations=key not in WITHOUT_GENERATION, status="status" in row.subresources)
    for key, row in RESOURCES.items()
}
"""By (group, plural), one for every row of the table of resources."""
