"""How the API server reaches a kubelet: logs, exec, attach and port-forward are the only calls from the control plane to a node.

The kubelet implements this (`kubelet/server.py`); neither side imports the other. Whoever puts the cluster together gives
the API server a function that finds the connection by node name.

Models: pkg/registry/core/pod/strategy.go (LogLocation, ExecLocation), pkg/kubelet/server/server.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from k8slab.apimachinery.rest import Response, Stream


class KubeletConnection(Protocol):
    """What a kubelet's server offers. Errors are ApiError (BadRequest `container "c" in pod "p" is waiting to start: ...`)."""

    def container_logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        follow: bool = False,
        tail: int | None = None,
        since: float = 0.0,
        timestamps: bool = False,
        limit_bytes: int | None = None,
        wake: Callable[[], None],
    ) -> Stream:
        """The log of one container. `since` is seconds since the epoch, 0: from the start."""
        ...

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: tuple[str, ...],
        *,
        stdin: bool,
        tty: bool,
        wake: Callable[[], None],
    ) -> Stream:
        """Run a command in a running container."""
        ...

    def attach(
        self, namespace: str, pod: str, container: str, *, stdin: bool, tty: bool, wake: Callable[[], None]
    ) -> Stream:
        """Sit down at a running container's own process."""
        ...

    def port_forward(self, namespace: str, pod: str, port: int, *, wake: Callable[[], None]) -> Stream:
        """A connection to a port of a Pod: bytes on channels 0 and 1, what is wrong as text on channel 3."""
        ...

    def get(self, path: str) -> Response:
        """What the kubelet answers over HTTP to a GET: `/healthz`, `/pods`, ... Raises NotFound."""
        ...


FindKubelet = Callable[[str], KubeletConnection | None]
"""The connection to the kubelet of a node; None when that node has none that answers."""
