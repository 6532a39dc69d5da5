"""An event loop in a thread of its own. k8slab's own; its end is that of `asyncio.run`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

STOP_WITHIN = 10.0

T = TypeVar("T")


class LoopThread:
    """Runs callbacks and coroutines, one after the other, on one thread, until `stop`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it was not stopped yet."""
        return not self._loop.is_closed()

    def soon(self, call: Callable[[], object]) -> None:
        """Have a call made, from any thread. After `stop` nothing is called."""
        with suppress(RuntimeError):  # it has stopped
            self._loop.call_soon_threadsafe(call)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Have a call made after some seconds. Only from the thread itself."""
        self._loop.call_later(seconds, call)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for what it returns or raises. Not from the thread itself."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self) -> None:
        """Let what is being done come to its end, and stop. Safe to call twice."""
        self.soon(self._loop.stop)
        self._thread.join(STOP_WITHIN)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_end_all())
        finally:
            self._loop.close()


async def _end_all() -> None:
    """End what is under way: connections that were being accepted, and transports that were told to close."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
