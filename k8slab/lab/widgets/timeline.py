"""A timeline that grows: lanes, bars and marks, chosen by mouse or keyboard, with a table as its twin. k8slab's own."""

from __future__ import annotations

from k8slab.lab.widgets.base import LabWidget
from k8slab.lab.widgets.modules import javascript
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.pictures import picture_parts, source_of
from k8slab.lab.widgets.selection import Selection
from k8slab.lab.widgets.sources import PictureLike, PictureSource
from k8slab.lab.widgets.throttle import Timer


class TimelineView(LabWidget):
    """A timeline as a widget: of a source that is asked after every change, or one picture that stays."""

    _esm = javascript("timeline")

    def __init__(
        self,
        shown: PictureSource | PictureLike,
        *,
        selection: Selection | None = None,
        timer: Timer | None = None,
    ) -> None:
        self._pictures = source_of(shown)
        super().__init__(shown, selection, timer)

    @property
    def text(self) -> str:
        """The timeline in words."""
        return str(self._pictures.picture())

    @property
    def svg(self) -> str:
        """The timeline as SVG."""
        return self._pictures.picture().svg

    def _parts(self) -> State:
        return picture_parts(self._pictures.picture())
