"""The API server's front: HTTPS on loopback.

It turns bytes into `Request`s and answers into bytes; what a request means is none of its business. It runs in a thread of
its own with an event loop, because it must wait for many clients at once; whoever made it decides, with `submit`, on which
thread requests are executed.

What goes on after its request was answered, a watch, a followed log, a session, is in `http_streams.py`.

Models: k8s.io/apiserver/pkg/server/secure_serving.go.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import hashlib
import ipaddress
import threading
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from k8slab.apimachinery.errors import ApiError, BadRequest, RequestEntityTooLarge
from k8slab.apimachinery.rest import Pending, Request, Response, UserInfo
from k8slab.apiserver.authentication import AUTHENTICATED, CREDENTIAL_ID
from k8slab.apiserver.decode import MAX_BODY
from k8slab.apiserver.http_streams import OpenStream, Streams, upgraded
from k8slab.apiserver.impersonation import PREFIX, SEPARATOR
from k8slab.apiserver.pki import Pki
from k8slab.apiserver.server import AUDIT_ID
from k8slab.clock import Clock
from k8slab.names import unlike_any_other

Reply = Callable[[Response], None]
Submit = Callable[[Request, Reply], None]

SHUTDOWN_SECONDS = 0.5
TICK = 0.005

# A TLS connection reserves its read buffer: 256 kB each unless told otherwise, and a cluster has many quiet watches.
asyncio.sslproto.SSLProtocol.max_size = 16384


class HttpServer:
    """Listens on a loopback address. Raises ValueError for any other address."""

    def __init__(
        self, submit: Submit, pki: Pki | None, clock: Clock, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is no loopback address: k8slab listens on 127.0.0.1 only")
        self._submit, self._pki, self._host = submit, pki, host
        self.port = port
        """Where it listens; 0 before `start` unless one was asked for."""
        self.in_flight = 0
        """Requests received and not yet answered in full; streams do not count once they are open."""
        self._handled = 0
        self._streams = Streams(clock)
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def activity(self) -> int:
        """Rises with each request received and answered, and with each piece of a stream."""
        return self._handled + self._streams.moved

    @property
    def open_streams(self) -> int:
        """How many watches, logs and sessions are open."""
        return len(self._streams)

    def pending(self) -> bool:
        """Whether a stream may have something that was not sent yet."""
        return self._streams.pending()

    def wake_all_streams(self) -> None:
        """Have every stream look whether there is something to send."""
        self._streams.wake_all()

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
        self._streams.cancel_all()
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
        self._handled += 1
        self.in_flight += 1
        answered = False

        def done() -> None:
            nonlocal answered
            if not answered:
                answered = True
                self.in_flight -= 1

        stream = OpenStream(self._loop)
        try:
            try:
                request = await self._read(raw, stream)
                response = await self._execute(request)
                response.headers["Audit-Id"] = request.headers[AUDIT_ID]
                if response.stream is not None and response.code == 101:
                    socket = upgraded(raw, request, response.stream)
            except ApiError as error:
                return await self._send(raw, Response(error.status["code"], object=error.status))
            if response.watch is not None:
                return await self._streams.send_watch(raw, request, response.watch, stream, done)
            if response.stream is None:
                return await self._send(raw, response)
            if response.code == 101:
                return await self._streams.send_session(raw, socket, request, response.stream, stream, done)
            return await self._streams.send_log(raw, response, response.stream, stream, done)
        finally:
            self._handled += 1
            done()

    async def _read(self, raw: web.BaseRequest, stream: OpenStream) -> Request:
        try:
            body = await raw.read() if raw.body_exists else b""
        except web.HTTPRequestEntityTooLarge:
            raise RequestEntityTooLarge(f"Request entity too large: limit is {MAX_BODY}") from None
        except (web.RequestPayloadError, HttpProcessingError) as fault:  # not compressed as its header says
            raise BadRequest(f"the body of the request cannot be read: {fault}") from None
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
