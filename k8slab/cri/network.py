"""The simulated pod network: who listens at which address.

Each sandbox has a network namespace: an address, and the ports that programs in its containers listen on. A
`SimulatedNetwork` joins the namespaces of all nodes, so that a request reaches any Pod by its address, as the Kubernetes
network model has it. There are no packets: a request is a call, answered at the moment it is made.

k8slab's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as a simulated server sees it."""

    method: str
    target: str
    """Path and query."""
    source: str = "127.0.0.1"
    user_agent: str = "curl/7.88.1"

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path or "/"

    def param(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return parse_qs(urlsplit(self.target).query).get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What the server answers."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    server: str = ""


Handler = Callable[[HttpRequest], HttpReply]


@dataclass(slots=True)
class NetNamespace:
    """One sandbox's network: its address, and what listens."""

    ip: str = ""
    hostname: str = ""
    listeners: dict[int, Handler] = field(default_factory=dict)
    catch_up: Callable[[], None] = lambda: None
    """Bring the namespace's processes up to the clock: a server may have begun to listen, or may have gone."""

    def request(self, port: int, request: HttpRequest) -> HttpReply:
        """The answer of who listens on `port`; ConnectionRefusedError if nobody does."""
        self.catch_up()
        if port not in self.listeners:
            raise ConnectionRefusedError(f"dial tcp {self.ip or '127.0.0.1'}:{port}: connect: connection refused")
        return self.listeners[port](request)


class SimulatedNetwork:
    """Every namespace of the cluster, by address."""

    def __init__(self) -> None:
        self._namespaces: dict[str, NetNamespace] = {}
        self.lock = threading.RLock()
        """Held while any program of the cluster runs."""

    def join(self, namespace: NetNamespace) -> None:
        """A sandbox got its address."""
        self._namespaces[namespace.ip] = namespace

    def leave(self, namespace: NetNamespace) -> None:
        """A sandbox gave its address back."""
        if self._namespaces.get(namespace.ip) is namespace:
            del self._namespaces[namespace.ip]

    def request(self, ip: str, port: int, request: HttpRequest) -> HttpReply:
        """Ask a Pod. ConnectionRefusedError if nothing listens there, TimeoutError if nobody has the address."""
        with self.lock:
            if ip not in self._namespaces:
                raise TimeoutError(f"dial tcp {ip}:{port}: i/o timeout")
            return self._namespaces[ip].request(port, request)
