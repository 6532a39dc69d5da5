"""Kubernetes that you can read, run, pause and rewind, inside a notebook.

    from k8slab import Cluster
    cluster = Cluster(nodes=3, seed=1)
    cluster.kubectl("get nodes")

`ARCHITECTURE.md` says which idea lives in which file.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from k8slab.version import __version__

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster

__all__ = ["Cluster", "__version__"]


def __getattr__(name: str) -> Any:
    """Load `Cluster` when it is first asked for, so that `import k8slab` stays cheap."""
    if name == "Cluster":
        from k8slab.lab.cluster import Cluster

        _register_in_notebook()
        return Cluster
    raise AttributeError(f"module 'k8slab' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Register `%kubectl` when a notebook says `%load_ext k8slab`."""
    from k8slab.lab.magic import register

    register(ipython)


def _register_in_notebook() -> None:
    """Where a notebook imports `Cluster`, it gets `%kubectl` with it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        load_ipython_extension(shell)
