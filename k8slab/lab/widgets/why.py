"""Why something is as it is: the chain of causes, as a graph and as text.

    WhyView(cluster.why("pod/web-abc"))                       one answer that stays
    WhyView(ask=cluster.why_id, selection=cluster.selection)  the answer about whatever is chosen

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.lab.widgets.base import LabWidget
from k8slab.lab.widgets.modules import javascript
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.pictures import picture_parts
from k8slab.lab.widgets.selection import Selection
from k8slab.lab.widgets.sources import PictureLike
from k8slab.lab.widgets.still import rows_svg
from k8slab.lab.widgets.throttle import Timer

NOTHING_CHOSEN = "Choose an object in another widget to see why it is as it is."


class WhyView(LabWidget):
    """An answer to "why" as a widget. `ask` is given the id of the chosen object; its errors are shown as sentences."""

    _esm = javascript("why")

    def __init__(
        self,
        answer: PictureLike | None = None,
        *,
        ask: Callable[[str], PictureLike] | None = None,
        selection: Selection | None = None,
        timer: Timer | None = None,
    ) -> None:
        if (answer is None) == (ask is None):
            raise ValueError(
                "WhyView shows one answer, or asks about what is chosen: WhyView(answer) or WhyView(ask=...)"
            )
        self._fixed, self._ask = answer, ask
        # A method of a cluster shares the cluster's selection, and is asked again when the cluster has changed.
        super().__init__(answer if ask is None else getattr(ask, "__self__", ask), selection, timer)

    @property
    def text(self) -> str:
        """The chain, one link a line."""
        answer = self._answer_now()
        return NOTHING_CHOSEN if answer is None else str(answer)

    @property
    def svg(self) -> str:
        """The chain as SVG."""
        answer = self._answer_now()
        return rows_svg("Why", [(NOTHING_CHOSEN,)]) if answer is None else answer.svg

    def _parts(self) -> State:
        answer = self._answer_now()
        if answer is None:
            return {"title": "Why", "hint": NOTHING_CHOSEN}
        return picture_parts(answer) | {"lines": str(answer).splitlines(), "opened": []}

    def _answer_now(self) -> PictureLike | None:
        if self._ask is None:
            return self._fixed
        return self._ask(self.selection.selected) if self.selection.selected else None
