"""The dashboard: the widgets of a cluster on a web page of their own, at 127.0.0.1.

    with open_dashboard(cluster) as dashboard:
        print(dashboard.url)

The page shows what the widgets in a notebook show, by the same Python objects and the same modules, from the same records:
choosing an object in one of them chooses it in all, on the page and in the notebook. Everything loads when it is first
asked for: a cluster that nobody looks at pays for a socket.

Who may look is in `guard.py`, who listens in `server.py`, what is on the page in `views.py`, and how a widget comes to be on
a page in `page.py`. k8slab's own; kubernetes/dashboard and Jupyter's token are its models.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.lab.dashboard.dashboard import Dashboard, open_dashboard

__all__ = ["Dashboard", "open_dashboard"]


def __getattr__(name: str) -> Any:
    """Load what is asked for: aiohttp takes a while."""
    if name in __all__:
        return getattr(import_module("k8slab.lab.dashboard.dashboard"), name)
    raise AttributeError(f"module 'k8slab.lab.dashboard' has no attribute {name!r}")
