"""Docker's streams: logs, and commands with their input and output.

Without a terminal Docker sends frames: a byte for the channel, three zeros, four for the length, the data. A thread reads
them into a Buffer, for whoever polls must not block.

Models: Docker Engine API v1.41, "Attach to a container", stream format.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from k8slab.apimachinery.rest import ERROR, STDOUT
from k8slab.clock import sleep_really
from k8slab.cri.api import CriError
from k8slab.cri.docker_engine import ByteStream, Engine, translated
from k8slab.cri.streams import BufferStream, error_status, exit_status

_HEADER = 8
_CANNOT_EXEC = b"OCI runtime exec failed"
_CANNOT_EXEC_CODES = (126, 127)
_KILLED = 137
CONNECT_SECONDS = 5.0
_RESIZE_TRIES, _RESIZE_PAUSE = 10, 0.02


def frames(chunks: Iterable[bytes], *, tty: bool) -> Iterator[tuple[int, bytes]]:
    """(channel, data) of what Docker sends; a terminal has one channel and no frames."""
    if tty:
        for chunk in chunks:
            yield STDOUT, chunk
        return
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _HEADER:
            end = _HEADER + int.from_bytes(waiting[4:_HEADER], "big")
            if len(waiting) < end:
                break
            if end > _HEADER:
                yield waiting[0], waiting[_HEADER:end]
            waiting = waiting[end:]


class DockerStream(BufferStream):
    """A stream that a thread fills."""

    def __init__(self, connection: ByteStream, wake: Callable[[], None], *, tty: bool) -> None:
        super().__init__(wake)
        self._connection, self._tty = connection, tty

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="k8slab-docker-stream", daemon=True).start()

    def _read(self) -> None:
        try:
            self.fill(frames(self._connection.read(), tty=self._tty))
        finally:
            self._connection.close()
            self.buffer.finish()

    def fill(self, items: Iterator[tuple[int, bytes]]) -> None:
        """Put all that comes, and finish."""
        for channel, data in items:
            self.buffer.put(channel, data)

    def close(self) -> None:
        """Give up: the reading thread ends too."""
        self._connection.close()
        super().close()


class DockerLog(DockerStream):
    """A container's log, cut off after `limit` bytes."""

    def __init__(self, connection: ByteStream, wake: Callable[[], None], *, tty: bool, limit: int | None) -> None:
        super().__init__(connection, wake, tty=tty)
        self._limit = limit

    def fill(self, items: Iterator[tuple[int, bytes]]) -> None:
        """Put all that comes, up to the limit."""
        left = self._limit
        for channel, data in items:
            self.buffer.put(channel, data if left is None else data[:left])
            if left is not None and (left := left - len(data)) <= 0:
                return

    def read_now(self) -> None:
        """Read all of it in this thread: for a log that is not followed."""
        self._read()


class DockerExec(DockerStream):
    """A command in a container."""

    def __init__(
        self, engine: Engine, exec_id: str, connection: ByteStream, wake: Callable[[], None], *, stdin: bool, tty: bool
    ) -> None:
        super().__init__(connection, wake, tty=tty)
        self._engine, self._exec_id = engine, exec_id
        if not stdin:
            connection.close_write()

    def fill(self, items: Iterator[tuple[int, bytes]]) -> None:
        """Put all that comes, and at the end how the command ended."""
        failure = b""
        for channel, data in items:
            # A command that is not there says so on its standard output, if it is the first to speak.
            if failure or data.startswith(_CANNOT_EXEC):
                failure += data
            else:
                self.buffer.put(channel, data)
        code = self._exit_code()
        if failure and code in _CANNOT_EXEC_CODES:
            why = failure.decode(errors="replace").strip()
            start = f'failed to exec in container: failed to start exec "{self._exec_id}"'
            self.buffer.finish(error_status(f"{start}: {why}"))
            return
        self.buffer.put(STDOUT, failure)
        self.buffer.finish(exit_status(code))

    def _exit_code(self) -> int:
        """Docker closes the stream a moment before it knows the code."""
        for _ in range(200):
            try:
                with translated():
                    state = self._engine.exec_inspect(self._exec_id)
            except CriError:  # the container is gone, and the command with it
                break
            if not state["Running"] and state["ExitCode"] is not None:
                return int(state["ExitCode"])
            sleep_really(0.005)
        return _KILLED

    def write_stdin(self, data: bytes) -> None:
        """Input for the command."""
        self._connection.write(data)

    def close_stdin(self) -> None:
        """No more input will come."""
        self._connection.close_write()

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size now. Docker knows no size before the command runs, so the first may need patience."""
        for _ in range(_RESIZE_TRIES if self._tty else 0):
            try:
                with translated():
                    self._engine.exec_resize(self._exec_id, height=height, width=width)
            except CriError:
                sleep_really(_RESIZE_PAUSE)
            else:
                break


class DockerAttach(DockerStream):
    """A container's own process."""

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        connection: ByteStream,
        wake: Callable[[], None],
        *,
        stdin: bool,
        once: bool,
        tty: bool,
    ) -> None:
        super().__init__(connection, wake, tty=tty)
        self._engine, self._container_id, self._takes_input, self._once = engine, container_id, stdin, once

    def fill(self, items: Iterator[tuple[int, bytes]]) -> None:
        """Put all that comes, and at the end that it has ended."""
        super().fill(items)
        self.buffer.finish(exit_status(0))

    def write_stdin(self, data: bytes) -> None:
        """Input for the process."""
        if self._takes_input:
            self._connection.write(data)

    def close_stdin(self) -> None:
        """No more input will come from here; from others it may, unless the container takes it only once."""
        if self._takes_input and self._once:
            self._connection.close_write()

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size now."""
        if self._tty:
            with suppress(CriError), translated():
                self._engine.resize(self._container_id, height=height, width=width)


class DockerConnection(BufferStream):
    """A TCP connection to a port of a Pod's address."""

    def __init__(self, address: str, port: int, wake: Callable[[], None]) -> None:
        super().__init__(wake)
        self._where = (address, port)
        self._socket = socket.socket()
        self._socket.settimeout(CONNECT_SECONDS)
        self._connected = threading.Event()

    def start(self) -> None:
        """Connect, and begin to read."""
        threading.Thread(target=self._read, name="k8slab-port-forward", daemon=True).start()

    def _read(self) -> None:
        try:
            self._socket.connect(self._where)
            self._socket.settimeout(None)
            self._connected.set()
            while data := self._socket.recv(65536):
                self.buffer.put(STDOUT, data)
        except OSError as error:
            if not self._connected.is_set():
                why = (error.strerror or str(error)).lower()
                told = f"dial tcp4 {self._where[0]}:{self._where[1]}: connect: {why}"
                self.buffer.put(ERROR, told.encode())
        finally:
            self._connected.set()
            self._socket.close()
            self.buffer.finish()

    def write_stdin(self, data: bytes) -> None:
        """Bytes for the Pod; what comes before the connection is made waits for it."""
        self._connected.wait(CONNECT_SECONDS)
        with suppress(OSError):
            self._socket.sendall(data)

    def close_stdin(self) -> None:
        """No more will be sent."""
        self._connected.wait(CONNECT_SECONDS)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give up: the reading thread ends too."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        super().close()
