"""Simulated sandboxes and containers, and the agenda that says when they change.

A container's state follows from its process: created while it has none, running while that runs, exited when it has ended.
`view` is what the kubelet sees, remade only when something changed.

k8slab's own.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8slab.clock import NEVER, Clock
from k8slab.cri.api import Container, ContainerConfig, ContainerState, CriError, Sandbox, SandboxConfig, SandboxState
from k8slab.cri.images import image_version
from k8slab.cri.logs import Log
from k8slab.cri.machine import Machine
from k8slab.cri.network import NetNamespace
from k8slab.cri.process import Process, Program
from k8slab.cri.programs.table import find_program
from k8slab.cri.registry import RemoteImage

if TYPE_CHECKING:
    from k8slab.cri.simulated import SimulatedRuntime

CANNOT_RUN_CODE = 128
"""The exit code of a container whose command could not be started."""


class SimulatedSandbox:
    """A pod's sandbox."""

    __slots__ = ("_clock", "_view", "config", "containers", "created_at", "id", "net", "state")

    def __init__(self, sandbox_id: str, config: SandboxConfig, net: NetNamespace, clock: Clock) -> None:
        self.id, self.config, self.net, self._clock, self.created_at = sandbox_id, config, net, clock, clock.now()
        self.state = SandboxState.READY
        self.containers: list[SimulatedContainer] = []
        self._view: Sandbox | None = None

    def catch_up(self) -> None:
        """Bring all its containers up to the clock."""
        for container in self.containers:
            container.catch_up(self._clock.now())

    def stop(self, now: float) -> None:
        """Kill what runs in it; it can hold nothing any more."""
        for container in self.containers:
            container.kill(now)
        self.state, self._view = SandboxState.NOTREADY, None

    def view(self) -> Sandbox:
        """As the kubelet sees it."""
        if self._view is None:
            config = self.config
            self._view = Sandbox(
                id=self.id,
                name=config.name,
                namespace=config.namespace,
                uid=config.uid,
                attempt=config.attempt,
                state=self.state,
                created_at=self.created_at,
                ip=self.net.ip if self.state is SandboxState.READY else "",
                labels=config.labels,
                annotations=config.annotations,
            )
        return self._view


class SimulatedContainer:
    """One container."""

    __slots__ = (
        "_agenda",
        "_view",
        "config",
        "created_at",
        "failure",
        "id",
        "listeners",
        "log",
        "machine",
        "process",
        "remote",
        "sandbox",
        "scheduled",
        "taps",
    )

    def __init__(
        self,
        container_id: str,
        sandbox: SimulatedSandbox,
        config: ContainerConfig,
        remote: RemoteImage,
        now: float,
        runtime: SimulatedRuntime,
    ) -> None:
        self.id, self.sandbox, self.config, self.remote, self.created_at = container_id, sandbox, config, remote, now
        self.log = Log()
        self.process: Process | None = None
        self.failure = ""
        """Why it could not be started."""
        self.listeners: tuple[Callable[[], None], ...] = ()
        """Who follows the log or an exec: each is woken when something may have come."""
        self.taps: tuple[Callable[[int, bytes], None], ...] = ()
        """Who is attached: each is given what the process writes, as it is written."""
        self.scheduled = NEVER
        """The moment of its entry in the agenda; kept by the agenda."""
        self._view: Container | None = None
        self._agenda = runtime.agenda
        self.machine = Machine(
            hostname=sandbox.net.hostname,
            image=remote.image,
            version=image_version(remote.tag, remote.image),
            net=sandbox.net,
            network=runtime.network,
            chance=runtime.chance,
            memory_limit=config.resources.memory_bytes,
            node_files=runtime.node_files,
            mounts=config.mounts,
            programs=find_program,
            changed=self.plan,
        )

    # Its processes.

    def start(self, now: float) -> None:
        """Run its command; CriError, and an exited container, if there is no such command."""
        argv = self._argv()
        name = argv[0] if argv else ""
        program = self.machine.find_program(name) if argv else None
        self.process = Process(self.machine, argv, now)
        self._view = None
        if program is None:
            self.failure = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
                f'failed: unable to start container process: exec: "{name}": {_why_not(name)}: unknown'
            )
            self.process.end_at(now, CANNOT_RUN_CODE, "ContainerCannotRun")
            self.process.advance(now)
            raise CriError("Unknown", f'failed to start container "{self.id}": {self.failure}')
        self.machine.add(self.process)
        self.process.stdin.ended = not self.config.stdin
        self.begin(self.process, program, self._write, tty=self.config.tty)
        self.notice()

    def _argv(self) -> tuple[str, ...]:
        image, config = self.remote.image, self.config
        if config.command:
            return config.command + config.args
        return image.entrypoint + (config.args or image.cmd)

    def begin(
        self, process: Process, program: Program, write: Callable[[int, bytes], None], *, tty: bool = False
    ) -> None:
        """Run a program with the container's environment and directory."""
        image, config = self.remote.image, self.config
        env = {**dict(image.env[:1]), "HOSTNAME": self.machine.hostname}
        if tty:
            env["TERM"] = "xterm"
        env.update(config.env)
        for name, value in image.env[1:]:
            env.setdefault(name, value)
        env.setdefault("HOME", "/root")
        process.begin(program, env, config.working_dir or image.working_dir, write, tty=tty)

    def spawn(self, argv: tuple[str, ...], now: float) -> Process:
        """Another process in the container, for exec."""
        process = Process(self.machine, argv, now)
        self.machine.add(process)
        return process

    def _write(self, channel: int, data: bytes) -> None:
        assert self.process is not None
        self.log.write(self.process.now, channel, data)
        for tap in self.taps:
            tap(channel, data)

    def stop(self, now: float, timeout: float) -> float:
        """SIGTERM, SIGKILL after `timeout`; at most this many seconds are left to it."""
        process = self.process
        if process is None or process.exit_code is not None:
            return 0.0
        process.terminate(now, timeout)
        process.advance(now)
        self.notice()
        return max(0.0, process.endings[0].when - now) if process.exit_code is None else 0.0

    def kill(self, now: float) -> None:
        """SIGKILL."""
        if self.process is not None and self.process.exit_code is None:
            self.process.kill(now)
            self.notice()

    # Time, and who wants to know.

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.exit_code is None

    def catch_up(self, now: float) -> None:
        """Bring its processes up to the clock."""
        if not self.running:
            return
        moved = False
        for process in tuple(self.machine.processes):  # the container's own comes first
            moved = process.due() <= now or moved
            process.advance(now)
        if moved:
            self.notice()

    def notice(self) -> None:
        """Something may have changed."""
        self._view = None
        self.machine.changed()
        if self.process is not None and self.process.exit_code is not None:
            self.log.flush(self.process.now)
            for other in tuple(self.machine.processes):  # PID 1 is gone, and the container with it
                other.kill(self.process.now)
        for wake in self.listeners:
            wake()

    def plan(self) -> None:
        """Its next change may come at another moment."""
        self._agenda.add(self)

    def listen(self, wake: Callable[[], None]) -> None:
        """Someone wants to hear of all that happens in it."""
        self.listeners += (wake,)
        self.machine.changed()

    def ignore(self, wake: Callable[[], None]) -> None:
        """Someone has heard enough."""
        if wake in self.listeners:
            others = list(self.listeners)
            others.remove(wake)  # once: the same one may listen twice
            self.listeners = tuple(others)
            self.machine.changed()

    def due(self) -> float:
        """When it may change by itself; where someone listens, when it may say something."""
        if self.process is None or self.process.exit_code is not None:
            return NEVER
        if not self.listeners:
            return self.process.state_due()
        return min(process.due() for process in self.machine.processes)

    # What is seen of it.

    def view(self) -> Container:
        """As the kubelet sees it."""
        if self._view is None:
            self._view = self._make_view()
        return self._view

    def _make_view(self) -> Container:
        process, config = self.process, self.config
        code = process.exit_code if process is not None else None
        ended = process is not None and code is not None
        state = ContainerState.EXITED if ended else ContainerState.RUNNING if process else ContainerState.CREATED
        return Container(
            id=self.id,
            sandbox_id=self.sandbox.id,
            name=config.name,
            attempt=config.attempt,
            image=config.image,
            image_ref=self.remote.reference,
            state=state,
            created_at=self.created_at,
            started_at=process.started if process is not None else 0.0,
            finished_at=process.now if process is not None and ended else 0.0,
            exit_code=code or 0,
            reason=(process.reason or ("Error" if code else "Completed")) if process is not None and ended else "",
            message=self.failure or (self.machine.termination_message() if ended else ""),
            labels=config.labels,
            annotations=config.annotations,
        )


def _why_not(name: str) -> str:
    """What the kernel says of a command that is not there."""
    return f"stat {name}: no such file or directory" if "/" in name else "executable file not found in $PATH"


class Agenda:
    """Containers by the moment of their next change. An entry whose moment is no longer the container's is ignored."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, SimulatedContainer]] = []

    def add(self, container: SimulatedContainer) -> None:
        """It may have another moment now."""
        due = container.due()
        if due != container.scheduled:
            container.scheduled = due
            if due != NEVER:
                heapq.heappush(self._heap, (due, container.id, container))

    def next(self) -> float:
        """The next moment."""
        while self._heap and self._heap[0][2].scheduled != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER

    def run(self, now: float) -> None:
        """Let everything happen that is due, in the order of its moments."""
        while (due := self.next()) <= now:
            container = heapq.heappop(self._heap)[2]
            container.scheduled = NEVER
            container.catch_up(due)
            self.add(container)
