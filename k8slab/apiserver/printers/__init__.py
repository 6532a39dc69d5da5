"""How each kind is shown in a table: one row of cells an object."""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.apiserver.printers import cluster, network, workloads
from k8slab.apiserver.printers.cells import Printer, age, columns, name
from k8slab.apiserver.printers.pods import PODS

PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "pods"): PODS,
    **workloads.PRINTERS,
    **network.PRINTERS,
    **cluster.PRINTERS,
}
"""By (group, plural)."""

DEFAULT = Printer(columns("Name, Age"), lambda obj, now: [name(obj), age(obj, now)])
"""Every other kind."""
