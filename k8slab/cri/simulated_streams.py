"""The simulated runtime's streams: polling one first brings its container up to the clock.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from k8slab.clock import Clock
from k8slab.cri.api import LogOptions
from k8slab.cri.logs import choose, render
from k8slab.cri.process import Process
from k8slab.cri.simulated_containers import SimulatedContainer
from k8slab.cri.streams import BufferStream, exit_status
from k8slab.cri.terminal import Terminal


class LogStream:
    """A container's log from a chosen line on."""

    def __init__(
        self, container: SimulatedContainer, options: LogOptions, clock: Clock, wake: Callable[[], None], lock: RLock
    ) -> None:
        self._container, self._options, self._clock, self._wake, self._lock = container, options, clock, wake, lock
        self._ready = render(choose(container.log.lines, options), options)
        self._sent = sum(len(data) for _, data in self._ready)
        self._next = container.log.end
        """The number of the first line that was not looked at."""
        self._following = options.follow and container.running
        if self._following:
            container.listen(wake)

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        with self._lock:
            if self._following:
                self._container.catch_up(self._clock.now())
                self._look()
            ready, self._ready = self._ready, []
        return ready

    def _look(self) -> None:
        log, options = self._container.log, self._options
        chunks = render(log.since(self._next), options, self._sent)
        self._next = log.end
        self._sent += sum(len(data) for _, data in chunks)
        self._ready += chunks
        if not self._container.running or (options.limit_bytes is not None and self._sent >= options.limit_bytes):
            self._stop()

    def _stop(self) -> None:
        if self._following:
            self._following = False
            self._container.ignore(self._wake)

    def send(self, channel: int, data: bytes) -> None:
        """A log takes no input."""

    def close_stdin(self) -> None:
        """A log takes no input."""

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return not self._following and not self._ready

    def close(self) -> None:
        """Give up."""
        with self._lock:
            self._stop()
            self._ready = []


class _ProcessStream(BufferStream):
    """A process in a simulated container, seen from outside."""

    def __init__(
        self, container: SimulatedContainer, process: Process, clock: Clock, wake: Callable[[], None], lock: RLock
    ) -> None:
        super().__init__(wake)
        self._container, self._process, self._clock, self._wake, self._lock = container, process, clock, wake, lock

    def poll(self) -> list[tuple[int, bytes]]:
        """What the clock has reached."""
        with self._lock:
            if self._process.exit_code is None:
                self._container.catch_up(self._clock.now())
            self._settle()
        return super().poll()

    def _settle(self) -> None:
        raise NotImplementedError


class ExecStream(_ProcessStream):
    """A command in a simulated container, with its streams."""

    def __init__(
        self,
        container: SimulatedContainer,
        process: Process,
        clock: Clock,
        wake: Callable[[], None],
        lock: RLock,
        *,
        stdin: bool,
        tty: bool,
    ) -> None:
        super().__init__(container, process, clock, wake, lock)
        process.stdin.ended = not stdin
        self._terminal = Terminal(process, self.buffer.put) if tty else None
        self.write = self._terminal.output if self._terminal else self.buffer.put
        """Where the process puts its output."""
        container.listen(wake)

    def _settle(self) -> None:
        """If the command has ended, so has the stream; else its next moment may be another one now."""
        if self._process.exit_code is not None:
            self.buffer.finish(exit_status(self._process.exit_code))
            self._container.ignore(self._wake)
        else:
            self._container.machine.changed()

    def write_stdin(self, data: bytes) -> None:
        """Input for the command, through the terminal if there is one."""
        with self._lock:
            now = self._clock.now()
            (self._terminal.input if self._terminal else self._process.feed)(data, now)
            self._settle()

    def close_stdin(self) -> None:
        """No more input will come."""
        with self._lock:
            self._process.feed(b"", self._clock.now(), ended=True)
            self._settle()

    def close(self) -> None:
        """The client has gone: so does the command."""
        with self._lock:
            self._process.kill(self._clock.now())
            self._settle()
        super().close()


class AttachStream(_ProcessStream):
    """The container's own process, with its streams."""

    def __init__(
        self,
        container: SimulatedContainer,
        process: Process,
        clock: Clock,
        wake: Callable[[], None],
        lock: RLock,
        *,
        stdin: bool,
    ) -> None:
        super().__init__(container, process, clock, wake, lock)
        self._takes_input = stdin and container.config.stdin
        self._terminal = Terminal(process, self.buffer.put) if container.config.tty else None
        self._tap = self._terminal.output if self._terminal else self.buffer.put
        container.taps += (self._tap,)
        container.listen(wake)

    def _settle(self) -> None:
        if self._process.exit_code is not None:
            self.buffer.finish(exit_status(0))
            self._leave()
        else:
            self._container.machine.changed()

    def _leave(self) -> None:
        self._container.ignore(self._wake)
        self._container.taps = tuple(tap for tap in self._container.taps if tap != self._tap)

    def write_stdin(self, data: bytes) -> None:
        """Input for the process, through the terminal if there is one."""
        if self._takes_input:
            with self._lock:
                (self._terminal.input if self._terminal else self._process.feed)(data, self._clock.now())
                self._container.notice()
                self._settle()

    def close_stdin(self) -> None:
        """No more input will come from here; from others it may, unless the container takes it only once."""
        if self._takes_input and self._container.config.stdin_once:
            with self._lock:
                self._process.feed(b"", self._clock.now(), ended=True)
                self._container.notice()
                self._settle()

    def close(self) -> None:
        """Who was attached has gone; the process goes on."""
        if not self.closed:
            self.close_stdin()
        with self._lock:
            self._leave()
        super().close()
