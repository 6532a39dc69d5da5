"""Where the dashboard listens: HTTP and WebSockets on 127.0.0.1, in a thread of its own.

The files of the page are for everybody: they are k8slab's source, and say nothing of a cluster. All that does needs the
token (`guard.py`). A WebSocket is one page: what it says is handed to the desk's thread, where the widgets live, and what
they say comes back; so a drawing that takes long holds up no socket, and a browser that is slow holds up no cluster. A page
that falls too far behind is let go: it comes again, and gets everything as it is then.

This is one of the modules that import aiohttp. k8slab's own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from k8slab.lab.dashboard.files import file_at
from k8slab.lab.dashboard.guard import HEADERS, PROTOCOL, Guard, Refused
from k8slab.lab.dashboard.loop_thread import LoopThread

HOST = "127.0.0.1"
MAX_MESSAGE = 64 * 1024
MAX_WAITING = 500
"""A page may be so many messages behind."""
MAX_PAGES = 8
HEARTBEAT = 20.0
SHUTDOWN_SECONDS = 0.5
TICK = 0.005


class Desk(Protocol):
    """Where pages are served, on another thread. Its methods return at once."""

    def about(self) -> Mapping[str, Any]:
        """What does not change about the cluster, and which views there are."""
        ...

    def open(self, post: Callable[[str], None]) -> Callable[[str | None], None]:
        """A page is there. What comes back is given each text that it sends, and None at its end."""
        ...


class Server:
    """Listens until `close`. Raises OSError if the port is taken."""

    def __init__(self, desk: Desk, guard: Guard, port: int) -> None:
        self._desk, self._guard = desk, guard
        self._lines: set[web.WebSocketResponse] = set()
        self._listening: list[socket.socket] = []
        self._thread = LoopThread("dashboard-http")
        app = web.Application(middlewares=[self._checked])
        app.on_response_prepare.append(_with_headers)
        app.router.add_get("/about", self._about)
        app.router.add_post("/ports/{port:[0-9]{1,5}}", self._add_port)
        app.router.add_get("/line", self._line)
        app.router.add_get("/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)
        try:
            self._thread.run(self._runner.setup())
            self.port = self._thread.run(self._listen(port))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections; returns when thread and sockets are gone. Safe to call twice."""
        if self._thread.running:
            self._thread.run(self._end())
        self._thread.stop()

    async def _listen(self, port: int) -> int:
        listening = socket.create_server((HOST, port))
        await web.SockSite(self._runner, listening).start()
        self._listening.append(listening)
        found = int(listening.getsockname()[1])
        self._guard.ports.add(found)
        return found

    async def _end(self) -> None:
        for line in tuple(self._lines):
            await line.close(code=WSCloseCode.GOING_AWAY, message=b"the cluster is closed")
        # asyncio forgets a connection that is being accepted while its server closes: first no more are accepted.
        for listening in self._listening:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await asyncio.sleep(TICK)
        await self._runner.cleanup()

    # Answers.

    @web.middleware
    async def _checked(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            self._guard.check_host(request.headers.get("Host", ""))
            answer: web.StreamResponse = await handler(request)
            return answer
        except Refused as refused:
            return web.Response(status=refused.code, text=f"{refused}\n")

    async def _file(self, request: web.Request) -> web.Response:
        found = file_at(request.path)
        if found is None:
            return web.Response(status=404, text="There is nothing here.\n")
        content_type, text = found
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    async def _about(self, request: web.Request) -> web.Response:
        self._guard.check_token(request.headers)
        return web.json_response(dict(self._desk.about()))

    async def _add_port(self, request: web.Request) -> web.Response:
        """Listen on a further port: `k8slab dashboard --port` asks for it."""
        self._guard.check_token(request.headers)
        port = int(request.match_info["port"])
        if port in self._guard.ports:
            return web.json_response({"port": port})
        try:
            return web.json_response({"port": await self._listen(port)})
        except (OSError, OverflowError) as error:
            raise Refused(409, f"Cannot listen on port {port}: {error}") from None

    async def _line(self, request: web.Request) -> web.StreamResponse:
        self._guard.check_line(request.headers)
        if len(self._lines) >= MAX_PAGES:
            raise Refused(503, f"{MAX_PAGES} pages are open already: close one.")
        line = web.WebSocketResponse(protocols=(PROTOCOL,), max_msg_size=MAX_MESSAGE, heartbeat=HEARTBEAT)
        if not line.can_prepare(request).ok:
            raise Refused(400, "This is the page's line: it is a WebSocket.")
        await line.prepare(request)
        self._lines.add(line)
        try:
            await self._talk(line)
        finally:
            self._lines.discard(line)
        return line

    async def _talk(self, line: web.WebSocketResponse) -> None:
        waiting: asyncio.Queue[str] = asyncio.Queue()
        told = self._desk.open(lambda text: self._thread.soon(partial(waiting.put_nowait, text)))
        sender = asyncio.create_task(_pour(waiting, line))
        try:
            async for message in line:
                if message.type is WSMsgType.TEXT:
                    told(message.data)
        finally:
            told(None)
            sender.cancel()


async def _pour(waiting: asyncio.Queue[str], line: web.WebSocketResponse) -> None:
    """Send what waits, until the line is closed, or so much waits that the page cannot be following."""
    try:
        while not line.closed:
            text = await waiting.get()
            if waiting.qsize() > MAX_WAITING:
                await line.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too far behind")
                return
            await line.send_str(text)
    except ConnectionError:
        pass  # the page has gone


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers["Server"] = "k8slab"
