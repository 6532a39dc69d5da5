"""The real kubectl on a virtual clock.

While kubectl runs, the thread of the cell serves its requests one by one:
1. *Settle, then reply.* If a request moved the store's revision, all components work until they are idle, and only then
   the reply goes out: kubectl always sees a world at rest. Reads settle nothing.
2. *Time moves only while kubectl waits.* The clock jumps to its next deadline when kubectl has a stream open, nothing is
   in flight, and it is proven asleep. A jump that sent it nothing needs no new proof.
3. *A command has a budget of virtual time*: its own --timeout, else a default. At its end kubectl is interrupted, which
   is how `get -w` and `logs -f` end.
4. `drain` polls without a stream, once a second of its own time: so a second passes. It evicts in parallel: evictions
   are collected until kubectl sleeps, and executed in the order of their paths.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from k8slab.apimachinery.rest import Request, Response
from k8slab.clock import RealClock, parse_duration
from k8slab.loop.asleep import SleepProof
from k8slab.loop.kubectl import Kubectl, KubectlResult, result_of
from k8slab.loop.kubectl_time import with_ages_for_describe, with_virtual_restart_time
from k8slab.loop.stepped import SteppedLoop

Reply = Callable[[Response], None]

SAMPLE_SECONDS = 0.01
DEFAULT_BUDGET = 600.0
WAIT_BUDGET = 30.0
"""kubectl's own default for `wait`."""
ROLLOUT_BUDGET = 900.0
"""Long enough for `rollout status` to see that a Deployment has exceeded its progress deadline: ten minutes by default."""
STREAMING_BUDGET = 60.0
POLL_SECONDS = 1.0
REAL_SECONDS_AFTER_INTERRUPT = 5.0


class Front(Protocol):
    """What the pump needs to know of the HTTP server."""

    @property
    def in_flight(self) -> int:
        """Requests received and not yet answered in full; streams do not count."""
        ...

    @property
    def open_streams(self) -> int:
        """Watches, logs and sessions that are open."""
        ...

    @property
    def activity(self) -> int:
        """Rises with each request received and each chunk sent."""
        ...

    def pending(self) -> bool:
        """Whether a stream has something that was not sent yet."""
        ...

    def wake_all_streams(self) -> None:
        """Have every stream look whether there is something to send."""
        ...


class Pump:
    """Carries requests from the HTTP server's thread to the thread on which the cluster moves.

    `drive` says which cluster that is, before the first request.
    """

    _loop: SteppedLoop
    _handle: Callable[[Request], Response]
    _revision: Callable[[], int]

    def __init__(self) -> None:
        self._wall = RealClock()
        self._inbox: queue.Queue[tuple[Request, Reply]] = queue.Queue()
        self._pumping = threading.Event()

    def drive(self, loop: SteppedLoop, handle: Callable[[Request], Response], revision: Callable[[], int]) -> None:
        """From now on requests go to this server, and move this loop."""
        self._loop, self._handle, self._revision = loop, handle, revision

    def submit(self, request: Request, reply: Reply) -> None:
        """Answer a request: on the cell's thread while kubectl runs in a cell, else on a thread of its own."""
        if self._pumping.is_set():
            self._inbox.put((request, reply))
        else:
            threading.Thread(target=self.serve, args=(request, reply), daemon=True).start()

    def serve(self, request: Request, reply: Reply) -> None:
        """Execute a request, let the cluster settle if it changed something, and reply."""
        with self._loop.lock:
            with_virtual_restart_time(request, self._loop.clock.now())
            before = self._revision()
            response = self._handle(request)
            if self._revision() != before:
                self._loop.settle()
            response = with_ages_for_describe(request, response, self._loop.clock.now(), self._wall.now())
        reply(response)

    def run(
        self, kubectl: Kubectl, front: Front, args: Sequence[str], stdin: str | None, timeout: float | None,
        env: Mapping[str, str] | None = None,
    ) -> KubectlResult:  # fmt: skip
        """Run kubectl to its end, or to the end of its budget of virtual seconds."""
        self._pumping.set()
        try:
            process = kubectl.start(args, stdin=stdin is not None, env=env)
            output = _Output(process, stdin)
            try:
                note = self._pump(process, output, front, args, timeout)
            finally:
                if process.poll() is None:
                    process.kill()
                output.join()
        finally:
            self._pumping.clear()
            self._serve_the_rest()
        if self._loop.halt and not note:
            note = f"k8slab: the cluster {self._loop.halt}\n"
        return result_of(args, output.stdout, output.stderr + note.encode(), process.returncode)

    def _pump(
        self,
        process: subprocess.Popen[bytes],
        output: _Output,
        front: Front,
        args: Sequence[str],
        timeout: float | None,
    ) -> str:
        """Serve until kubectl has ended. Returns what to add to its error output."""
        end = self._loop.clock.now() + budget_of(args, timeout)
        asleep = SleepProof(process.pid)
        polls = args[:1] == ["drain"] or "drain" in args
        evictions: list[tuple[Request, Reply]] = []
        activity = -1
        while not output.ended():
            self._loop.checkpoint()
            item = self._next_request()
            if item is not None:
                if item[0].path.endswith("/eviction") and item[0].method == "POST":
                    evictions.append(item)
                else:
                    self.serve(*item)
                asleep.reset()
                continue
            busy = front.in_flight > len(evictions) or front.pending() or front.activity != activity
            activity = front.activity
            if busy:
                asleep.reset()
                continue
            if not asleep.proven():
                continue
            if evictions:
                for request, reply in sorted(evictions, key=lambda item: item[0].path):
                    self.serve(request, reply)
                evictions.clear()
            elif front.open_streams:
                if self._loop.clock.now() >= end or self._loop.halt:
                    return self._interrupt(process, output, args, timeout)
                self._jump_until_something_is_sent(front, end)
            elif polls:
                if self._loop.clock.now() >= end or self._loop.halt:
                    return self._interrupt(process, output, args, timeout)
                self._loop.run_for(POLL_SECONDS)
            asleep.reset()
        return ""

    def _jump_until_something_is_sent(self, front: Front, end: float) -> None:
        sent = front.activity
        while self._loop.clock.now() < end and self._inbox.empty() and not self._loop.halt:
            self._loop.jump(end)
            front.wake_all_streams()
            if front.pending() or front.activity != sent:
                return

    def _next_request(self) -> tuple[Request, Reply] | None:
        try:
            return self._inbox.get(timeout=SAMPLE_SECONDS)
        except queue.Empty:
            return None

    def _interrupt(
        self, process: subprocess.Popen[bytes], output: _Output, args: Sequence[str], timeout: float | None
    ) -> str:  # fmt: skip
        process.send_signal(signal.SIGINT)
        waited = 0.0
        while not output.ended() and waited < REAL_SECONDS_AFTER_INTERRUPT:
            item = self._next_request()
            waited += SAMPLE_SECONDS
            if item is not None:
                self.serve(*item)
        if self._loop.halt:
            return f"k8slab: kubectl waited, and the cluster {self._loop.halt}\n"
        return note_of(args, timeout)

    def _serve_the_rest(self) -> None:
        while not self._inbox.empty():
            self.serve(*self._inbox.get())


class _Output:
    """Reads a process's pipes to their end, so that it never blocks on a full one."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: str | None) -> None:
        self._process = process
        self.stdout, self.stderr = b"", b""
        data = None if stdin is None else stdin.encode()
        self._thread = threading.Thread(target=self._read, args=(data,), daemon=True)
        self._thread.start()

    def _read(self, data: bytes | None) -> None:
        self.stdout, self.stderr = self._process.communicate(data)

    def ended(self) -> bool:
        """Whether the process has ended and all its output is here."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()


def own_timeout(args: Sequence[str]) -> float | None:
    """The seconds of kubectl's own --timeout, None where it has none (0 means: no limit of its own)."""
    for index, arg in enumerate(args):
        if arg == "--":
            break
        name, equals, value = arg.partition("=")
        if name == "--timeout":
            text = value if equals else (args[index + 1] if index + 1 < len(args) else "")
            try:
                seconds = parse_duration(text)
            except ValueError:
                return None  # kubectl itself will say what is wrong with it
            return seconds if seconds > 0 else None
    return None


def budget_of(args: Sequence[str], timeout: float | None) -> float:
    """How much virtual time a command may use: as asked, else its --timeout, else a default by what it does."""
    if timeout is not None:
        return timeout
    own = own_timeout(args)
    if own is not None:
        return own
    if args[:1] == ["wait"]:
        return WAIT_BUDGET
    if _streams(args):
        return STREAMING_BUDGET
    return ROLLOUT_BUDGET if "rollout" in args else DEFAULT_BUDGET


def note_of(args: Sequence[str], timeout: float | None) -> str:
    """What to tell whoever sees a command end because its budget is over; nothing where that is the way it ends."""
    seconds = budget_of(args, timeout)
    if own_timeout(args) is not None or (args[:1] == ["wait"] and timeout is None):
        return f"k8slab: kubectl's --timeout of {seconds:g}s of virtual time is over\n"
    if timeout is None and not _streams(args):
        return f"k8slab: kubectl would wait on; {seconds:g}s of virtual time are over\n"
    return ""


def _streams(args: Sequence[str]) -> bool:
    streaming = {"-w", "--watch", "-f", "--follow", "--watch-only", "--watch=true", "--follow=true"}
    verb = next((arg for arg in args if not arg.startswith("-")), "")
    return verb in ("get", "logs", "events") and bool(streaming & set(args))
