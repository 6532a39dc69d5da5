"""All pictures of a cluster, by name: `cluster.pictures.sequence()`, `cluster.pictures.verdicts("pod/web-abc")`.

Each is drawn of the records up to now, and stays as it is. Those that change with the cluster are the widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.lab.drawing import Picture
from k8slab.lab.pictures.architecture import architecture
from k8slab.lab.pictures.causal import causal_graph
from k8slab.lab.pictures.chain import handler_chain
from k8slab.lab.pictures.elections import elections
from k8slab.lab.pictures.ownership import OwnershipGraph, ownership_graph
from k8slab.lab.pictures.reconciliation import reconciliation
from k8slab.lab.pictures.sequence import sequence
from k8slab.lab.pictures.states import states
from k8slab.lab.pictures.timeline import timeline
from k8slab.lab.pictures.verdicts import scheduler_verdicts

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster


class Album:
    """Every picture raises ValueError, which says what there is, for what there is not. Times are seconds after the start."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def ownership(self, kind: str = "", name: str = "", namespace: str = "default") -> OwnershipGraph:
        """Who owns whom: of one object, or in a whole namespace."""
        with self._cluster.looking():
            return ownership_graph(self._cluster.client, kind, name, namespace)

    def architecture(self, **options: Any) -> Picture:
        """Who talks to whom, and what is broken. Options: start, end, missing."""
        return architecture(self._cluster.engine, self._cluster.trace, **options)

    def causal(self, what: str = "", **options: Any) -> Picture:
        """What happened because of what, from a command on. Options: command, component, start, end, limit, expand."""
        return causal_graph(self._cluster.engine, self._cluster.trace, what, **options)

    def reconciliation(self, what: str, **options: Any) -> Picture:
        """Desired, observed, difference, action: each look of a controller at an object. Options: component, start, end, idle."""
        return reconciliation(self._cluster.engine, self._cluster.trace, what, **options)

    def timeline(self, what: str = "", **options: Any) -> Picture:
        """What lasted how long. Options: by (component, object), component, start, end, looks."""
        return timeline(self._cluster.engine, self._cluster.trace, what, **options)

    def sequence(self, command: str = "", **options: Any) -> Picture:
        """The way of a command: who says what to whom. Options: limit, every."""
        return sequence(self._cluster.engine, self._cluster.trace, command, **options)

    def chain(self, command: str = "", verb: str = "") -> Picture:
        """The way of one request inside the API server."""
        return handler_chain(self._cluster.trace, command, verb)

    def verdicts(self, pod: str, attempt: int = -1, namespace: str = "default") -> Picture:
        """Why that node: each plugin's verdict on each node."""
        return scheduler_verdicts(
            self._cluster.engine, self._cluster.trace, pod, attempt=attempt, namespace=namespace
        )  # fmt: skip

    def elections(self, role: str = "", **options: Any) -> Picture:
        """Whose lease it was, and who worked as the leader. Options: start, end."""
        return elections(self._cluster.engine, self._cluster.trace, role, **options)

    def states(self, of: str, what: str = "", namespace: str = "default") -> Picture:
        """Where in its life something is; `of`: pod, container, worker, rollout, queue."""
        return states(self._cluster.engine, self._cluster.trace, of, what, namespace=namespace)
