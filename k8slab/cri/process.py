"""A simulated process: a generator on the cluster's clock.

A program is a generator function. Between its yields it does its work at once; `yield 2.5` is sleeping 2.5 seconds,
`yield FOREVER` waiting for signals only, `yield INPUT` waiting for standard input. Its return value is the exit code.

Nothing runs by itself. Whoever looks calls `advance(now)`, and the process catches up from where it was, one wake-up after
the other, each at its exact moment: looking late or often changes nothing that is seen. `due()` is when it wakes next;
`state_due()` is when it may *end*, which is all that a kubelet needs to be woken for: a program that has said `quiet`
(a server, an endless loop) only ends by what is in `endings`.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import STDERR, STDOUT
from k8slab.clock import NEVER

if TYPE_CHECKING:
    from k8slab.cri.machine import Machine

FOREVER = NEVER
INPUT = -1.0
"""Yielded to wait until standard input has more, or has ended."""

SIGKILL_CODE = 137

Steps = Generator[float, None, int]
"""A running program: it yields waits, and returns its exit code."""

Program = Callable[["Call"], Steps]

OnTerm = Callable[["Process", float], None]
"""A handler of SIGTERM: whose it is, and the time."""


class Exited(Exception):
    """Raised inside a program to leave it from any depth."""

    def __init__(self, code: int) -> None:
        self.code = code


class Interrupted(Exception):  # named for what happened, like KeyboardInterrupt
    """Thrown into a program when ^C is typed at its terminal."""


def complaint(argv: tuple[str, ...], error: Exception) -> str:
    """What a program says that can't go on. ValueError and OSError are its own; all else is a mistake of ours."""
    return (
        f"{argv[0]}: {error if isinstance(error, (ValueError, OSError)) else f'failed in the simulation: {error!r}'}\n"
    )


class Stdin:
    """Standard input: what was sent and not read yet."""

    __slots__ = ("data", "ended")

    def __init__(self, data: bytes = b"", *, ended: bool = True) -> None:
        self.data, self.ended = data, ended

    def take_line(self) -> bytes | None:
        """The next line, with its newline unless input ended without one; None if there is none (yet)."""
        line, newline, rest = self.data.partition(b"\n")
        if not newline and not (self.ended and line):
            return None
        self.data = rest
        return line + newline

    def read_line(self) -> Generator[float, None, bytes | None]:
        """Wait for the next line; None at the end of input."""
        while (line := self.take_line()) is None and not self.ended:
            yield INPUT
        return line

    def read_all(self) -> Generator[float, None, bytes]:
        """Wait for the end of input; all of it."""
        while not self.ended:
            yield INPUT
        data, self.data = self.data, b""
        return data


@dataclass(slots=True)
class Call:
    """What a program is called with."""

    process: Process
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    write: Callable[[int, bytes], None]
    """Output, by channel."""
    stdin: Stdin = field(default_factory=Stdin)
    tty: bool = False

    @property
    def machine(self) -> Machine:
        """The container around it."""
        return self.process.machine

    @property
    def now(self) -> float:
        """The time, as the process knows it."""
        return self.process.now

    def out(self, text: str) -> None:
        """Write to standard output."""
        self.write(STDOUT, text.encode())

    def err(self, text: str) -> None:
        """Write to standard error."""
        self.write(STDERR, text.encode())


@dataclass(slots=True, order=True)
class Ending:
    """How the process ends at `when`, if nothing ends it before."""

    when: float
    code: int
    reason: str = ""


class Process:
    """One process in a container."""

    __slots__ = (
        "_in_step",
        "argv",
        "call",
        "endings",
        "exit_code",
        "machine",
        "memory_base",
        "memory_growth",
        "memory_since",
        "now",
        "on_term",
        "pid",
        "quiet",
        "reason",
        "started",
        "stdin",
        "steps",
        "waits_for_input",
        "wake_at",
    )

    def __init__(self, machine: Machine, argv: tuple[str, ...], now: float, pid: int = 1) -> None:
        self.machine, self.argv, self.pid = machine, argv, pid
        self.started = self.now = now
        self.call: Call | None = None
        self.steps: Steps | None = None
        self._in_step = False
        self.stdin = Stdin()
        self.wake_at = now
        """When the program goes on; FOREVER while it waits for something else than time."""
        self.waits_for_input = False
        self.quiet = 0
        """Above 0 while nothing that the program does by itself can end it."""
        self.endings: list[Ending] = []
        """Ends that are certain already, the earliest counts."""
        self.exit_code: int | None = None
        self.reason = ""
        """OOMKilled, or empty."""
        self.on_term: OnTerm | None = None
        """What SIGTERM does. None: nothing, as for any PID 1 that has no handler for it."""
        self.memory_base, self.memory_growth, self.memory_since = 4 << 20, 0.0, now

    def begin(
        self,
        program: Program,
        env: dict[str, str],
        cwd: str,
        write: Callable[[int, bytes], None],
        *,
        tty: bool = False,
    ) -> None:
        """Start the program; it runs up to its first wait."""
        self.call = Call(self, self.argv, env, cwd, write, self.stdin, tty)
        self.steps = program(self.call)
        self.advance(self.now)

    def due(self) -> float:
        """When it goes on or ends next."""
        if self.exit_code is not None:
            return NEVER
        return min(self.wake_at, self.endings[0].when) if self.endings else self.wake_at

    def state_due(self) -> float:
        """When it may end next."""
        if self.exit_code is not None:
            return NEVER
        if not self.quiet:
            return self.due()
        return self.endings[0].when if self.endings else NEVER

    def advance(self, now: float) -> None:
        """Catch up with the clock. In the middle of a step there is nothing to catch up: a program asked itself."""
        if self._in_step:
            return
        while (due := self.due()) <= now:
            self.now = max(self.now, due)
            if self.endings and self.endings[0].when <= self.wake_at:
                self._end(self.endings[0].code, self.endings[0].reason)
            else:
                self._step(None)
        if self.exit_code is None:
            self.now = max(self.now, now)

    def _step(self, thrown: Exception | None) -> None:
        assert self.steps is not None
        self._in_step = True
        try:
            wait = self.steps.throw(thrown) if thrown else next(self.steps)
        except StopIteration as stop:
            self._end(stop.value or 0)
        except Exited as exited:
            self._end(exited.code)
        except Interrupted:
            self._end(130)
        except Exception as error:  # whatever a program does wrong is its own end, not its node's
            assert self.call is not None
            self.call.err(complaint(self.argv, error))
            self._end(1)
        else:
            self.waits_for_input = wait == INPUT
            self.wake_at = FOREVER if self.waits_for_input else round(self.now + wait, 6)
        finally:
            self._in_step = False

    def _end(self, code: int, reason: str = "") -> None:
        self.exit_code, self.reason = code & 0xFF, reason
        self.endings.clear()
        self.machine.forget(self)
        if self.steps is not None:
            self.steps.close()
            self.steps = self.call = None

    def end_at(self, when: float, code: int, reason: str = "") -> None:
        """It ends then, unless it ends before."""
        if self.exit_code is None:
            self.endings = sorted([*self.endings, Ending(round(when, 6), code, reason)])
            self.machine.changed()

    def kill(self, now: float) -> None:
        """SIGKILL."""
        self.advance(now)
        if self.exit_code is None:
            self._end(SIGKILL_CODE)

    def terminate(self, now: float, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace`."""
        self.advance(now)
        self.end_at(now + grace, SIGKILL_CODE)
        if self.on_term is not None:
            self.on_term(self, now)

    def interrupt(self, now: float) -> None:
        """SIGINT, as ^C sends it."""
        self.advance(now)
        if self.exit_code is None:
            self._step(Interrupted())

    def feed(self, data: bytes, now: float, *, ended: bool = False) -> None:
        """More standard input has come, or its end."""
        self.advance(now)
        self.stdin.data += data
        self.stdin.ended = self.stdin.ended or ended
        if self.waits_for_input and self.exit_code is None:
            self.waits_for_input, self.wake_at = False, now
            self.advance(now)

    def memory(self) -> int:
        """Bytes in use now."""
        return int(self.memory_base + self.memory_growth * (self.now - self.memory_since))

    def use_memory(self, base: int, growth: float = 0.0) -> None:
        """From now on it uses `base` bytes and `growth` more each second: the kernel kills it at the limit."""
        self.memory_base, self.memory_growth, self.memory_since = base, growth, self.now
        limit = self.machine.memory_limit
        if limit and base >= limit:
            self.end_at(self.now + 0.1, SIGKILL_CODE, "OOMKilled")
        elif limit and growth > 0:
            self.end_at(self.now + (limit - base) / growth, SIGKILL_CODE, "OOMKilled")
