"""A cluster, as people and programs hold it.

Inside is an engine (`engine/engine.py`), which is all that happens by itself. Around it is what the engine does not know of:
the HTTPS front door, kubectl, whoever lets time pass, and the end. Everything that comes from outside goes into the engine by
one way, as an input, and is in its journal.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.audit_log import DEFAULT_POLICY, AuditLog, Rule
from k8slab.apiserver.keys import Keys
from k8slab.apiserver.server import ApiServer
from k8slab.client import cached
from k8slab.client.client import Client
from k8slab.client.kubeconfig import Credentials
from k8slab.client.transport import InProcess
from k8slab.clock import Clock, parse_duration
from k8slab.engine import asked
from k8slab.engine.accounts import ADMIN
from k8slab.engine.controllers import CONTROLLERS
from k8slab.engine.engine import Engine
from k8slab.engine.faults import arguments_of
from k8slab.engine.inputs import Fault
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import NOBODY, Command
from k8slab.engine.spec import MakeComponent, Spec
from k8slab.engine.switches import FaultSwitch, Registries
from k8slab.etcd.store import Store
from k8slab.loop.front_door import FrontDoor
from k8slab.loop.history import Change, History
from k8slab.loop.housekeeping import StreamTicker
from k8slab.loop.kubectl import KubectlResult, split_command
from k8slab.loop.live import LiveLoop
from k8slab.loop.spoken import spoken
from k8slab.loop.stepped import Halt, SteppedLoop
from k8slab.loop.stepped_kubectl import Pump

__all__ = ["ADMIN", "CONTROLLERS", "Cluster"]


class Cluster:
    """A Kubernetes cluster.

    In *stepped* mode, the default, time is virtual: nothing moves unless you call `run_for`, `run_until`,
    `run_until_idle`, `step`, `play`, or a command that changes something. The same seed and the same calls give the same
    history, byte for byte. In *live* mode the same components run in threads on the machine's clock.

    `nodes` is a number, or the nodes' names. `runtime` is "simulated", "docker", or "auto" (Docker where it answers).
    `candidates` lets several processes stand for one office: `candidates={"kube-scheduler": 2, "kube-controller-manager": 3}`.
    One of them works, and renews a Lease every two seconds; else there is one of each, without election.
    `replace` puts your own controller in a controller's place: `Cluster(replace={"replicaset": MyController})`, or your own
    scheduler, or the scheduler with your own plugin: `{"scheduler": partial(Scheduler, plugins=(*PLUGINS, Mine()))}`.
    `add` puts controllers of your own beside them, by a name of your own: `Cluster(add={"team-info": TeamInfo})`.
    `store` is "memory", "sqlite", "etcd" (a real one, started for this cluster), the address of an etcd, or any store;
    only with the first can a cluster go back in time. `directory` is where keys and the kubeconfig live (default: a temporary
    folder). `mirrors` says where to pull images from: "registry.k8s.io=mirror.example/k8s".

    Use it as a context manager, or call `close()`: then nothing is left, neither process nor container.
    Raises ValueError on arguments that make no sense, and RuntimeError where Docker was asked for and does not answer.
    """

    _open: ClassVar[weakref.WeakSet[Cluster]] = weakref.WeakSet()
    """The clusters of this process that are not closed: only for `current`, which notebooks' `%kubectl` needs."""
    _numbers: ClassVar[Iterator[int]] = itertools.count()

    def __init__(
        self,
        nodes: int | Sequence[str] = 3,
        seed: int = 0,
        *,
        mode: str = "stepped",
        runtime: str = "simulated",
        name: str = "lab",
        replace: Mapping[str, MakeComponent] | None = None,
        add: Mapping[str, MakeComponent] | None = None,
        candidates: Mapping[str, int] | None = None,
        store: Store | str = "memory",
        directory: Path | None = None,
        port: int = 0,
        mirrors: str = "",
    ) -> None:
        spec = Spec(
            asked.nodes(nodes), seed, asked.mode(mode), asked.runtime(runtime), name,
            asked.parts(replace or {}, add or {}), mirrors, asked.candidates(candidates or {}), directory, Keys(directory),
        )  # fmt: skip
        self._hold(Engine(spec, self._new_instrument(), asked.store(store, directory)), port)
        self._engine.loop.settle()
        self._engine.say(NOBODY)
        self._first_step = self._engine.steps

    def _hold(self, engine: Engine, port: int = 0) -> None:
        """Take an engine into the hand."""
        self.name, self.seed, self.mode = engine.spec.name, engine.spec.seed, engine.spec.mode
        self._number = next(Cluster._numbers)
        self._commands = itertools.count(1 + max((each.command.number for each in engine.lived), default=0))
        self._closed = False
        self._engine = engine
        self.client = Client(InProcess(self._answer), ADMIN, "k8slab-admin")
        """The administrator's client, in process."""
        self.registry = Registries(self.fault)
        """The simulated image registries: `cluster.registry.fail("registry.k8s.io", "i/o timeout")`."""
        self._audit_log: AuditLog | None = None
        self._pump = Pump()
        stepped = isinstance(engine.loop, SteppedLoop)
        submit = self._pump.submit if stepped else self._answer_at_once
        self._door = FrontDoor(
            self.name, submit, _ClockInHand(self), engine.spec.directory, port, engine.spec.keys
        )  # fmt: skip
        if not stepped:
            engine.processes.add("stream-ticker", lambda: StreamTicker(engine.clock, self._door))
        self._drive(engine)
        Cluster._open.add(self)

    def _drive(self, engine: Engine) -> None:
        """From now on this is the engine that requests and commands move."""
        self._engine = engine
        engine.server.audit_log = self._audit_log
        if isinstance(engine.loop, SteppedLoop):
            self._pump.drive(engine.loop, engine.answer, lambda: engine.store.revision)

    def _new_instrument(self) -> Instrument | None:
        """What watches a new engine."""
        return None

    @staticmethod
    def current() -> Cluster | None:
        """The cluster that was made last and is not closed, None if there is none."""
        return max(Cluster._open, key=lambda cluster: cluster._number, default=None)

    # Commands.

    def kubectl(
        self,
        command: str | Sequence[str],
        stdin: str | None = None,
        timeout: float | str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> KubectlResult:
        """Run the real kubectl: `cluster.kubectl("get pods -o wide")`.

        In stepped mode time passes only while kubectl waits for something, at most `timeout` seconds of virtual time
        (default: the command's own --timeout, 60 s for `-w` and `-f`, else 10 minutes); in live mode `timeout` is real.
        A command that fails is no exception: look at `.returncode`, or call `.check()`.
        """
        args = split_command(command)
        seconds = None if timeout is None else parse_duration(timeout)
        with self._moving(spoken(args)) as loop:
            if isinstance(loop, SteppedLoop):
                return self._pump.run(self._door.kubectl, self._door.server, args, stdin, seconds, env)
            return self._door.kubectl.run(args, stdin, seconds, env)

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig file for other programs, with the administrator's credentials. Starts the HTTPS server."""
        self._check_open()
        return self._door.kubeconfig

    @property
    def credentials(self) -> Credentials:
        """The certificate authority, and the administrator's certificate and key. Starts the HTTPS server."""
        self._check_open()
        return self._door.credentials

    @property
    def url(self) -> str:
        """Where the API server listens. Starts the HTTPS server. Raises OSError if its port is taken."""
        self._check_open()
        return self._door.url

    # Time.

    @property
    def now(self) -> float:
        """The cluster's time, in seconds since the Unix epoch."""
        return self.clock.now()

    def run_for(self, duration: float | str) -> Halt | None:
        """Let time pass: `cluster.run_for("60s")`. What stopped it earlier, if something did."""
        seconds = parse_duration(duration)
        with self._moving(f"run_for({duration!r})") as loop:
            loop.run_for(seconds)
            return loop.halt

    def run_until(self, predicate: Callable[[], bool], timeout: float | str = "10m") -> Halt | None:
        """Let time pass until `predicate()` is true. Raises TimeoutError after `timeout` of the cluster's time."""
        seconds = parse_duration(timeout)
        with self._moving("run_until(...)") as loop:
            loop.run_until(predicate, seconds)
            return loop.halt

    def run_until_idle(self, timeout: float | str = "10m") -> Halt | None:
        """Let time pass until no work is in progress; heartbeats and back-offs do not count.

        Raises TimeoutError, which says who is still busy, after `timeout` of the cluster's time.
        """
        seconds = parse_duration(timeout)
        with self._moving("run_until_idle()") as loop:
            loop.run_until_idle(seconds)
            return loop.halt

    def step(self) -> str:
        """One unit of work of one component, and its name. If nobody has work now, time moves to when someone has.

        Empty if nobody ever will. Raises RuntimeError on a live cluster, which moves by itself.
        """
        with self._moving() as loop:
            return loop.step()

    def play(self, speed: float = 1.0) -> None:
        """Let time pass by itself, `speed` times as fast as real time (infinity: as it can), until `pause()`."""
        self._check_open()
        self._engine.loop.halt = None
        self._engine.loop.play(speed)

    @property
    def playing(self) -> bool:
        """Whether time passes by itself."""
        return self._engine.loop.playing

    def pause(self) -> None:
        """Stop what `play` began; in live mode, let every component finish its unit of work and wait for `play()`."""
        self._engine.loop.pause()

    # What is there, and what happened.

    @property
    def engine(self) -> Engine:
        """The machine inside, as of now: another one after going back."""
        return self._engine

    @property
    def store(self) -> Store:
        """etcd."""
        return self._engine.store

    @property
    def server(self) -> ApiServer:
        """The API server."""
        return self._engine.server

    @property
    def clock(self) -> Clock:
        """The cluster's clock."""
        return self._engine.clock

    @property
    def runtime(self) -> str:
        """Which container runtime it is: simulated or docker."""
        return self._engine.machines.kind

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the machines."""
        return self._engine.spec.nodes

    @property
    def components(self) -> list[str]:
        """The names of the running components."""
        return self._engine.loop.components

    def history(self) -> History:
        """Every write that the API server accepted, oldest first."""
        return History([Change.of(record) for record in self.server.audit])

    def audit(self, path: str | Path | None = None, policy: Sequence[Rule] = DEFAULT_POLICY) -> AuditLog:
        """From now on tell of every request, as Kubernetes' audit log does: in `.events`, and in a file of JSON lines.

        A second call begins another log. Of Secrets, ConfigMaps and tokens no contents are told, whatever the policy says.
        """
        self._check_open()
        if self._audit_log is not None:
            self._audit_log.close()
        self._audit_log = AuditLog(policy, Path(path) if path is not None else None)
        self._engine.server.audit_log = self._audit_log
        return self._audit_log

    # Faults.

    def fault(self, name: str, **arguments: Any) -> FaultSwitch:
        """A fault, to be switched on and off: `with cluster.fault("node-lost", node="node-1"): ...`.

        `FAULTS` lists them all, with their arguments. Raises ValueError, which says what there is, for what there is not.
        """
        return FaultSwitch(self._take, name, arguments_of(self._engine, name, arguments))

    def crash(self, component: str) -> None:
        """Stop a component as a crash would: nothing is said to anyone. Raises ValueError for an unknown name."""
        self.fault("crash", component=component).start()

    def start(self, component: str) -> None:
        """Start a component that was stopped; it learns all it must know from the API server and the runtime."""
        self.fault("crash", component=component).stop()

    # The end.

    def close(self) -> None:
        """Stop everything and remove every trace: threads, sockets, files, containers. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        Cluster._open.discard(self)
        self._engine.loop.close()
        self._door.close()
        self._engine.close()
        if self._audit_log is not None:
            self._audit_log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self.nodes)} nodes, revision {self.store.revision}"
        return f"<Cluster {self.name}: {self.mode}, {self.runtime}, seed {self.seed}, {state}>"

    # Inside.

    def _answer(self, request: Request) -> Response:
        return self._engine.answer(request)

    def _take(self, fault: Fault) -> None:
        self._check_open()
        self._engine.take(fault)

    def _answer_at_once(self, request: Request, reply: Callable[[Response], None]) -> None:
        reply(self._engine.answer(request))

    @contextmanager
    def _moving(self, said: str = "") -> Iterator[SteppedLoop | LiveLoop]:
        """The loop, to be moved. `said`: what is being done, for the journal."""
        self._check_open()
        loop = self._engine.loop
        loop.halt = None
        with loop.interruptible():
            self._engine.say(Command(next(self._commands), said) if said else NOBODY)
            try:
                yield loop
            finally:
                self._engine.say(NOBODY)
                cached.rest()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"the cluster {self.name!r} is closed; make a new one: Cluster()")


class _ClockInHand:
    """The clock of whatever engine a cluster holds now."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def now(self) -> float:
        """The cluster's time."""
        return self._cluster.now
