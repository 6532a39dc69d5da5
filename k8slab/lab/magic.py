"""`%kubectl get pods` and `%%kubectl apply -f -` in a notebook.

The line is kubectl's arguments, quoted as in a shell; `{name}` and `$name` are replaced by IPython, as in all magics. The body
of a cell goes to kubectl's standard input. Both run on the notebook's current cluster: the one that was made last and is not
closed.
"""

from __future__ import annotations

from typing import Any

from k8slab.cluster import Cluster
from k8slab.loop.kubectl import KubectlResult

NO_CLUSTER = "There is no cluster yet. Make one first:  from k8slab import Cluster; cluster = Cluster(nodes=3, seed=1)"


class NoCluster(RuntimeError):
    """There is no open cluster in this notebook. Shown as its sentence, without a traceback."""

    def __init__(self) -> None:
        super().__init__(NO_CLUSTER)

    def _render_traceback_(self) -> list[str]:
        return [NO_CLUSTER]


def kubectl(line: str, cell: str | None = None) -> KubectlResult:
    """Run kubectl on the current cluster. Raises NoCluster, and ValueError for an open quote."""
    cluster = Cluster.current()
    if cluster is None:
        raise NoCluster
    return cluster.kubectl(line, stdin=cell)


def register(ipython: Any) -> None:
    """Give a shell the magic. To do it twice is fine."""
    ipython.register_magic_function(kubectl, magic_kind="line_cell", magic_name="kubectl")
