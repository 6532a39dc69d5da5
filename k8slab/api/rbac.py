"""Roles, as the engine reads them. Models: k8s.io/api/rbac/v1/types.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.scheme import Resource


class ClusterRole(KubeObject):
    """What may be done, everywhere; or, with an aggregation rule, what other roles allow together."""

    resource: ClassVar = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)

    rules: tuple[Mapping[str, Any], ...] | None = None
    aggregation_rule: Mapping[str, Any] | None = None
