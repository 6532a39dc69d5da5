"""/portforward: connections from the client's machine to ports of a Pod, all of them in one session.

The server finds the kubelet, and each connection is one that the kubelet makes. The session is a `Stream`: what its channels
mean is in `apiserver/sessions.py`.

Models: pkg/registry/core/pod/rest/subresources.go (PortForwardREST), k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import ApiError, BadRequest
from k8slab.apimachinery.rest import ERROR, STDIN, Request, Response, Stream
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import PODS, allow, kubelet_of, nobody

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

Connect = Callable[[int], Stream]


def port_forward(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """101, and a session. Raises BadRequest, NotFound, InternalError where no kubelet answers."""
    allow(info, "get", "create")
    pod = server.registry.get(PODS, info.namespace, info.name)
    if not pod["spec"].get("nodeName"):
        raise BadRequest(f"pod {info.name} does not have a host assigned")
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise BadRequest(f"unable to forward port because pod is not running. Current status={phase}")
    kubelet = kubelet_of(server, pod, f"portForward/{info.namespace}/{info.name}")
    wake = request.wake or nobody

    def connect(port: int) -> Stream:
        return kubelet.port_forward(info.namespace, info.name, port, wake=wake)

    return Response(101, stream=PortForwardSession(connect))


class PortForwardSession:
    """Connections by number, as a `Stream`."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connections: dict[int, Stream] = {}
        self._ready: list[tuple[int, bytes]] = []
        self._hung_up = False

    def poll(self) -> list[tuple[int, bytes]]:
        """What the connections said."""
        ready, self._ready = self._ready, []
        for number, connection in list(self._connections.items()):
            for channel, data in connection.poll():
                ready.append((2 * number + (channel == ERROR), data))
            if connection.closed:
                del self._connections[number]
                ready.append((2 * number, b""))
        return ready

    def send(self, channel: int, data: bytes) -> None:
        """Bytes for a connection, the end of them, or on an odd channel a new one."""
        number, opens = divmod(channel, 2)
        if opens:
            self._open(number, int.from_bytes(data, "little"))
        elif number in self._connections:
            connection = self._connections[number]
            if data:
                connection.send(STDIN, data)
            else:
                connection.close_stdin()

    def _open(self, number: int, port: int) -> None:
        try:
            self._connections[number] = self._connect(port)
        except ApiError as error:
            self._ready += [(2 * number + 1, error.message.encode()), (2 * number, b"")]

    def close_stdin(self) -> None:
        """A session has no input of its own."""

    @property
    def closed(self) -> bool:
        """Whether the client has hung up: a session waits for more connections."""
        return self._hung_up

    def close(self) -> None:
        """Give up: all connections end."""
        self._hung_up = True
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
