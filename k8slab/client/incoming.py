"""What a server goes on sending, between the thread that reads it and the thread that polls it.

A bounded buffer. The reader waits when it is full, stops reading its socket, and so the server notices: a slow client
costs its own connection and nobody's memory. The other side never waits: it polls, and is woken when that is worth while.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CAPACITY = 1000


class Incoming(Generic[T]):
    """Items in order. `put` and `finish` belong to the event loop's thread, everything else to any thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None] | None = None, capacity: int = CAPACITY
    ) -> None:
        self._loop = loop
        self._wake = wake or (lambda: None)
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._room = asyncio.Event()  # set when a poll has made room for a reader that waits
        self._waiting = False
        self._finished = False  # nothing will be put any more
        self._reader: asyncio.Task[None] | None = None

    def start(self, reading: Coroutine[Any, Any, None]) -> None:
        """Read in the background (called in the loop). However the reading ends, the buffer is finished then."""
        self._reader = self._loop.create_task(reading)
        self._reader.add_done_callback(self._done)

    async def put(self, item: T) -> None:
        """Add an item; waits while the buffer is full."""
        while len(self._items) >= self._capacity:
            self._room.clear()
            self._waiting = True
            if len(self._items) < self._capacity:  # a poll came between, and did not see us waiting
                break
            await self._room.wait()
        self._waiting = False
        self._items.append(item)
        self._wake()

    def poll(self) -> list[T]:
        """What came since the last poll, in order."""
        found = []
        while self._items:
            found.append(self._items.popleft())
        if self._waiting:
            self._in_loop(self._room.set)
        return found

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return self._finished and not self._items

    def close(self) -> None:
        """Stop reading, and forget what was not polled. Safe to call twice."""
        self._finished = True
        self._items.clear()
        if self._reader is not None:
            self._in_loop(self._reader.cancel)

    def _done(self, reader: asyncio.Task[None]) -> None:
        if not reader.cancelled():
            reader.exception()  # a broken connection is an end like any other
        self._finished = True
        self._wake()

    def _in_loop(self, call: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
