"""A connection to a port of a simulated Pod: bytes in, bytes out.

The simulated network has no bytes: a request is a call. So the bytes of HTTP/1.1 are read here, each whole request is called,
and its reply is written out. Requests may follow each other on one connection.

k8slab's own.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable
from http import HTTPStatus
from threading import RLock

from k8slab.apimachinery.rest import ERROR, STDOUT
from k8slab.cri.network import HttpReply, HttpRequest, NetNamespace
from k8slab.cri.streams import BufferStream

END_OF_HEAD = b"\r\n\r\n"


class SimulatedConnection(BufferStream):
    """One connection. Nobody at the port is told on channel 3."""

    def __init__(self, net: NetNamespace, port: int, lock: RLock, wake: Callable[[], None]) -> None:
        super().__init__(wake)
        self._net, self._port, self._lock = net, port, lock
        self._received = b""
        with lock:
            net.catch_up()
            if port not in net.listeners:
                self.buffer.put(ERROR, f"dial tcp4 127.0.0.1:{port}: connect: connection refused".encode())
                self.buffer.finish()

    def write_stdin(self, data: bytes) -> None:
        """More bytes of a request."""
        self._received += data
        while not self.closed and (taken := take_request(self._received)) is not None:
            request, length, keeps_open = taken
            self._received = self._received[length:]
            try:
                with self._lock:
                    reply = self._net.request(self._port, request)
            except ConnectionRefusedError:
                self.buffer.finish()  # it has gone meanwhile
                return
            self.buffer.put(STDOUT, written(reply, request.method, keeps_open))
            if not keeps_open:
                self.buffer.finish()

    def close_stdin(self) -> None:
        """The other side will ask no more."""
        self.buffer.finish()


def take_request(received: bytes) -> tuple[HttpRequest, int, bool] | None:
    """(request, its length in bytes, whether the connection stays open after it); None if it is not whole yet."""
    head, end, rest = received.partition(END_OF_HEAD)
    if not end:
        return None
    first, _, lines = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(lines + END_OF_HEAD))
    length = int(headers.get("Content-Length") or 0)
    if len(rest) < length:
        return None
    method, target, version = (*first.decode("latin-1").split(" "), "", "", "")[:3]
    keeps_open = version != "HTTP/1.0" and headers.get("Connection", "").lower() != "close"
    request = HttpRequest(method, target or "/", user_agent=headers.get("User-Agent", ""))
    return request, len(head) + len(end) + length, keeps_open


def written(reply: HttpReply, method: str, keeps_open: bool) -> bytes:
    """A reply as bytes."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    if reply.server:
        lines.append(f"Server: {reply.server}")
    lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
    if not keeps_open:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + END_OF_HEAD + (b"" if method == "HEAD" else reply.body)
