"""What goes on over a connection of its own: a watch, a log that is followed, a session in a container.

Each has a reader, which runs in the transport's thread and fills a bounded buffer (`incoming.py`); a server that sends faster
than somebody polls is slowed down. One that breaks off is closed, and says no more than that.

Models: k8s.io/client-go/rest/watch, tools/remotecommand (websocket.go).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import aiohttp
import orjson

from k8slab.apimachinery.rest import STDIN, STDOUT, JsonObject, WatchEvent
from k8slab.client.incoming import Incoming

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CLOSE_CHANNEL = 255
"""Its one byte says which channel ends: only v5 can say that stdin does."""
BROKEN = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
"""How a connection fails."""


class Events(Incoming[WatchEvent]):
    """A watch: each line is an event. Models `Watch`."""

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        """Pass on what comes, until the server ends the watch."""
        async with answer:
            async for line in _lines(answer):
                found = orjson.loads(line)
                await self.put(WatchEvent(found["type"], found["object"], _revision(found["object"])))


class Log(Incoming[tuple[int, bytes]]):
    """A log that is followed. Models `Stream`."""

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        """Pass on what comes, until the server ends the log."""
        async with answer:
            async for chunk in answer.content.iter_any():
                await self.put((STDOUT, chunk))

    def send(self, channel: int, data: bytes) -> None:
        """Nobody listens."""

    def close_stdin(self) -> None:
        """Nobody listens."""


class Channels(Incoming[tuple[int, bytes]]):
    """An exec session: each WebSocket message is a channel's number and its bytes. Models `Stream`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        wake: Callable[[], None] | None,
        socket: aiohttp.ClientWebSocketResponse,
    ) -> None:
        super().__init__(loop, wake)
        self._socket = socket

    async def read(self) -> None:
        """Pass on what comes, until the server ends the session."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.BINARY and len(message.data) > 1:
                    await self.put((message.data[0], message.data[1:]))
        finally:
            await self._socket.close()

    def send(self, channel: int, data: bytes) -> None:
        """Write to a channel; returns when the socket has taken it, so a sender is as slow as its reader."""
        if self._finished:
            return
        with suppress(*BROKEN, concurrent.futures.CancelledError, RuntimeError):
            asyncio.run_coroutine_threadsafe(self._socket.send_bytes(bytes([channel]) + data), self._loop).result()

    def close_stdin(self) -> None:
        """No more input will come."""
        if self._socket.protocol == PROTOCOLS[0]:
            self.send(CLOSE_CHANNEL, bytes([STDIN]))


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The complete lines of a body, of any length."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line


def _revision(obj: JsonObject) -> int:
    version = str(obj.get("metadata", {}).get("resourceVersion", ""))
    return int(version) if version.isdecimal() else 0
