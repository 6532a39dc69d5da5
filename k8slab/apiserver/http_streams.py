"""What goes on after its request was answered: a watch, a log that is followed, a session in a container.

Each is a stream with a task of its own on the server's event loop. When it is woken, its source is polled, and what that has is
sent; a client that reads slowly holds up only its own. A stream ends when its source is closed, when the client has gone, or
when the server goes.

Models: k8s.io/apiserver/pkg/endpoints/handlers/watch.go, pkg/util/proxy (WebSocket channels).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from k8slab.apimachinery.errors import BadRequest
from k8slab.apimachinery.rest import Request, Response, Stream, Watch
from k8slab.apiserver.decode import MAX_BODY
from k8slab.apiserver.negotiation import EventForm
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import request_info
from k8slab.apiserver.server import AUDIT_ID
from k8slab.apiserver.sessions import EXEC_PROTOCOLS, PORT_PROTOCOLS, Codec, codec_for
from k8slab.apiserver.spdy import SpdyError
from k8slab.clock import Clock

log = logging.getLogger(__name__)

Opened = Callable[[], None]
"""Called when the answer has begun: from then on its request is not in flight any more."""


class OpenStream:
    """One open watch, log or session, as the loop sees it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._woken = asyncio.Event()
        self.dirty = True
        """Whether there may be something that was not sent yet."""

    def wake(self) -> None:
        """Have it look. From any thread."""
        if not self.dirty:
            self.dirty = True
            with suppress(RuntimeError):  # the server has stopped meanwhile
                self._loop.call_soon_threadsafe(self._woken.set)

    async def wait(self) -> None:
        """Wait for `wake`. Whoever calls it has sent everything that it found since `begin`."""
        await self._woken.wait()
        self._woken.clear()

    def begin(self) -> None:
        """Whatever comes from now on needs another look."""
        self.dirty = False


class Streams:
    """The open streams of one server."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[OpenStream, asyncio.Task[Any] | None] = {}
        self.moved = 0
        """Rises with each piece that is sent, or comes."""

    def __len__(self) -> int:
        return len(self._open)

    def pending(self) -> bool:
        """Whether one may have something that was not sent yet."""
        return any(stream.dirty for stream in tuple(self._open))

    def wake_all(self) -> None:
        """Have each look whether there is something to send."""
        for stream in tuple(self._open):
            stream.wake()

    def cancel_all(self) -> None:
        """End all, on their event loop: else each would hold up the server's end for as long as its client likes."""
        for task in tuple(self._open.values()):
            if task is not None:
                task.cancel()

    async def send_watch(
        self, raw: web.BaseRequest, request: Request, watch: Watch, stream: OpenStream, opened: Opened
    ) -> web.StreamResponse:
        """A watch: each event is a line of JSON."""
        form = EventForm(request, request_info(request).resource or RESOURCES["", "pods"])

        def take() -> bytes:
            return b"".join(
                orjson.dumps({"type": event.type, "object": form.shown(event.type, event.object, self._clock.now())})
                + b"\n"
                for event in watch.poll()
            )

        headers = {
            "Audit-Id": request.headers[AUDIT_ID], "Content-Type": "application/json;stream=watch",
            "Cache-Control": "no-cache, private",
        }  # fmt: skip
        return await self._pour(raw, headers, take, watch, stream, opened)

    async def send_log(
        self, raw: web.BaseRequest, response: Response, log: Stream, stream: OpenStream, opened: Opened
    ) -> web.StreamResponse:
        """A log: its bytes, as they are."""
        headers = {"Content-Type": response.content_type, **response.headers}
        return await self._pour(raw, headers, lambda: b"".join(data for _, data in log.poll()), log, stream, opened)

    async def send_session(
        self, raw: web.BaseRequest, socket: web.WebSocketResponse, request: Request,
        session: Stream, stream: OpenStream, opened: Opened,
    ) -> web.StreamResponse:  # fmt: skip
        """An exec, attach or port-forward session, over the WebSocket that `upgraded` has made."""
        listener = None
        with self._going_on(stream, session):
            try:
                await socket.prepare(raw)
                opened()
                codec = codec_for(request, socket.ws_protocol or "")
                for message in codec.begin(session):
                    await socket.send_bytes(message)
                listener = asyncio.create_task(self._listen(socket, codec, session, stream))
                await self._talk(socket, codec, session, stream, listener)
            finally:
                if listener is not None:
                    listener.cancel()
        return socket

    async def _pour(
        self, raw: web.BaseRequest, headers: dict[str, str], take: Callable[[], bytes], source: Watch | Stream,
        stream: OpenStream, opened: Opened,
    ) -> web.StreamResponse:  # fmt: skip
        """Send what a source has, whenever it has something, until it is closed or the client has gone."""
        sent = web.StreamResponse(headers=headers)
        sent.enable_chunked_encoding()
        with self._going_on(stream, source):
            await sent.prepare(raw)
            opened()
            while True:
                stream.begin()
                if data := take():
                    stream.dirty = True
                    await sent.write(data)
                    self.moved += 1
                elif source.closed:
                    break
                else:
                    await stream.wait()
            await sent.write_eof()
        return sent

    async def _talk(
        self,
        socket: web.WebSocketResponse,
        codec: Codec,
        session: Stream,
        stream: OpenStream,
        listener: asyncio.Task[None],
    ) -> None:
        """Send what a session says, until one of the two sides has closed it."""
        while not listener.done():
            stream.begin()
            found = session.poll()
            for channel, data in found:
                stream.dirty = True
                for message in codec.show(channel, data):
                    await socket.send_bytes(message)
                self.moved += 1
            if found:
                continue
            if session.closed:
                await socket.close()
                break
            await stream.wait()

    async def _listen(self, socket: web.WebSocketResponse, codec: Codec, session: Stream, stream: OpenStream) -> None:
        """Hand on what the client says."""
        try:
            async for message in socket:
                if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
                    continue
                self.moved += 1
                # Some clients write text: the bytes are the same.
                data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                for answer in codec.take(data, session):
                    await socket.send_bytes(answer)
                stream.wake()
        except SpdyError as error:
            log.debug("port-forward ends: %s", error)
        finally:
            stream.wake()

    @contextmanager
    def _going_on(self, stream: OpenStream, source: Watch | Stream) -> Iterator[None]:
        """Within it, a stream is open; after it, its source is closed."""
        self._open[stream] = asyncio.current_task()
        try:
            yield
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or we are going
        finally:
            del self._open[stream]
            source.close()


def upgraded(raw: web.BaseRequest, request: Request, session: Stream) -> web.WebSocketResponse:
    """The WebSocket of a session. Raises BadRequest, and closes the session, for a client that does not ask for one."""
    protocols = PORT_PROTOCOLS if request.path.endswith("/portforward") else EXEC_PROTOCOLS
    socket = web.WebSocketResponse(protocols=protocols, autoclose=True, max_msg_size=MAX_BODY)
    if not socket.can_prepare(raw).ok:
        session.close()
        raise BadRequest(f"unable to upgrade: this server speaks WebSocket ({protocols[0]}), not SPDY")
    return socket
