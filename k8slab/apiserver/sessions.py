"""What travels in the messages of a session: exec, attach and port-forward over WebSocket.

The server's side of a session is a `Stream`: bytes in numbered channels (`apimachinery/rest.py`). What a client speaks is one of

    v5.channel.k8s.io, v4.channel.k8s.io    exec, attach: the first byte of a message is the channel
    v4.channel.k8s.io, portforward.k8s.io   port-forward: the same, two channels for each port that was asked for
    SPDY/3.1+portforward.k8s.io             port-forward: SPDY in the messages, two streams for each connection

and each is a small codec here. A port-forward's `Stream` has channel 2n for the bytes of connection n, and 2n+1 for what went
wrong with it; two bytes on 2n+1, the port, open it, and no bytes on 2n are the end.

Models: k8s.io/apimachinery/pkg/util/remotecommand, k8s.io/kubelet/pkg/cri/streaming/portforward (websocket.go,
httpstream.go), k8s.io/apimachinery/pkg/util/portforward (tunneling over WebSocket).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from k8slab.apimachinery.rest import RESIZE, STDIN, Request, Stream
from k8slab.apiserver.spdy import Connection, Opened, Pinged, Received, Reset

LEFT_OUT = ("SPDY is spoken inside WebSockets only: a client that wants the bare protocol is refused.",)

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
SPDY_TUNNEL = "SPDY/3.1+portforward.k8s.io"
PORT_PROTOCOLS = (SPDY_TUNNEL, "v4.channel.k8s.io", "portforward.k8s.io")
CLOSE = 255
PORT_BYTES = 2


class Codec(Protocol):
    """Between a client's messages and a stream's channels."""

    def begin(self, session: Stream) -> Iterable[bytes]:
        """The session begins: what is sent first."""
        ...

    def take(self, message: bytes, session: Stream) -> Iterable[bytes]:
        """A message has come: give the session what is for it. Yields what is to be sent at once."""
        ...

    def show(self, channel: int, data: bytes) -> Iterable[bytes]:
        """The session says something: the messages for it."""
        ...


def codec_for(request: Request, protocol: str) -> Codec:
    """What a client speaks, by the WebSocket protocol that was agreed on."""
    if not request.path.endswith("/portforward"):
        return ExecCodec()
    if protocol == SPDY_TUNNEL:
        return SpdyCodec()
    asked = [port for text in request.query.get("ports", []) for port in text.split(",")]
    return PortCodec([int(port) for port in asked if port.isdigit()])


class ExecCodec:
    """Exec and attach."""

    def begin(self, session: Stream) -> Iterable[bytes]:
        """Nothing."""
        return ()

    def take(self, message: bytes, session: Stream) -> Iterable[bytes]:
        """Input, the terminal's size, or the end of the input."""
        channel, data = message[0], message[1:]
        if channel in (STDIN, RESIZE):
            session.send(channel, data)
        elif channel == CLOSE and data[:1] == bytes([STDIN]):
            session.close_stdin()
        return ()

    def show(self, channel: int, data: bytes) -> Iterable[bytes]:
        """The channel, and the data."""
        return (bytes([channel]) + data,)


class PortCodec:
    """Port-forward with a channel pair for each port of the request, all of them open from the start."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports

    def begin(self, session: Stream) -> Iterator[bytes]:
        """Each channel says of which port it is."""
        for number, port in enumerate(self._ports):
            told = port.to_bytes(PORT_BYTES, "little")
            session.send(2 * number + 1, told)
            yield bytes([2 * number]) + told
            yield bytes([2 * number + 1]) + told

    def take(self, message: bytes, session: Stream) -> Iterable[bytes]:
        """Bytes for a port."""
        channel, data = message[0], message[1:]
        if channel % 2 == 0 and channel < 2 * len(self._ports) and data:
            session.send(channel, data)
        return ()

    def show(self, channel: int, data: bytes) -> Iterable[bytes]:
        """The channel, and the data. An end is not said: there are no words for it."""
        return (bytes([channel]) + data,) if data else ()


class SpdyCodec:
    """Port-forward with SPDY inside: a connection is a stream for its bytes, and one for what goes wrong."""

    def __init__(self) -> None:
        self._connection = Connection()
        # By the client's number of a connection: our number of it, and its two streams.
        self._numbers: dict[str, int] = {}
        self._data: dict[int, int] = {}
        self._errors: dict[int, int] = {}
        # Our number of a connection, by its data stream.
        self._by_stream: dict[int, int] = {}

    def begin(self, session: Stream) -> Iterable[bytes]:
        """Nothing: the client begins."""
        return ()

    def take(self, message: bytes, session: Stream) -> Iterator[bytes]:
        """SPDY's bytes, which may begin and end anywhere. Raises SpdyError."""
        for event in self._connection.receive(message):
            match event:
                case Opened(stream, headers):
                    yield self._connection.accept(stream)
                    number = self._numbers.setdefault(headers.get("requestid", ""), len(self._numbers))
                    if headers.get("streamtype") == "error":
                        self._errors[number] = stream
                    else:
                        self._data[number], self._by_stream[stream] = stream, number
                        session.send(2 * number + 1, int(headers.get("port") or 0).to_bytes(PORT_BYTES, "little"))
                case Received(stream, data, ended) if stream in self._by_stream:
                    number = self._by_stream[stream]
                    if data:
                        session.send(2 * number, data)
                    if ended:
                        session.send(2 * number, b"")
                case Reset(stream) if stream in self._by_stream:
                    session.send(2 * self._by_stream[stream], b"")
                case Pinged(frame):
                    yield frame

    def show(self, channel: int, data: bytes) -> Iterator[bytes]:
        """Bytes, an error, or the end of a connection."""
        number, is_error = divmod(channel, 2)
        if is_error:
            yield self._connection.data(self._errors[number], data, ended=True)
            del self._errors[number]
        elif data:
            yield self._connection.data(self._data[number], data)
        else:
            yield self._connection.data(self._data[number], b"", ended=True)
            if number in self._errors:
                yield self._connection.data(self._errors.pop(number), b"", ended=True)
