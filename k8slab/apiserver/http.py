"""The API server's front: HTTPS on loopback.

It turns bytes into `Request`s and answers into bytes; what a request means is none of its business. It runs in a thread of
its own with an event loop, because it must wait for many clients at once; whoever made it decides, with `submit`, on which
thread requests are executed.

A watch, a followed log and an exec session are streams: when woken, they are polled and what they have is sent.

Models: k8s.io/apiserver/pkg/server/secure_serving.go, pkg/endpoints/handlers/watch.go, pkg/util/proxy (WebSocket channels).
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import hashlib
import ipaddress
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import WSMsgType, web

from k8slab.apimachinery.errors import ApiError, BadRequest, RequestEntityTooLarge
from k8slab.apimachinery.rest import Pending, Request, Response, Stream, UserInfo, Watch
from k8slab.apiserver.authentication import AUTHENTICATED, CREDENTIAL_ID
from k8slab.apiserver.decode import MAX_BODY
from k8slab.apiserver.impersonation import PREFIX, SEPARATOR
from k8slab.apiserver.negotiation import EventForm
from k8slab.apiserver.pki import Pki
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.routes import request_info
from k8slab.apiserver.server import AUDIT_ID
from k8slab.apiserver.sessions import EXEC_PROTOCOLS, PORT_PROTOCOLS, Codec, codec_for
from k8slab.apiserver.spdy import SpdyError
from k8slab.clock import Clock
from k8slab.names import unlike_any_other

log = logging.getLogger(__name__)

Reply = Callable[[Response], None]
Submit = Callable[[Request, Reply], None]

SHUTDOWN_SECONDS = 0.5
TICK = 0.005

# A TLS connection reserves its read buffer: 256 kB each unless told otherwise, and a cluster has many quiet watches.
asyncio.sslproto.SSLProtocol.max_size = 16384


class _OpenStream:
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


class HttpServer:
    """Listens on a loopback address. Raises ValueError for any other address."""

    def __init__(
        self, submit: Submit, pki: Pki | None, clock: Clock, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is no loopback address: k8slab listens on 127.0.0.1 only")
        self._submit, self._pki, self._clock, self._host = submit, pki, clock, host
        self.port = port
        """Where it listens; 0 before `start` unless one was asked for."""
        self.in_flight = 0
        """Requests received and not yet answered in full; streams do not count once they are open."""
        self.activity = 0
        """Rises with each request received and each chunk sent."""
        self._streams: set[_OpenStream] = set()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def open_streams(self) -> int:
        """How many watches, logs and sessions are open."""
        return len(self._streams)

    def pending(self) -> bool:
        """Whether a stream may have something that was not sent yet."""
        return any(stream.dirty for stream in tuple(self._streams))

    def wake_all_streams(self) -> None:
        """Have every stream look whether there is something to send."""
        for stream in tuple(self._streams):
            stream.wake()

    def start(self) -> None:
        """Returns when it listens. Raises OSError if the port is taken."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="apiserver-http", daemon=True)
        self._thread.start()
        try:
            self._call(self._listen())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close all connections; returns when thread and socket are gone. Safe to call twice."""
        if self._thread is None:
            return
        if self._runner is not None:
            self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = None
        self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self) -> None:
        server = web.Server(self._handle, handler_cancellation=True, request_factory=self._request)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        context = self._pki.ssl_context() if self._pki else None
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        assert self._runner is not None
        # A stream would hold the shutdown up for as long as its client likes.
        for task in asyncio.all_tasks():
            if task.get_name() == "stream":
                task.cancel()
        waited = 0.0
        while self.in_flight and waited < SHUTDOWN_SECONDS:
            waited += TICK
            await asyncio.sleep(TICK)
        # A TLS connection that is closed says goodbye and waits for an answer: nobody is left to wait.
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=MAX_BODY)

    async def _handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        self.activity += 1
        self.in_flight += 1
        answered = False

        def done() -> None:
            nonlocal answered
            if not answered:
                answered = True
                self.in_flight -= 1

        stream = _OpenStream(self._loop)
        try:
            try:
                request = await self._read(raw, stream)
                response = await self._execute(request)
                response.headers["Audit-Id"] = request.headers[AUDIT_ID]
            except ApiError as error:
                return await self._send(raw, Response(error.status["code"], object=error.status))
            if response.watch is not None:
                return await self._send_watch(raw, request, response.watch, stream, done)
            if response.stream is not None and response.code == 101:
                return await self._send_session(raw, request, response.stream, stream, done)
            if response.stream is not None:
                return await self._send_log(raw, response, response.stream, stream, done)
            return await self._send(raw, response)
        finally:
            self.activity += 1
            done()

    async def _read(self, raw: web.BaseRequest, stream: _OpenStream) -> Request:
        try:
            body = await raw.read() if raw.body_exists else b""
        except web.HTTPRequestEntityTooLarge:
            raise RequestEntityTooLarge(f"Request entity too large: limit is {MAX_BODY}") from None
        text = raw.rel_url.raw_query_string
        return Request(
            raw.method,
            raw.path,
            parse_qs(text, keep_blank_values=True) if text else {},
            _headers(raw),
            body,
            _user_of(raw),
            stream.wake,
            on_wire=True,
        )

    async def _execute(self, request: Request) -> Response:
        future: asyncio.Future[Response] = self._loop.create_future()

        def settle(response: Response) -> None:
            if not future.done():
                future.set_result(response)
                return
            # The client has gone before the answer came: what the answer holds open is closed.
            for held in (response.watch, response.stream):
                if held is not None:
                    held.close()

        def reply(response: Response) -> None:
            if isinstance(response, Pending):
                wait = response.wait
                threading.Thread(target=lambda: reply(wait()), name="apiserver-proxy", daemon=True).start()
                return
            if threading.current_thread() is self._thread:
                settle(response)
                return
            with suppress(RuntimeError):  # the server has stopped meanwhile
                self._loop.call_soon_threadsafe(settle, response)

        self._submit(request, reply)
        return await future

    async def _send(self, raw: web.BaseRequest, response: Response) -> web.StreamResponse:
        body = response.payload()
        headers = {"Content-Type": response.content_type, "Cache-Control": "no-cache, private", **response.headers}
        sent = web.Response(status=response.code, body=body if response.code != 304 else None, headers=headers)
        await sent.prepare(raw)
        await sent.write_eof()
        return sent

    async def _send_watch(
        self, raw: web.BaseRequest, request: Request, watch: Watch, stream: _OpenStream, opened: Callable[[], None]
    ) -> web.StreamResponse:
        form = EventForm(request, _resource_of(request))

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

    async def _send_log(
        self, raw: web.BaseRequest, response: Response, log: Stream, stream: _OpenStream, opened: Callable[[], None]
    ) -> web.StreamResponse:
        def take() -> bytes:
            return b"".join(data for _, data in log.poll())

        return await self._pour(
            raw, {"Content-Type": response.content_type, **response.headers}, take, log, stream, opened
        )

    async def _pour(
        self,
        raw: web.BaseRequest,
        headers: dict[str, str],
        take: Callable[[], bytes],
        source: Watch | Stream,
        stream: _OpenStream,
        opened: Callable[[], None],
    ) -> web.StreamResponse:
        """Send what a source has, whenever it has something, until it is closed or the client has gone."""
        sent = web.StreamResponse(headers=headers)
        sent.enable_chunked_encoding()
        self._begin(stream)
        try:
            await sent.prepare(raw)
            opened()
            while True:
                stream.begin()
                if data := take():
                    stream.dirty = True
                    await sent.write(data)
                    self.activity += 1
                elif source.closed:
                    break
                else:
                    await stream.wait()
            await sent.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or we are going
        finally:
            self._end(stream)
            source.close()
        return sent

    async def _send_session(
        self, raw: web.BaseRequest, request: Request, session: Stream, stream: _OpenStream, opened: Callable[[], None]
    ) -> web.StreamResponse:
        """An exec, attach or port-forward session over WebSocket."""
        forwards = request.path.endswith("/portforward")
        protocols = PORT_PROTOCOLS if forwards else EXEC_PROTOCOLS
        socket = web.WebSocketResponse(protocols=protocols, autoclose=True, max_msg_size=MAX_BODY)
        if not socket.can_prepare(raw).ok:
            session.close()
            error = BadRequest(f"unable to upgrade: this server speaks WebSocket ({protocols[0]}), not SPDY")
            return await self._send(raw, Response(400, object=error.status))
        self._begin(stream)
        listener = None
        try:
            await socket.prepare(raw)
            opened()
            codec = codec_for(request, socket.ws_protocol or "")
            for message in codec.begin(session):
                await socket.send_bytes(message)
            listener = asyncio.create_task(self._listen_to(socket, codec, session, stream))
            while not listener.done():
                stream.begin()
                found = session.poll()
                for channel, data in found:
                    stream.dirty = True
                    for message in codec.show(channel, data):
                        await socket.send_bytes(message)
                    self.activity += 1
                if found:
                    continue
                if session.closed:
                    await socket.close()
                    break
                await stream.wait()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            if listener is not None:
                listener.cancel()
            self._end(stream)
            session.close()
        return socket

    async def _listen_to(
        self, socket: web.WebSocketResponse, codec: Codec, session: Stream, stream: _OpenStream
    ) -> None:
        try:
            async for message in socket:
                if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
                    continue
                self.activity += 1
                # Some clients write text: the bytes are the same.
                data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                for answer in codec.take(data, session):
                    await socket.send_bytes(answer)
                stream.wake()
        except SpdyError as error:
            log.debug("port-forward ends: %s", error)
        finally:
            stream.wake()

    def _begin(self, stream: _OpenStream) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.set_name("stream")
        self._streams.add(stream)

    def _end(self, stream: _OpenStream) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.set_name("request")
        self._streams.discard(stream)


def _resource_of(request: Request) -> ResourceInfo:
    return request_info(request).resource or RESOURCES["", "pods"]


def _headers(raw: web.BaseRequest) -> dict[str, str]:
    """By their names in small letters. Only those that ask to act as somebody else may come several times."""
    found: dict[str, str] = {}
    for key, value in raw.headers.items():
        name = key.lower()
        found[name] = f"{found[name]}{SEPARATOR}{value}" if name in found and name.startswith(PREFIX) else value
    # Every request has a name, in the audit log and in its answer: the client's, or a new one.
    found[AUDIT_ID] = found.get(AUDIT_ID, "")[:64] or str(uuid.UUID(unlike_any_other(32)))
    return found


def _user_of(raw: web.BaseRequest) -> UserInfo | None:
    """Who the client's certificate says it is; None without one. The TLS layer has checked who signed it."""
    certificate = raw.transport.get_extra_info("peercert") if raw.transport else None
    if not certificate:
        return None
    parts = [part for relative in certificate.get("subject", ()) for part in relative]
    groups = (*(value for name, value in parts if name == "organizationName"), AUTHENTICATED)
    name = next((value for name, value in parts if name == "commonName"), "")
    whole = raw.transport.get_extra_info("ssl_object").getpeercert(binary_form=True) if raw.transport else b""
    extra = {CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(whole).hexdigest()}",)}
    return UserInfo(name, groups, extra=extra) if name else None
