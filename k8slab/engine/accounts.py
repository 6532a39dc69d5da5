"""As whom each part of a cluster asks the API server.

Each has an identity of its own, with the rights of its role and no more; only what a learner has put in a part's place may do
what it wants.

Models: pkg/controller/client_builder_dynamic.go, and the names that kubeadm puts into certificates.
"""

from __future__ import annotations

from collections.abc import Container

from k8slab.apimachinery.rest import MASTERS_GROUP, UserInfo
from k8slab.apiserver.authentication import AUTHENTICATED
from k8slab.apiserver.authorization.controller_roles import MANAGER, account_of

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, AUTHENTICATED))
"""Whoever holds the cluster in their hands."""


def user_of(component: str, replaced: Container[str] = ()) -> UserInfo:
    """A controller asks as the service account of its role, the scheduler as itself. `replaced`: who is a learner's own."""
    role = component.removeprefix("kube-").removesuffix("-controller")
    if role in replaced or role == "controller-manager":
        return MANAGER
    if role == "scheduler":
        return UserInfo("system:kube-scheduler", (AUTHENTICATED,))
    return account_of(role)


def user_of_node(node: str) -> UserInfo:
    """A kubelet asks as its node."""
    return UserInfo(f"system:node:{node}", ("system:nodes", AUTHENTICATED))
