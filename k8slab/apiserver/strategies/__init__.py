"""The rules of every kind, found by (group, plural).

Most kinds need no class of their own: their rows in the tables of defaults, validations and selectable fields are all
there is to say. So each row of `resources.py` gets the shared strategy that fits it, and the exceptions are listed here.

Models: pkg/registry (one strategy.go a kind).
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.apiserver.custom.definitions import DefinitionStrategy
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.strategies import others, services, workloads
from k8slab.apiserver.strategies.base import Counted, CountedWithStatus, KindStrategy, WithStatus
from k8slab.apiserver.strategies.pods import PodStrategy
from k8slab.apiserver.strategy import Strategy

_OWN: Mapping[tuple[str, str], type[KindStrategy]] = {
    ("", "configmaps"): others.SealableStrategy,
    ("", "events"): others.EventStrategy,
    ("", "namespaces"): others.NamespaceStrategy,
    ("", "nodes"): others.NodeStrategy,
    ("", "persistentvolumeclaims"): others.VolumeClaimStrategy,
    ("", "persistentvolumes"): others.VolumeStrategy,
    ("", "pods"): PodStrategy,
    ("", "replicationcontrollers"): workloads.ReplicationControllerStrategy,
    ("", "secrets"): others.SealableStrategy,
    ("", "services"): services.ServiceStrategy,
    ("apiextensions.k8s.io", "customresourcedefinitions"): DefinitionStrategy,
    ("apps", "daemonsets"): workloads.DaemonSetStrategy,
    ("apps", "deployments"): workloads.SelectingStrategy,
    ("apps", "replicasets"): workloads.SelectingStrategy,
    ("apps", "statefulsets"): workloads.StatefulSetStrategy,
    ("batch", "jobs"): workloads.JobStrategy,
    ("events.k8s.io", "events"): others.EventStrategy,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): others.RoleBindingStrategy,
    ("rbac.authorization.k8s.io", "rolebindings"): others.RoleBindingStrategy,
    ("scheduling.k8s.io", "priorityclasses"): others.PriorityClassStrategy,
}

_COUNTED = frozenset(
    {"cronjobs", "endpointslices", "flowschemas", "ingressclasses", "ingresses",
     "mutatingwebhookconfigurations", "networkpolicies", "poddisruptionbudgets", "prioritylevelconfigurations",
     "validatingadmissionpolicies", "validatingwebhookconfigurations"}
)  # fmt: skip
"""Kinds, besides those above, that count the changes of their content."""


def _strategy_of(resource: ResourceInfo) -> Strategy:
    own = _OWN.get(resource.group_plural)
    counted, with_status = resource.plural in _COUNTED, "status" in resource.subresources
    shared = {
        (True, True): CountedWithStatus,
        (True, False): Counted,
        (False, True): WithStatus,
        (False, False): KindStrategy,
    }
    return (own or shared[counted, with_status])(resource.group, resource.plural)


_PLAIN = Strategy()


def strategy_of(resource: ResourceInfo) -> Strategy:
    """The rules of a resource, built in or custom."""
    return resource.custom.strategy if resource.custom else STRATEGIES.get(resource.group_plural, _PLAIN)


STRATEGIES: Mapping[tuple[str, str], Strategy] = {key: _strategy_of(resource) for key, resource in RESOURCES.items()}
"""The rules of every kind that is served."""
