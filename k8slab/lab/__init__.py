"""Instruments for notebooks, attached from outside: pictures, source, checks, magics.

    from k8slab.lab import ownership_graph, show

Everything loads when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.lab.graph import OwnershipGraph, ownership_graph
    from k8slab.lab.source import Source, show

__all__ = ["OwnershipGraph", "Source", "ownership_graph", "show"]

_HOMES = {"OwnershipGraph": "graph", "ownership_graph": "graph", "Source": "source", "show": "source"}


def __getattr__(name: str) -> Any:
    """Load an instrument."""
    if name in _HOMES:
        return getattr(import_module(f"k8slab.lab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'k8slab.lab' has no attribute {name!r}")
