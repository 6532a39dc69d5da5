"""What the judges of chapter 10 share: who leads, and a learner's code between parts of a cluster.

A learner's code is called in the middle of a component's turn, where an exception would be logged and tried again. So it is
called through a `Guarded`, which notes the first thing that goes wrong, and the judge says it.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.api.coordination import Lease
from k8slab.client.leader_election import NAMESPACE
from k8slab.clock import from_rfc3339
from k8slab.engine.candidates import process_of
from k8slab.lab.checks import Fault, raised
from k8slab.lab.cluster import Cluster
from k8slab.lab.pictures.deeds import object_named


class Enough(BaseException):
    """Says that a learner's code has had its turn; no `except Exception` of theirs holds it up."""


class Guarded:
    """Calls a learner's code; `problem` is the first thing that went wrong."""

    def __init__(self) -> None:
        self.problem = ""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the code returns; None where it raises, or has gone wrong before."""
        if self.problem:
            return None
        try:
            return function(*arguments)
        except KeyboardInterrupt:
            raise
        except (Fault, Enough) as fault:
            self.problem = str(fault)
        except BaseException as error:
            self.problem = raised(error)
        return None

    def check(self) -> None:
        """Raises Fault if something went wrong."""
        if self.problem:
            raise Fault(self.problem)


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
