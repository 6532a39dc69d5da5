"""Leases: heartbeats, and who leads.

Models: k8s.io/api/coordination/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.scheme import Resource


class LeaseSpec(View):
    """Who holds it, since when, and when it was last renewed (MicroTime texts)."""

    holder_identity: str = ""
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(KubeObject):
    """A claim that ends by itself unless renewed."""

    resource: ClassVar = Resource("coordination.k8s.io", "v1", "leases", "Lease")

    spec: LeaseSpec = LeaseSpec()
