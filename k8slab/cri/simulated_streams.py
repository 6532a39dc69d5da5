"""The simulated runtime's streams: they look at the clock when they are polled.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.clock import Clock
from k8slab.cri.api import LogOptions
from k8slab.cri.logs import Log, choose, render
from k8slab.cri.process import Process
from k8slab.cri.streams import BufferStream, exit_status
from k8slab.cri.terminal import Terminal


class LogStream:
    """A container's log from a chosen line on."""

    def __init__(self, log: Log, options: LogOptions, catch_up: Callable[[], bool]) -> None:
        catch_up()
        chosen = choose(log.lines, options)
        self._log, self._options, self._catch_up = log, options, catch_up
        self._next = log.end
        self._ready = render(chosen, options)
        self._sent = sum(len(data) for _, data in self._ready)
        self._running = options.follow
        self._closed = False

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        if self._closed:
            return []
        ready, self._ready = self._ready, []
        if self._running and not self._full:
            self._running = self._catch_up()
            news = self._log.since(self._next)
            self._next = self._log.end
            chunks = render(news, self._options, self._sent)
            self._sent += sum(len(data) for _, data in chunks)
            ready += chunks
        return ready

    @property
    def _full(self) -> bool:
        return self._options.limit_bytes is not None and self._sent >= self._options.limit_bytes

    def send(self, channel: int, data: bytes) -> None:
        """A log takes no input."""

    def close_stdin(self) -> None:
        """A log takes no input."""

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return self._closed or (not self._ready and (not self._running or self._full))

    def close(self) -> None:
        """Give up."""
        self._closed = True


class ExecStream(BufferStream):
    """A command in a simulated container, with its streams."""

    def __init__(self, process: Process, clock: Clock, wake: Callable[[], None], *, stdin: bool, tty: bool) -> None:
        super().__init__(wake)
        self._process, self._clock = process, clock
        process.stdin.ended = not stdin
        self._terminal = Terminal(process, self.buffer.put) if tty else None
        self.write = self._terminal.output if self._terminal else self.buffer.put
        """Where the process puts its output."""

    def poll(self) -> list[tuple[int, bytes]]:
        """What the clock has reached."""
        self._process.advance(self._clock.now())
        self._settle()
        return super().poll()

    def _settle(self) -> None:
        if self._process.exit_code is not None:
            self.buffer.finish(exit_status(self._process.exit_code))

    def write_stdin(self, data: bytes) -> None:
        """Input for the command, through the terminal if there is one."""
        if self._terminal:
            self._terminal.input(data, self._clock.now())
        else:
            self._process.feed(data, self._clock.now())
        self._settle()

    def close_stdin(self) -> None:
        """No more input will come."""
        self._process.feed(b"", self._clock.now(), ended=True)
        self._settle()

    def close(self) -> None:
        """The client has gone: so does the command."""
        self._process.kill(self._clock.now())
        super().close()
