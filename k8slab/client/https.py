"""The transport over HTTP: the same client against any API server.

Components are synchronous, so this is too: `send` blocks until the server has answered. Inside, one thread runs an event
loop for all connections of one server. They are kept alive; each watch and each stream has one of its own (`https_streams.py`).

Who asks is decided by the connection (a client certificate or a token), not by `Request.user`.

What does not answer is ServiceUnavailable, what takes too long is Timeout: nothing else is raised. An answer that says
no is a Response like any other. A watch that breaks off is closed: whoever polls it lists again or goes on from its last
revision.

Models: k8s.io/client-go/rest (request.go, transport).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import ssl
import tempfile
import threading
import weakref
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from k8slab.apimachinery.errors import ApiError, ServiceUnavailable, Timeout
from k8slab.apimachinery.rest import Request, Response
from k8slab.client.https_streams import BROKEN, PROTOCOLS, Channels, Events, Log
from k8slab.client.kubeconfig import KubeconfigError
from k8slab.client.user_config import Login, login

T = TypeVar("T")

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 65.0
"""The server itself gives up after 60."""
GOODBYE_SECONDS, GOODBYE_LOOKS = 0.01, 300
"""How often, and how many times at most, closing looks whether all sockets are free."""


def connect(kubeconfig: Path | None = None, context: str | None = None) -> Https:
    """The transport that a kubeconfig describes: of its current context, or of another.

    Without a path the files of $KUBECONFIG, or ~/.kube/config. Raises KubeconfigError where that does not lead to a server.
    """
    return Https.of(login(kubeconfig, context))


class Https:
    """A connection to one API server, as one user. Models `Transport`; safe to use from several threads."""

    def __init__(
        self,
        server: str,
        *,
        ca_file: Path | None = None,
        ca_data: bytes = b"",
        cert_file: Path | None = None,
        cert_data: bytes = b"",
        key_file: Path | None = None,
        key_data: bytes = b"",
        token: str = "",
        insecure: bool = False,
        timeout: float = ANSWER_SECONDS,
    ) -> None:
        self.server = server.rstrip("/")
        self.timeout = timeout
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._tls: ssl.SSLContext | bool = True
        if server.startswith("https:"):
            ca = ca_data or (ca_file.read_bytes() if ca_file else b"")
            certificate = cert_data or (cert_file.read_bytes() if cert_file else b"")
            key = key_data or (key_file.read_bytes() if key_file else b"")
            self._tls = _tls(ca, certificate, key, insecure)
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._session: aiohttp.ClientSession

    @staticmethod
    def of(who: Login) -> Https:
        """The transport for what a kubeconfig says; KubeconfigError where its certificates are none."""
        try:
            return Https(
                who.server,
                ca_data=who.ca,
                cert_data=who.certificate,
                key_data=who.key,
                token=who.token,
                insecure=who.insecure,
            )
        except (ssl.SSLError, ValueError) as fault:
            raise KubeconfigError(f"the certificates for {who.server} can't be used: {fault}") from None

    def send(self, request: Request) -> Response:
        """The server's answer. Not to be called from a `wake`: that runs in this transport's own thread."""
        self._start()
        last = request.path.rpartition("/")[2]
        if request.method == "GET" and (request.flag("watch") or (last == "log" and request.flag("follow"))):
            return self._run(self._open(request))
        if request.method in ("GET", "POST") and last in ("exec", "attach"):
            return self._run(self._open_channels(request))
        return self._run(self._ask(request))

    def close(self) -> None:
        """Close all connections; watches and streams end. Safe to call twice."""
        with self._lock:
            running = self._thread is not None and not self._closed
            self._closed = True
        if not running:
            return
        with suppress(concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join()

    # ---- the thread

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise ServiceUnavailable(f"the connection to {self.server} was closed")
            if self._thread is not None:
                return
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._serve, name="k8slab-https", daemon=True)
            self._thread.start()
            self._session = asyncio.run_coroutine_threadsafe(self._new_session(), self._loop).result()

    def _serve(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    async def _new_session(self) -> aiohttp.ClientSession:
        # No limit: every watch holds a connection.
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0, keepalive_timeout=60, socket_factory=self._make_socket)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        return aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=limits, auto_decompress=True)

    async def _stop(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._session.close()
        # TLS says goodbye, and hears it; only then a socket is free.
        for _ in range(GOODBYE_LOOKS):
            await asyncio.sleep(GOODBYE_SECONDS)
            if all(made.fileno() < 0 for made in tuple(self._sockets)):
                break

    def _make_socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        self._sockets.add(made)
        return made

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, self.timeout), self._loop)
        try:
            return future.result()
        except TimeoutError:
            raise Timeout(f"no answer from {self.server} within {self.timeout:g}s") from None
        except concurrent.futures.CancelledError:
            raise ServiceUnavailable(f"the connection to {self.server} was closed") from None
        except BROKEN as fault:
            raise ServiceUnavailable(f"the connection to the server {self.server} failed: {fault}") from None
        finally:
            future.cancel()  # a KeyboardInterrupt leaves nothing behind

    # ---- requests

    def _url(self, request: Request) -> URL:
        query = urlencode(request.query, doseq=True)
        return URL(self.server + quote(request.path) + ("?" + query if query else ""), encoded=True)

    def _request(self, request: Request) -> Any:
        body = request.body if isinstance(request.body, bytes) else orjson.dumps(request.body)
        headers = dict(request.headers)
        if not body:
            headers.pop("content-type", None)
        return self._session.request(request.method, self._url(request), headers=headers, data=body or None)

    async def _ask(self, request: Request) -> Response:
        async with self._request(request) as answer:
            return await _whole(answer)

    async def _open(self, request: Request) -> Response:
        """A watch, or a log that goes on."""
        answer: aiohttp.ClientResponse = await self._request(request)
        if answer.status >= 400:
            async with answer:
                return await _whole(answer)
        response = _head(answer)
        if request.flag("watch"):
            response.watch = watch = Events(self._loop, request.wake)
            watch.start(watch.read(answer))
        else:
            response.stream = log = Log(self._loop, request.wake)
            log.start(log.read(answer))
        return response

    async def _open_channels(self, request: Request) -> Response:
        """An exec or attach session, over a WebSocket."""
        headers = {name: value for name, value in request.headers.items() if name in ("user-agent", "authorization")}
        try:
            socket = await self._session.ws_connect(
                self._url(request), protocols=PROTOCOLS, headers=headers, heartbeat=30.0, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as refusal:
            # The reason is lost with the body; without an upgrade the server tells it, unless that is what it lacks.
            answer = await self._ask(request)
            if answer.code >= 400:
                return answer
            error = ApiError(str(refusal), code=refusal.status, reason="")
            return Response(refusal.status, object=error.status)
        channels = Channels(self._loop, request.wake, socket)
        channels.start(channels.read())
        return Response(101, stream=channels)


def _tls(ca: bytes, certificate: bytes, key: bytes, insecure: bool) -> ssl.SSLContext:
    """How to check who the server is, and to show who we are."""
    context = ssl.create_default_context(cadata=ca.decode() if ca else None)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        # Python loads keys from files only: this one lives in a directory of our own, for a moment.
        with tempfile.TemporaryDirectory(prefix="k8slab-") as directory:
            pem = Path(directory) / "client.pem"
            pem.touch(mode=0o600)
            pem.write_bytes(certificate + b"\n" + key)
            context.load_cert_chain(pem)
    return context


def _head(answer: aiohttp.ClientResponse) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(answer.status, content_type=headers.get("content-type", ""), headers=headers)


async def _whole(answer: aiohttp.ClientResponse) -> Response:
    """A response with its content; an error that is no Status, from some proxy, is made one."""
    response = _head(answer)
    body = await answer.read()
    if response.content_type.startswith("application/json"):
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(body)
            if isinstance(found, dict):
                response.object = found
                return response
    if answer.status >= 400:
        text = body.decode(errors="replace").strip() or answer.reason or "no reason given"
        response.object = ApiError(text, code=answer.status, reason="").status
    else:
        response.body = body
    return response
