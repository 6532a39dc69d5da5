"""Widgets that live on a web page instead of in a notebook.

All that a widget knows of a browser is its comm: something to send with, and someone to call when a message comes. A notebook
gives it a comm that leads through Jupyter; here it gets one that leads to a page. Everything else, what is shown and what is
answered, is the widget's own, so page and notebook cannot say different things.

Three things are a page's: a view that nobody sees rests; what is chosen on another thread is taken over on this one; and the
controls say what a cluster in real time cannot do.

k8slab's own; the comm's messages are those of Jupyter's widget protocol, version 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from k8slab.lab.widgets.base import LabWidget
from k8slab.lab.widgets.controls import Controls
from k8slab.lab.widgets.graph import GraphView
from k8slab.lab.widgets.objects import ObjectsView
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.sources import Controllable
from k8slab.lab.widgets.throttle import KernelTimer, Timer
from k8slab.lab.widgets.timeline import TimelineView
from k8slab.lab.widgets.why import WhyView
from k8slab.names import unlike_any_other

Send = Callable[[str, object], None]
"""Sends to the page: `state` with a whole state, or `message` with a message."""


class PageComm:
    """The line of one widget to its view on a page."""

    def __init__(self, send: Send) -> None:
        self.comm_id = unlike_any_other(16)
        self._send = send
        self._receive: Callable[[dict[str, Any]], None] = lambda message: None

    def on_msg(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Have `callback` called with what the view says."""
        self._receive = callback

    def send(self, data: dict[str, Any], buffers: object = None) -> None:
        """Pass on what the widget says."""
        if data["method"] == "custom":
            self._send("message", data["content"])
        elif "state" in data.get("state", ()):
            self._send("state", data["state"]["state"])

    def receive(self, message: object) -> None:
        """The view says something."""
        self._receive({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})

    def close(self) -> None:
        """The page knows by itself when it ends."""


class PageTimer(KernelTimer):
    """The event loop of the page's thread. It may end while a cluster's thread pokes: then nobody looks any more."""

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back on the loop's thread."""
        with suppress(RuntimeError):
            super().soon(callback)


class OnPage(LabWidget):
    """A widget that is given its comm, and rests while it is not seen. It lives on one thread, which runs an event loop."""

    seen = False

    def open(self) -> None:
        """No line is opened: it is given one."""

    def lead_to(self, send: Send) -> None:
        """Have it talk to a view."""
        self.comm = PageComm(send)

    def receive(self, message: object) -> None:
        """Answer what the view says."""
        self.comm.receive(message)

    def look(self, seen: bool) -> None:
        """Somebody begins to see it, or nobody does any more."""
        self.seen = seen
        if seen:
            self.show_now()

    def refresh(self) -> None:
        """The source may have changed. Who is not seen finds out when they are."""
        if self.seen:
            super().refresh()

    def _selection_moved(self, change: Any) -> None:
        # The selection is shared with the notebook, which chooses on its own thread.
        if self._throttle.timer.elsewhere():
            self.refresh()
        elif self.seen:
            super()._selection_moved(change)


class PageGraph(OnPage, GraphView):
    """A graph on a page."""


class PageTimeline(OnPage, TimelineView):
    """A timeline on a page."""


class PageObjects(OnPage, ObjectsView):
    """Objects on a page."""


class PageWhy(OnPage, WhyView):
    """Why the chosen object is as it is, on a page."""


class PageControls(OnPage, Controls):
    """Controls on a page. `cannot`: what the cluster cannot do: the control, and why."""

    def __init__(self, target: Controllable, cannot: Mapping[str, str], timer: Timer) -> None:
        self._cannot = dict(cannot)
        super().__init__(target, timer=timer)

    def _parts(self) -> State:
        parts = super()._parts() | {"cannot": self._cannot}
        # A cluster that cannot be stepped runs in real time, which has one speed.
        return parts | {"speeds": [{"id": "1", "label": "real time"}]} if "step" in self._cannot else parts
