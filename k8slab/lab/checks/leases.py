"""What the judges of chapter 10 share: who leads, and what was written into Leases.

k8slab's own.
"""

from __future__ import annotations

from k8slab.api.coordination import Lease
from k8slab.client.leader_election import NAMESPACE
from k8slab.clock import from_rfc3339
from k8slab.engine.candidates import process_of
from k8slab.lab.cluster import Cluster
from k8slab.lab.pictures.deeds import object_named


def leaders(cluster: Cluster) -> list[str]:
    """The processes that work as a leader does."""
    return sorted({process_of(name) for name in cluster.components if process_of(name) != name})


def lease(cluster: Cluster, name: str, namespace: str = NAMESPACE) -> Lease:
    """A Lease. Raises NotFound."""
    return cluster.client.get(Lease, name, namespace)


def renewals(cluster: Cluster, what: str) -> list[float]:
    """Every renewTime that was written into a Lease (`kube-node-lease/node-1`), in seconds since the epoch, in order."""
    found: dict[float, None] = {}
    for record in cluster.records(kind="commit", what=f"leases/{what}"):
        if record.what != f"leases/{what}" or record.verb == "delete":
            continue
        obj = object_named(cluster.engine, record.what, record.revision) or {}
        try:
            found[from_rfc3339((obj.get("spec") or {})["renewTime"])] = None
        except (KeyError, TypeError, ValueError):
            continue
    return list(found)
