"""A cluster, put together.

This is the one place where the parts meet; it reads like the architecture picture. Everything that happens afterwards
happens between a component and the API server: no part calls another.

    kubectl ──https──▶ API server ──▶ etcd
                        ▲  ▲  ▲
       controllers ─────┘  │  └───── kubelets ──CRI──▶ containers
                       scheduler
"""

from __future__ import annotations

import itertools
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

from k8slab.apimachinery.errors import AlreadyExists
from k8slab.apimachinery.rest import MASTERS_GROUP, Request, Response, UserInfo
from k8slab.apiserver.bootstrap import bootstrap_objects
from k8slab.apiserver.kubelet_connection import KubeletConnection
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.kubeconfig import Credentials
from k8slab.client.transport import InProcess
from k8slab.clock import Clock, RealClock, VirtualClock, parse_duration
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.garbage_collector import GarbageCollector
from k8slab.controllers.namespace import NamespaceController
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.cri.api import Runtime
from k8slab.cri.network import SimulatedNetwork
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Store
from k8slab.kubelet.jobs import InlineJobs, Jobs, ThreadJobs
from k8slab.kubelet.kubelet import Kubelet
from k8slab.loop.component import Component
from k8slab.loop.front_door import FrontDoor
from k8slab.loop.history import Change, History
from k8slab.loop.housekeeping import Compactor, LeaseExpiry, StreamTicker
from k8slab.loop.kubectl import KubectlResult, split_command
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop
from k8slab.loop.stepped_kubectl import Pump
from k8slab.names import Chance
from k8slab.scheduler.scheduler import Scheduler

MakeComponent = Callable[..., Component]

CONTROLLERS: Mapping[str, MakeComponent] = {
    "deployment": DeploymentController,
    "replicaset": ReplicaSetController,
    "namespace": partial(NamespaceController, resources=tuple(RESOURCES.values())),
    "garbage-collector": partial(GarbageCollector, resources=tuple(RESOURCES.values())),
}
"""The controllers of a cluster, by the names that `Cluster(replace={...})` takes."""

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, "system:authenticated"))
POD_CIDR = "10.244.{}.0/24"
NODE_ADDRESS = "192.168.49.{}"
MAX_NODES = 250
"""As many as have an address in 192.168.49.0/24."""


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
        store: Store | None = None,
        directory: Path | None = None,
        port: int = 0,
        mirrors: str = "",
    ) -> None:
        node_names = _node_names(nodes)
        _check_choice("mode", [mode], ("stepped", "live"))
        _check_choice("controller to replace", replace or (), CONTROLLERS)
        self.name, self.seed, self.mode = name, seed, mode
        self._number = next(Cluster._numbers)
        self._closed = False
        self._kubelets: dict[str, Kubelet] = {}
        self._make: dict[str, Callable[[], Component]] = {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

        # Time, chance, and what there is to drive.
        clock = VirtualClock() if mode == "stepped" else RealClock()
        self.clock: Clock = clock
        self.chance = Chance(seed)
        self.registry = SimulatedRegistry()
        """The simulated image registries: `cluster.registry.fail("registry.k8s.io", "i/o timeout")`."""
        self.runtime, self._runtimes, self._remove_containers = self._open_runtimes(
            runtime, node_names, mirrors, ephemeral=directory is None
        )
        self._volumes = self._place_for_volumes(directory) if self.runtime == "docker" else None

        # The control plane's centre, which all else talks to.
        self.store: Store = store if store is not None else MemoryStore(self.clock)
        self.server = ApiServer(self.store, self.clock, self.chance, find_kubelet=self._find_kubelet)
        self.client = Client(InProcess(self.server.handle), ADMIN, "k8slab-admin")
        """The administrator's client, in process."""
        for resource, namespace, body in bootstrap_objects():
            with suppress(AlreadyExists):
                self.client.create(resource, body, namespace)

        # Who works next, and how requests from outside find their turn.
        if isinstance(clock, VirtualClock):
            self._loop: SteppedLoop | LiveLoop = SteppedLoop(clock, self.chance, lambda: self.store.revision)
            self._pump = Pump(self._loop, self.server.handle, lambda: self.store.revision)
            self._door = FrontDoor(name, self._pump.submit, clock, directory, port)
        else:
            self._loop = LiveLoop(clock)
            self._door = FrontDoor(name, self._answer_at_once, clock, directory, port)

        # The components, as functions, so that one which crashed can be made again.
        self._add("etcd-lessor", lambda: LeaseExpiry(self.store))
        if mode == "live":
            self._add("etcd-compactor", lambda: Compactor(self.store, self.clock))
            self._add("stream-ticker", lambda: StreamTicker(self.clock, self._door))
        for short, make in {**CONTROLLERS, **(replace or {})}.items():
            self._add_controller(f"{short}-controller", make)
        self._add_controller("kube-scheduler", Scheduler)
        for index, node in enumerate(node_names):
            self._add(f"kubelet-{node}", partial(self._make_kubelet, node, index))
        Cluster._open.add(self)
        self._loop.settle()

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
        with self._moving() as loop:
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
        """One unit of work of one component, and its name. If nobody has work now, time moves to when someone has.

        Empty if nobody ever will. Raises RuntimeError on a live cluster, which moves by itself.
        """
        with self._moving() as loop:
            return loop.step()

    def play(self, speed: float = 1.0) -> None:
        """Let time pass by itself, `speed` times as fast as real time, until `pause()`."""
        self._check_open()
        self._loop.play(speed)

    def pause(self) -> None:
        """Stop what `play` began; in live mode, let every component finish its unit of work and wait for `play()`."""
        self._loop.pause()

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
            self._kubelets.pop(component.removeprefix("kubelet-"), None)
            self._loop.remove(component)

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
        self._loop.close()
        self._door.close()
        for runtime in self._runtimes.values():
            runtime.close()
        self._remove_containers()
        if self._scratch is not None:
            self._scratch.cleanup()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._runtimes)} nodes, revision {self.store.revision}"
        return f"<Cluster {self.name}: {self.mode}, {self.runtime}, seed {self.seed}, {state}>"

    # How the parts are made.

    def _open_runtimes(
        self, choice: str, nodes: Sequence[str], mirrors: str, *, ephemeral: bool
    ) -> tuple[str, Mapping[str, Runtime], Callable[[], None]]:
        """Which runtime it came to, one of it for each node, and what removes all that they made."""
        _check_choice("runtime", [choice], ("simulated", "docker", "auto"))
        if choice != "simulated":
            # Imported here: whoever needs no Docker should not wait for its client library.
            from k8slab.cri import docker

            if (problem := docker.DockerRuntime.available()) is None:
                runtimes = docker.docker_runtimes(
                    self.name, nodes, mirrors=mirrors, registry=self.registry, ephemeral=ephemeral
                )
                first = next(iter(runtimes.values()), None)
                return "docker", runtimes, first.clean_up if first else lambda: None
            if choice == "docker":
                raise RuntimeError(
                    f"the Docker Engine does not answer: {problem}; or take Cluster(runtime='simulated')"
                )
        network = SimulatedNetwork()
        simulated = {node: SimulatedRuntime(node, self.clock, self.chance, self.registry, network) for node in nodes}
        return "simulated", simulated, lambda: None

    def _place_for_volumes(self, directory: Path | None) -> Path:
        """Real containers mount real folders: in the cluster's own, or in one that goes with it."""
        if directory is not None:
            return directory / "volumes"
        self._scratch = tempfile.TemporaryDirectory(prefix="k8slab-", ignore_cleanup_errors=True)
        return Path(self._scratch.name)

    def _add(self, name: str, make: Callable[[], Component]) -> None:
        self._make[name] = make
        self._loop.add(make())

    def _add_controller(self, name: str, make: MakeComponent) -> None:
        account = "system:kube-scheduler" if name == "kube-scheduler" else "system:kube-controller-manager"
        user = UserInfo(account, ("system:authenticated",))
        client = Client(InProcess(self.server.handle), user, name)

        def make_it() -> Component:
            component = make(client, self.clock, self.chance, wake=partial(self._loop.wake, name))
            if component.name != name:
                raise ValueError(
                    f"the component is called {component.name!r}, but it stands in for {name!r}: name it so"
                )
            return component

        self._add(name, make_it)

    def _make_kubelet(self, node: str, index: int) -> Kubelet:
        user = UserInfo(f"system:node:{node}", ("system:nodes", "system:authenticated"))
        client = Client(InProcess(self.server.handle), user, f"kubelet-{node}")
        wake = partial(self._loop.wake, f"kubelet-{node}")
        threads = self.mode == "live" and self.runtime == "docker"
        jobs: Jobs = ThreadJobs(wake) if threads else InlineJobs(self.clock)
        kubelet = Kubelet(
            node, client, self.clock, self.chance, self._runtimes[node], jobs, wake=wake,
            pod_cidr=POD_CIDR.format(index), address=NODE_ADDRESS.format(index + 2), root=self._volumes,
        )  # fmt: skip
        self._kubelets[node] = kubelet
        return kubelet

    def _find_kubelet(self, node: str) -> KubeletConnection | None:
        kubelet = self._kubelets.get(node)
        return kubelet.server if kubelet else None

    def _answer_at_once(self, request: Request, reply: Callable[[Response], None]) -> None:
        reply(self.server.handle(request))

    @contextmanager
    def _moving(self) -> Iterator[SteppedLoop | LiveLoop]:
        self._check_open()
        with self._loop.interruptible():
            yield self._loop

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"the cluster {self.name!r} is closed; make a new one: Cluster()")


def _node_names(nodes: int | Sequence[str]) -> list[str]:
    names = [f"node-{number}" for number in range(1, nodes + 1)] if isinstance(nodes, int) else list(nodes)
    if not 0 <= len(names) <= MAX_NODES or (isinstance(nodes, int) and nodes < 0):
        raise ValueError(f"nodes={nodes}: a cluster has 0 to {MAX_NODES} nodes")
    if len(set(names)) != len(names):
        raise ValueError(f"nodes={names}: two nodes have the same name")
    return names


def _check_choice(what: str, asked: Iterable[str], choices: Iterable[str]) -> None:
    for each in asked:
        if each not in choices:
            raise ValueError(f"unknown {what} {each!r}; there are: {', '.join(sorted(choices))}")
