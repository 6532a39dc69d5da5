"""A graph that moves: boxes and arrows, chosen by mouse or keyboard, with a table as its twin.

    GraphView(source)     source.picture() is asked again after every change
    GraphView(picture)    one picture that stays

A box of many is opened by a click or Enter, and stays open through changes. k8slab's own.
"""

from __future__ import annotations

from k8slab.lab.widgets.base import Answer, LabWidget, Message, text_in
from k8slab.lab.widgets.modules import javascript
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.pictures import picture_parts, source_of
from k8slab.lab.widgets.selection import Selection
from k8slab.lab.widgets.sources import PictureLike, PictureSource
from k8slab.lab.widgets.throttle import Timer


class GraphView(LabWidget):
    """A graph as a widget."""

    _esm = javascript("graph")

    def __init__(
        self,
        shown: PictureSource | PictureLike,
        *,
        selection: Selection | None = None,
        timer: Timer | None = None,
    ) -> None:
        self._pictures = source_of(shown)
        self._opened: tuple[str, ...] = ()
        super().__init__(shown, selection, timer)

    @property
    def text(self) -> str:
        """The graph in words."""
        return str(self._picture())

    @property
    def svg(self) -> str:
        """The graph as SVG."""
        return self._picture().svg

    def _parts(self) -> State:
        return picture_parts(self._picture()) | {"opened": list(self._opened)}

    def _picture(self) -> PictureLike:
        picture = self._pictures.picture()
        expand = getattr(picture, "expand", None)
        opened: PictureLike = expand(*self._opened) if self._opened and expand is not None else picture
        return opened

    def _answers(self) -> dict[str, Answer]:
        return super()._answers() | {"expand": self._expand, "collapse": self._collapse}

    def _expand(self, message: Message) -> None:
        self._opened = (*self._opened, text_in(message, "id"))
        self.show_now()

    def _collapse(self, _message: Message) -> None:
        self._opened = ()
        self.show_now()
