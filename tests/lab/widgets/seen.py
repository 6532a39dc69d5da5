"""A widget and what it sends, with a browser's part played by the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.lab.widgets.base import LabWidget


class StillTimer:
    """A timer whose later calls come when a test says so."""

    def __init__(self) -> None:
        self.ordered: list[tuple[float, Callable[[], None]]] = []
        self.handed: list[Callable[[], None]] = []
        self.other_thread = False

    def elsewhere(self) -> bool:
        return self.other_thread

    def soon(self, callback: Callable[[], None]) -> None:
        self.handed.append(callback)

    def later(self, delay: float, callback: Callable[[], None]) -> bool:
        self.ordered.append((delay, callback))
        return True


class Browser:
    """Listens to a widget, and says what a view would say."""

    def __init__(self, widget: LabWidget) -> None:
        self.widget = widget
        self.sent: list[dict[str, Any]] = []
        self.whole_states = 0
        widget.send = lambda content, buffers=None: self.sent.append(content)
        widget.send_state = self._whole

    def _whole(self, key: Any = None) -> None:
        self.whole_states += 1

    def says(self, type: str, **content: Any) -> dict[str, Any]:
        """Send a message; the answer to it."""
        self.widget._handle_custom_msg({"type": type, "n": 1, **content}, [])
        return self.sent[-1]

    @property
    def patches(self) -> list[dict[str, Any]]:
        return [each for each in self.sent if each["type"] == "patch"]
