"""As whom the controllers ask, and what each may do.

Each controller has a service account of its own in kube-system, and a role with just what it does, called
`system:controller:<account>`. So a controller that is broken, or taken over, can do no more than its job. A controller that
has no row here (one that stands in for another, or a learner's) asks as the controller manager, and may do everything.

k8slab's controllers patch where upstream's update, so here `update` means both.

Models: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8slab.apimachinery.rest import UserInfo
from k8slab.apiserver.authorization.roles import EVENTS, OWN_CONTROLLERS

NAMESPACE = "kube-system"
ROLE_PREFIX = "system:controller:"
AUTHENTICATED = "system:authenticated"
MANAGER = UserInfo("system:kube-controller-manager", (OWN_CONTROLLERS, AUTHENTICATED))


class Account(NamedTuple):
    """A controller's service account, and the rules of its role."""

    name: str
    rules: str


NODE_CONTROLLER = Account(
    "node-controller",
    f"""
    get list watch update delete: nodes
    update: nodes/status pods/status
    get list watch delete: pods
    get list watch: leases.coordination.k8s.io
    {EVENTS}
    """,
)
"""Three controllers share it, as upstream."""

ACCOUNTS: Mapping[str, Account] = {
    "clusterrole-aggregation": Account(
        "clusterrole-aggregation-controller",
        "escalate get list watch update: clusterroles.rbac.authorization.k8s.io",
    ),
    "cronjob": Account(
        "cronjob-controller",
        f"""
        get list watch update: cronjobs.batch
        get list watch create update delete: jobs.batch
        update: cronjobs.batch/status cronjobs.batch/finalizers
        list delete: pods
        {EVENTS}
        """,
    ),
    "daemonset": Account(
        "daemon-set-controller",
        f"""
        get list watch: daemonsets.apps
        update: daemonsets.apps/status daemonsets.apps/finalizers
        list watch: nodes
        list watch create delete update: pods
        create: pods/binding
        get list watch create update delete: controllerrevisions.apps
        {EVENTS}
        """,
    ),
    "deployment": Account(
        "deployment-controller",
        f"""
        get list watch update: deployments.apps
        update: deployments.apps/status deployments.apps/finalizers
        get list watch create update delete: replicasets.apps
        get list watch update: pods
        {EVENTS}
        """,
    ),
    "disruption": Account(
        "disruption-controller",
        f"""
        get list watch: deployments.apps replicasets.apps statefulsets.apps replicationcontrollers pods
        get list watch: poddisruptionbudgets.policy
        update: poddisruptionbudgets.policy/status pods/status
        get: */scale
        {EVENTS}
        """,
    ),
    "endpoints": Account(
        "endpoint-controller",
        f"""
        get list watch: services pods
        get list watch create update delete: endpoints
        create: endpoints/restricted
        {EVENTS}
        """,
    ),
    "endpointslice": Account(
        "endpointslice-controller",
        f"""
        get list watch: services pods nodes
        update: services/finalizers
        get list watch create update delete: endpointslices.discovery.k8s.io
        create: endpointslices.discovery.k8s.io/restricted
        {EVENTS}
        """,
    ),
    "garbage-collector": Account(
        "generic-garbage-collector",
        f"""
        get list watch update delete: *
        {EVENTS}
        """,
    ),
    "job": Account(
        "job-controller",
        f"""
        get list watch update: jobs.batch
        update: jobs.batch/status jobs.batch/finalizers
        list watch create delete update: pods
        {EVENTS}
        """,
    ),
    "namespace": Account(
        "namespace-controller",
        """
        get list watch delete: namespaces
        update: namespaces/finalize namespaces/status
        get list watch delete deletecollection: *
        """,
    ),
    "node-ipam": NODE_CONTROLLER,
    "node-lifecycle": NODE_CONTROLLER,
    "pod-garbage-collector": Account(
        "pod-garbage-collector",
        f"""
        get list watch delete: pods
        get list watch: nodes
        update: pods/status
        {EVENTS}
        """,
    ),
    "replicaset": Account(
        "replicaset-controller",
        f"""
        get list watch update: replicasets.apps
        update: replicasets.apps/status replicasets.apps/finalizers
        list watch get update create delete: pods
        {EVENTS}
        """,
    ),
    "resourcequota": Account(
        "resourcequota-controller",
        f"""
        list watch: *
        get: resourcequotas
        update: resourcequotas/status
        {EVENTS}
        """,
    ),
    "root-ca-cert-publisher": Account(
        "root-ca-cert-publisher",
        f"""
        list watch: configmaps namespaces
        create update: configmaps
        {EVENTS}
        """,
    ),
    "serviceaccount": Account(
        "service-account-controller",
        f"""
        list watch: serviceaccounts namespaces
        create: serviceaccounts
        {EVENTS}
        """,
    ),
    "taint-eviction": NODE_CONTROLLER,
    "statefulset": Account(
        "statefulset-controller",
        f"""
        get list watch: pods
        get list watch: statefulsets.apps
        update: statefulsets.apps/status statefulsets.apps/finalizers
        get create delete update: pods
        get list watch create update delete: controllerrevisions.apps
        get create list watch update: persistentvolumeclaims
        update: pods/finalizers
        {EVENTS}
        """,
    ),
    "ttl-after-finished": Account(
        "ttl-after-finished-controller",
        f"""
        get list watch delete: jobs.batch
        {EVENTS}
        """,
    ),
}
"""By the names that `Cluster(replace={...})` takes."""


def account_of(controller: str) -> UserInfo:
    """As whom a controller of the cluster's own asks."""
    account = ACCOUNTS.get(controller)
    if account is None:
        return MANAGER
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", AUTHENTICATED)
    return UserInfo(f"system:serviceaccount:{NAMESPACE}:{account.name}", groups)
