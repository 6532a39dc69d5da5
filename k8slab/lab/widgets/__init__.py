"""Widgets: thin views of plain Python objects, for JupyterLab, Notebook 7, VS Code and a plain web page.

    from k8slab.lab.widgets import GraphView, TimelineView, ObjectsView, Controls, WhyView

What they look at is in `sources.py`. Everything loads when it is first asked for: ipywidgets takes a while.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.lab.widgets.controls import Controls
    from k8slab.lab.widgets.graph import GraphView
    from k8slab.lab.widgets.objects import ObjectsView
    from k8slab.lab.widgets.selection import Selection, selection_of
    from k8slab.lab.widgets.timeline import TimelineView
    from k8slab.lab.widgets.why import WhyView

__all__ = ["GraphView", "TimelineView", "ObjectsView", "Controls", "WhyView", "Selection", "selection_of"]

_HOMES = {
    "GraphView": "graph",
    "TimelineView": "timeline",
    "ObjectsView": "objects",
    "Controls": "controls",
    "WhyView": "why",
    "Selection": "selection",
    "selection_of": "selection",
}


def __getattr__(name: str) -> Any:
    """Load a widget."""
    if name in _HOMES:
        return getattr(import_module(f"k8slab.lab.widgets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'k8slab.lab.widgets' has no attribute {name!r}")
