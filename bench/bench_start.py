"""How long a learner waits before anything is there: the import, and the cluster."""

from __future__ import annotations

from bench.measure import Figure, figure, fresh

RUNS = 5

IMPORT = "import time; start = time.perf_counter(); import k8slab; {then}; print(time.perf_counter() - start)"

START = """
import sys, time
from k8slab import Cluster
from k8slab.api.core import Node
ready = lambda: sum(condition.type == "Ready" and condition.status == "True"
                    for node in cluster.client.list(Node) for condition in node.status.conditions) == 3
start = time.perf_counter()
cluster = Cluster(nodes=3, seed=1, mode=sys.argv[1])
cluster.run_until(ready)
print(time.perf_counter() - start)
cluster.close()
"""


def import_time() -> list[Figure]:
    """Seconds for `import k8slab`, and until `Cluster` can be used."""
    bare = min(fresh(IMPORT.format(then="pass")) for _ in range(RUNS))
    cluster = min(fresh(IMPORT.format(then="k8slab.Cluster")) for _ in range(RUNS))
    detail = f"best of {RUNS} fresh processes, without the start of Python"
    return [
        figure("import k8slab", bare, "s", detail),
        figure("from k8slab import Cluster", cluster, "s", detail),
    ]


def start_stepped() -> Figure:
    """Seconds from `Cluster(nodes=3)` to three Ready nodes, in virtual time."""
    return _start("stepped")


def start_live() -> Figure:
    """The same in real time."""
    return _start("live")


def _start(mode: str) -> Figure:
    best = min(fresh(START, mode) for _ in range(RUNS))
    return figure(f"3 Ready nodes, {mode}", best, "s", f"best of {RUNS} fresh processes, import not counted")
