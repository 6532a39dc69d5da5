"""A cluster's dashboard, as people hold it: an address, a way to open it, and an end.

Two threads serve it. One listens (`server.py`); on the other the widgets live, are told of the cluster's changes, and do what
the page asks for (`desk.py`). A cluster never waits for either.

k8slab's own.
"""

from __future__ import annotations

import webbrowser
from html import escape
from typing import TYPE_CHECKING, Self

from k8slab.lab.dashboard.desk import PagesDesk
from k8slab.lab.dashboard.guard import Guard
from k8slab.lab.dashboard.server import HOST, Server

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster


class Dashboard:
    """The page of one cluster. Close it, or use it as a context manager."""

    def __init__(self, cluster: Cluster, port: int = 0) -> None:
        self._guard = Guard()
        self._desk = PagesDesk(cluster)
        try:
            self._server = Server(self._desk, self._guard, port)
        except BaseException:
            self._desk.close()
            raise
        self.closed = False
        """Whether it has ended."""

    @property
    def address(self) -> str:
        """Where it is, without the token: it does not open with this alone."""
        return f"http://{HOST}:{self._server.port}/"

    @property
    def url(self) -> str:
        """Where to open it. Whoever has this can do with the cluster whatever the page can."""
        return f"{self.address}#token={self._guard.token}"

    def open(self) -> bool:
        """Open it in a browser on this machine. False if there is none."""
        return webbrowser.open(self.url)

    def close(self) -> None:
        """End it: no thread and no socket is left. Safe to call twice."""
        self.closed = True
        self._server.close()
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        # Without the token: what is shown in a notebook is saved with it.
        if self.closed:
            return "<Dashboard, closed>"
        return f"<Dashboard at {self.address}; to open it: dashboard.open(), or print(dashboard.url)>"

    def _repr_html_(self) -> str:
        if self.closed:
            return "The dashboard is closed."
        link = f'<a href="{escape(self.url)}" target="_blank" rel="noopener noreferrer">Open the dashboard</a>'
        return f"{link} ({escape(self.address)}, on the machine where this notebook runs)"


def open_dashboard(cluster: Cluster, port: int = 0, *, browser: bool = False) -> Dashboard:
    """Serve the dashboard of a cluster on 127.0.0.1, at any free port or a given one, until it is closed.

    `browser`: open it at once. Raises OSError if the port is taken.
    """
    dashboard = Dashboard(cluster, port)
    if browser:
        dashboard.open()
    return dashboard
