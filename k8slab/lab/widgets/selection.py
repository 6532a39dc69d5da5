"""Which object is looked at: one for all widgets of a cluster, so that choosing in one of them chooses in all.

It knows no widget: widgets observe it, and so can a chapter: `selection.observe(tell, "selected")`. k8slab's own.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from traitlets import HasTraits, Unicode


class Selection(HasTraits):
    """The chosen object."""

    selected = Unicode("")
    """Its id, `Pod/default/web-abc`; empty where none is chosen."""


_SHARED: WeakKeyDictionary[object, Selection] = WeakKeyDictionary()


def selection_of(source: object) -> Selection:
    """The selection that all widgets of `source` share: its attribute `selection`, or one that is kept for it."""
    own = getattr(source, "selection", None)
    if isinstance(own, Selection):
        return own
    try:
        return _SHARED.setdefault(source, Selection())
    except TypeError:  # neither hashable nor weakly held: a selection of its own
        return Selection()
