"""Streams: a log being followed, a command being typed at.

`Buffer` is where one side puts and the other polls, from any thread; `BufferStream` makes a Stream of one. A stream holds
no timer: `wake` is called when there may be something to poll.

Models: staging/src/k8s.io/apimachinery/pkg/util/remotecommand (the Status at the end of an exec).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson

from k8slab.apimachinery.rest import ERROR, RESIZE, STDIN
from k8slab.cri.api import CriError


def exit_status(code: int) -> dict[str, Any]:
    """The Status that tells a client how its command ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


_INTERNAL, _EXECUTING = "Internal error occurred: ", "error executing command in container: "


def error_status(message: str) -> dict[str, Any]:
    """The Status of a command that could not be run at all: what the runtime says, and who passes it on."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"{_INTERNAL}{_EXECUTING}{message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": f"{_EXECUTING}{message}"}]},
        "code": 500,
    }


def exit_code_of(status: bytes) -> int:
    """The exit code in the Status at the end of an exec. CriError if the command could not be run at all."""
    content = orjson.loads(status or b'{"status": "Failure", "message": "the stream ended without a status"}')
    if content["status"] == "Success":
        return 0
    if content.get("reason") != "NonZeroExitCode":
        raise CriError("Unknown", content["message"].removeprefix(_INTERNAL + _EXECUTING))
    return int(content["details"]["causes"][0]["message"])


class Buffer:
    """Bytes in channels between a writer and a reader, who may be two threads."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._items: list[tuple[int, bytes]] = []
        self._finished = False

    def put(self, channel: int, data: bytes) -> None:
        """Add bytes. After `finish` nothing is added."""
        with self._lock:
            if self._finished or not data:
                return
            self._items.append((channel, data))
        self._wake()

    def finish(self, status: dict[str, Any] | None = None) -> None:
        """Nothing more will come but, for an exec, its Status. Safe to call twice: the first counts."""
        with self._lock:
            if self._finished:
                return
            if status is not None:
                self._items.append((ERROR, orjson.dumps(status)))
            self._finished = True
        self._wake()

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        with self._lock:
            items, self._items = self._items, []
        return items

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        with self._lock:
            return self._finished and not self._items


class BufferStream:
    """A Stream over a Buffer; whoever makes one fills the buffer."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.buffer = Buffer(wake)

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        return self.buffer.poll()

    def send(self, channel: int, data: bytes) -> None:
        """Input goes where the subclass says; a log ignores it."""
        if channel == STDIN:
            self.write_stdin(data)
        elif channel == RESIZE:
            size = orjson.loads(data)
            self.resize(int(size["Width"]), int(size["Height"]))

    def write_stdin(self, data: bytes) -> None:
        """Input for the command."""

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size now."""

    def close_stdin(self) -> None:
        """No more input will come."""

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return self.buffer.closed

    def close(self) -> None:
        """Give up. Safe to call twice."""
        self.buffer.finish()
        self.buffer.poll()
