"""A cluster, put together.

This is the one place where the parts meet; it reads like the architecture picture. Everything that happens afterwards
happens between a component and the API server: no part calls another.

    kubectl ──https──▶ API server ──▶ etcd
                        ▲  ▲  ▲
       controllers ─────┘  │  └───── kubelets ──CRI──▶ containers
                       scheduler
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from k8slab.apimachinery.errors import AlreadyExists
from k8slab.apimachinery.rest import MASTERS_GROUP, UserInfo
from k8slab.apiserver.bootstrap import bootstrap_objects
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.transport import InProcess
from k8slab.clock import Clock, RealClock, VirtualClock, parse_duration
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.garbage_collector import GarbageCollector
from k8slab.controllers.namespace import NamespaceController
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.etcd.memory import MemoryStore
from k8slab.kubelet.jobs import InlineJobs, Jobs, ThreadJobs
from k8slab.kubelet.kubelet import Kubelet
from k8slab.loop.component import Component
from k8slab.loop.history import Change, History
from k8slab.loop.housekeeping import Compactor, LeaseExpiry
from k8slab.loop.interrupts import deferred_interrupts
from k8slab.loop.kubectl import Kubectl, KubectlResult, split_command
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop
from k8slab.names import Chance
from k8slab.scheduler.scheduler import Scheduler

if TYPE_CHECKING:
    from k8slab.apiserver.http import HttpServer
    from k8slab.etcd.store import Store

MakeComponent = Callable[..., Component]

CONTROLLERS: Mapping[str, MakeComponent] = {
    "deployment": DeploymentController,
    "replicaset": ReplicaSetController,
    "namespace": NamespaceController,
    "garbage-collector": partial(GarbageCollector, resources=tuple(RESOURCES.values())),
}
"""The controllers of a cluster, by the names that `Cluster(replace={...})` takes."""

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, "system:authenticated"))
POD_CIDR = "10.244.{}.0/24"


class Cluster:
    """A Kubernetes cluster.

    In *stepped* mode, the default, time is virtual: nothing moves unless you call `run_for`, `run_until`,
    `run_until_idle`, `step`, `play`, or a command that changes something. The same seed and the same calls give the same
    history, byte for byte. In *live* mode the same components run in threads on the machine's clock.

    `nodes` is a number, or the nodes' names. `runtime` is "simulated", "docker", or "auto" (Docker where it answers).
    `replace` puts your own controller in a controller's place: `Cluster(replace={"replicaset": MyController})`.
    `store` is any etcd (default: in memory). `directory` is where keys and the kubeconfig live (default: a temporary
    folder). `mirrors` says where to pull images from: "registry.k8s.io=mirror.example/k8s".

    Use it as a context manager, or call `close()`: then nothing is left, neither process nor container.
    Raises ValueError on arguments that make no sense, and RuntimeError where Docker was asked for and does not answer.
    """

    _open: ClassVar[weakref.WeakSet[Cluster]] = weakref.WeakSet()
    """The clusters of this process that are not closed: only for `current`, which notebooks' `%kubectl` needs."""

    def __init__(
        self,
        nodes: int | Sequence[str] = 3,
        seed: int = 0,
        *,
        mode: str = "stepped",
        runtime: str = "simulated",
        name: str = "lab",
        replace: Mapping[str, MakeComponent] | None = None,
        store: Store | None = None,
        directory: Path | None = None,
        port: int = 0,
        mirrors: str = "",
    ) -> None:
        node_names = _node_names(nodes)
        _check_choice("mode", mode, ("stepped", "live"))
        _check_choice("replace", replace or {}, CONTROLLERS)
        self.name, self.seed, self.mode = name, seed, mode
        self._lab = _Folder(directory)
        self._port = port
        self._front: HttpServer | None = None
        self._closed = False

        # Time, chance, and who works next.
        self.clock: Clock = VirtualClock() if mode == "stepped" else RealClock()
        self.chance = Chance(seed)
        self.store: Store = store if store is not None else MemoryStore(self.clock)
        if isinstance(self.clock, VirtualClock):
            self._loop: SteppedLoop | LiveLoop = SteppedLoop(self.clock, self.chance, lambda: self.store.revision)
        else:
            assert isinstance(self.clock, RealClock)
            self._loop = LiveLoop(self.clock)
        self._player = _Player()

        # The control plane's centre, which all else talks to.
        self._kubelets: dict[str, Kubelet] = {}
        self.server = ApiServer(self.store, self.clock, self.chance, find_kubelet=self._find_kubelet)
        self.client = Client(InProcess(self.server.handle), ADMIN, "k8slab-admin")
        """The administrator's client, in process."""
        for resource, namespace, body in bootstrap_objects():
            with _unless(AlreadyExists):
                self.client.create(resource, body, namespace)

        # The components, by name, as functions: what crashed can be made again.
        self.runtimes = _runtimes(self, runtime, node_names, mirrors)
        self._make: dict[str, Callable[[], Component]] = {}
        self._add("etcd-lessor", lambda: LeaseExpiry(self.store))
        if mode == "live":
            self._add("etcd-compactor", lambda: Compactor(self.store, self.clock))
        for short, make in {**CONTROLLERS, **(replace or {})}.items():
            self._add_controller(f"{short}-controller", make)
        self._add_controller("kube-scheduler", Scheduler)
        for index, node in enumerate(node_names):
            self._add(f"kubelet-{node}", partial(self._kubelet, node, POD_CIDR.format(index)))
        Cluster._open.add(self)
        if isinstance(self._loop, SteppedLoop):
            self._loop.settle()

    @staticmethod
    def current() -> Cluster | None:
        """The cluster that was made last and is not closed, None if there is none."""
        return max(Cluster._open, key=lambda cluster: cluster._made, default=None)

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
        self._check_open()
        front = self._listen()
        if isinstance(self._loop, SteppedLoop):
            with self._moving():
                return self._pump.run(self._kubectl, front, args, stdin, seconds, env)
        return self._kubectl.run(args, stdin, seconds, env)

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig file for other programs, with the administrator's credentials. Starts the HTTPS server."""
        self._listen()
        return self._lab.path / "kubeconfig"

    @property
    def url(self) -> str:
        """Where the API server listens. Starts the HTTPS server."""
        return f"https://127.0.0.1:{self._listen().port}"

    # Time.

    @property
    def now(self) -> float:
        """The cluster's time, in seconds since the Unix epoch."""
        return self.clock.now()

    def run_for(self, duration: float | str) -> None:
        """Let time pass: `cluster.run_for("60s")`."""
        seconds = parse_duration(duration)
        with self._moving() as loop:
            loop.run_for(seconds)

    def run_until(self, predicate: Callable[[], bool], timeout: float | str = "10m") -> None:
        """Let time pass until `predicate()` is true. Raises TimeoutError after `timeout` of the cluster's time."""
        seconds = parse_duration(timeout)
        with self._moving() as loop:
            loop.run_until(predicate, seconds)

    def run_until_idle(self, timeout: float | str = "10m") -> None:
        """Let time pass until no work is in progress; heartbeats and back-offs do not count.

        Raises TimeoutError, which says who is still busy, after `timeout` of the cluster's time.
        """
        seconds = parse_duration(timeout)
        with self._moving() as loop:
            loop.run_until_idle(seconds)

    def step(self) -> str:
        """One unit of work of one component: its name. If nobody has work now, jump to the next deadline first.

        Empty if no component ever wants another turn.
        """
        with self._moving() as loop:
            if not loop.next_component():
                loop.advance()
            return loop.step()

    def play(self, speed: float = 1.0) -> None:
        """Let time pass by itself, `speed` times as fast as real time, until `pause()`."""
        self._check_open()
        if isinstance(self._loop, LiveLoop):
            if speed != 1.0:
                raise ValueError("a live cluster runs at the speed of the machine's clock; make a stepped one to play faster")
            self._loop.resume()
        else:
            self._player.play(self._loop, speed)

    def pause(self) -> None:
        """Stop what `play` began; in live mode, let every component finish its unit of work and wait for `play()`."""
        if isinstance(self._loop, LiveLoop):
            self._loop.pause()
        else:
            self._player.pause()

    # What is there, and what happened.

    @property
    def components(self) -> list[str]:
        """The names of the running components."""
        return self._loop.components

    def history(self) -> History:
        """Every write that the API server accepted, oldest first."""
        return History([Change.of(record) for record in self.server.audit])

    def crash(self, component: str) -> None:
        """Stop a component as a crash would: nothing is said to anyone. Raises ValueError for an unknown name."""
        _check_choice("component", [component], self._make)
        if component in self._loop.components:
            self._loop.remove(component)
            self._kubelets.pop(component.removeprefix("kubelet-"), None)

    def start(self, component: str) -> None:
        """Start a component that was stopped; it learns all it must know from the API server and the runtime."""
        _check_choice("component", [component], self._make)
        if component not in self._loop.components:
            self._loop.add(self._make[component]())

    # The end.

    def close(self) -> None:
        """Stop everything and remove every trace: threads, sockets, files, containers. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        Cluster._open.discard(self)
        self._player.pause()
        self._loop.close()
        if self._front is not None:
            self._front.stop()
        for runtime in self.runtimes.values():
            runtime.close()
        self.store.close()
        self._lab.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self.runtimes)} nodes, revision {self.store.revision}"
        return f"<Cluster {self.name}: {self.mode}, seed {self.seed}, {state}>"
