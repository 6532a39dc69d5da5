"""Instruments for notebooks, attached from outside: trace, why, history, pictures, widgets, checks, magics.

    from k8slab.lab import ownership_graph, show

Everything loads when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.lab.chaos import Chaos
    from k8slab.lab.connect import ConnectedLab, ConnectError, Lab
    from k8slab.lab.pictures.ownership import OwnershipGraph, ownership_graph
    from k8slab.lab.scenario import Scenario
    from k8slab.lab.source import Source, show

__all__ = [
    "Chaos", "ConnectError", "ConnectedLab", "Lab", "OwnershipGraph", "Scenario", "Source", "ownership_graph", "show",
]  # fmt: skip

_HOMES = {
    "Chaos": "chaos",
    "ConnectError": "connect",
    "ConnectedLab": "connect",
    "Lab": "connect",
    "OwnershipGraph": "pictures.ownership",
    "Scenario": "scenario",
    "Source": "source",
    "ownership_graph": "pictures.ownership",
    "show": "source",
}


def __getattr__(name: str) -> Any:
    """Load an instrument."""
    if name in _HOMES:
        return getattr(import_module(f"k8slab.lab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'k8slab.lab' has no attribute {name!r}")
