"""One open page: its views, each a widget that is made when it is first seen.

Everything here happens on one thread, the desk's. What the page says and what it is told are JSON texts:

    {"to": "timeline", "seen": true}          a view comes into sight, or leaves it
    {"to": "timeline", "message": {...}}      what a view says to its widget
    {"from": "timeline", "state": {...}}      the whole state of a widget
    {"from": "timeline", "message": {...}}    what a widget says to its view: patches, answers

A page that sends anything else is not ours, and is not answered. k8slab's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from k8slab.lab.dashboard.on_page import OnPage
from k8slab.lab.dashboard.views import VIEWS

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster

log = logging.getLogger(__name__)

Post = Callable[[str], None]
"""Sends a text to the browser. It returns at once."""


class Page:
    """The views of one browser's page."""

    def __init__(self, cluster: Cluster, post: Post) -> None:
        self._cluster, self._post = cluster, post
        self._widgets: dict[str, OnPage] = {}

    def receive(self, text: str) -> None:
        """The page says something."""
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        name = said.get("to") if isinstance(said, dict) else None
        if not isinstance(name, str) or name not in VIEWS:
            return
        if isinstance(seen := said.get("seen"), bool):
            self._look(name, seen)
        elif (widget := self._widgets.get(name)) is not None:
            widget.receive(said.get("message"))

    def tick(self) -> None:
        """A second has passed."""
        for name, widget in self._widgets.items():
            if VIEWS[name].ticks:
                widget.refresh()

    def close(self) -> None:
        """The page has gone."""
        for widget in self._widgets.values():
            widget.close()
        self._widgets.clear()

    def _look(self, name: str, seen: bool) -> None:
        widget = self._widgets.get(name)
        if widget is None and seen:
            widget = self._widgets[name] = VIEWS[name].make(self._cluster)
            widget.lead_to(partial(self._send, name))
            widget.send_state("state")
        if widget is not None:
            widget.look(seen)

    def _send(self, name: str, part: str, content: Any) -> None:
        # Made a text at once: the state is changed in place.
        self._post(orjson.dumps({"from": name, part: content}, default=str).decode())
