"""The parts of a cluster, put together.

This is the one place where the parts meet; it reads like the architecture picture. Everything that happens afterwards
happens between a component and the API server: no part calls another.

    kubectl ──https──▶ API server ──▶ etcd
                        ▲  ▲  ▲
       controllers ─────┘  │  └───── kubelets ──CRI──▶ containers
                       scheduler

An engine is made of a `Spec`, and moved by inputs (`inputs.py`): the same of both give the same history, byte for byte, on
a virtual clock. What is outside of it, the sockets, kubectl and whoever holds it, is in `cluster.py`.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from k8slab.apimachinery.errors import AlreadyExists, Unauthorized
from k8slab.apimachinery.rest import MASTERS_GROUP, JsonObject, Request, Response, Stream, UserInfo
from k8slab.apiserver.authorization.controller_roles import MANAGER, account_of
from k8slab.apiserver.bootstrap import bootstrap_objects, install_defaults
from k8slab.apiserver.keys import Keys
from k8slab.apiserver.kubelet_connection import KubeletConnection
from k8slab.apiserver.pod_connection import Dial
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.leader_election import LeaderElector, next_record
from k8slab.client.line import Line
from k8slab.client.transport import InProcess
from k8slab.clock import NEVER, Clock, RealClock, SkewedClock, VirtualClock
from k8slab.controllers.clusterrole_aggregation import ClusterRoleAggregationController
from k8slab.controllers.cronjob import CronJobController
from k8slab.controllers.custom_resource_definition import CustomResourceDefinitionController
from k8slab.controllers.daemonset import DaemonSetController
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.disruption import DisruptionController
from k8slab.controllers.endpoints import EndpointsController
from k8slab.controllers.endpointslice import EndpointSliceController
from k8slab.controllers.garbage_collector import GarbageCollector
from k8slab.controllers.job import JobController
from k8slab.controllers.namespace import NamespaceController
from k8slab.controllers.node_ipam import NodeIpamController
from k8slab.controllers.node_lifecycle import NodeLifecycleController
from k8slab.controllers.pod_gc import PodGarbageCollector
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.controllers.resourcequota import ResourceQuotaController
from k8slab.controllers.root_ca_publisher import RootCAPublisher
from k8slab.controllers.serviceaccount import ServiceAccountController
from k8slab.controllers.statefulset import StatefulSetController
from k8slab.controllers.taint_eviction import TaintEvictionController
from k8slab.controllers.ttl_after_finished import TTLAfterFinishedController
from k8slab.cri.api import Runtime
from k8slab.cri.dial import dial_simulated
from k8slab.cri.network import SimulatedNetwork
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.engine.candidates import PART, Candidate, process_of
from k8slab.engine.faults import FAULTS, check_fault, fault_id
from k8slab.engine.inputs import Asked, Fault, Input, Passed
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import Command, Entry, Journal
from k8slab.engine.measures import measures, process
from k8slab.engine.skewed import Skewed, skewed_runtime
from k8slab.engine.streams import OutsideStream
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Compacted, FutureRevision, Store
from k8slab.etcd.store import Entry as LogEntry
from k8slab.kubelet.jobs import InlineJobs, Jobs, ThreadJobs
from k8slab.kubelet.kubelet import Kubelet
from k8slab.kubelet.node_lease import NodeLease
from k8slab.loop.component import Component
from k8slab.loop.housekeeping import Compactor, LeaseExpiry
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop
from k8slab.metrics import Family
from k8slab.names import Chance
from k8slab.scheduler.scheduler import Scheduler

__all__ = ["ADMIN", "CONTROLLERS", "Engine", "LogEntry", "MakeComponent", "Spec"]

MakeComponent = Callable[..., Component]
OpenStore = Callable[[Clock], Store]

CONTROLLERS: Mapping[str, MakeComponent] = {
    "deployment": DeploymentController,
    "replicaset": ReplicaSetController,
    "statefulset": StatefulSetController,
    "daemonset": DaemonSetController,
    "job": JobController,
    "cronjob": CronJobController,
    "ttl-after-finished": TTLAfterFinishedController,
    "disruption": DisruptionController,
    "namespace": NamespaceController,
    "crd": CustomResourceDefinitionController,
    "serviceaccount": ServiceAccountController,
    "root-ca-cert-publisher": RootCAPublisher,
    "resourcequota": partial(ResourceQuotaController, resources=tuple(RESOURCES.values())),
    "clusterrole-aggregation": ClusterRoleAggregationController,
    "garbage-collector": GarbageCollector,
    "node-ipam": NodeIpamController,
    "node-lifecycle": NodeLifecycleController,
    "taint-eviction": TaintEvictionController,
    "pod-garbage-collector": PodGarbageCollector,
    "endpointslice": EndpointSliceController,
    "endpoints": EndpointsController,
}
"""The controllers of a cluster, by the names that `Cluster(replace={...})` takes."""

REPLACEABLE = (*CONTROLLERS, "scheduler", "node-lease", "leader-election")
"""All that `replace` takes: besides the controllers, the heartbeat of every kubelet, and what each candidate writes next."""

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, "system:authenticated"))
FIRST_NODE_ADDRESS = ip_address("192.168.49.2")
SMALL_CLUSTER, LARGE_CLUSTER_CIDR = 256, "10.244.0.0/14"
"""So many nodes find room in the usual range of Pod addresses; more of them get one that begins at the same place."""
READS = ("GET", "HEAD", "OPTIONS")
TOUCHING = ("/exec", "/attach", "/log", "/portforward", "/proxy")
"""What reaches into a container, and may change something there, even where the method only reads."""


QUESTIONS = ("/apis/authentication.k8s.io/", "/apis/authorization.k8s.io/")
"""What is only asked, even where the method is POST; and what may hold a token, which belongs into no journal."""

SIMULATED_CA = "This cluster is simulated: whoever is in it needs no certificate.\n"

NOBODY = Command()


@dataclass(frozen=True)
class Spec:
    """What a cluster is made of."""

    nodes: tuple[str, ...]
    seed: int = 0
    mode: str = "stepped"
    runtime: str = "simulated"
    name: str = "lab"
    replace: Mapping[str, MakeComponent] = field(default_factory=dict)
    mirrors: str = ""
    candidates: Mapping[str, int] = field(default_factory=dict)
    """How many processes stand for which of `candidates.ROLES`; what is not named here runs once, and without election."""
    directory: Path | None = None
    """Where what has to stay is kept; None: it goes with the cluster."""
    keys: Keys = field(default_factory=Keys, repr=False, compare=False)
    """What the cluster proves itself by: a cluster that lives again has the same."""


class Engine:
    """Everything inside a cluster. Raises RuntimeError where Docker was asked for and does not answer."""

    def __init__(
        self, spec: Spec, instrument: Instrument | None = None, store: Store | OpenStore | None = None
    ) -> None:
        self.spec = spec
        self.instrument = instrument if instrument is not None else Instrument()
        self.components: dict[str, Callable[[], Component]] = {}
        """How each component is made, by name: one that crashed can be made again."""
        self.kubelets: dict[str, Kubelet] = {}
        self.candidates: dict[str, Candidate] = {}
        """Those who stand for election, by name; also those that do not run at the moment."""
        self.lines: dict[str, Line] = {}
        """The line of each component to the API server."""
        self.faults: dict[str, Fault] = {}
        """Those that have begun and not ended, by `fault_id`."""
        self.skews: dict[str, SkewedClock] = {}
        """The clocks of processes whose clock is wrong."""
        self._starts: Counter[str] = Counter()
        """How often each candidate was made: each time it is another process, with another identity."""
        self.streams: list[Stream] = []
        """What requests from outside have opened into containers."""
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.RLock()
        self.loop: SteppedLoop | LiveLoop
        self._command = NOBODY
        self._inputs = 0
        self._taking = 0

        # Time, chance, and what there is to drive.
        clock = VirtualClock() if spec.mode == "stepped" else RealClock()
        self.clock: Clock = clock
        self.chance = Chance(spec.seed)
        self.registry = SimulatedRegistry()
        self.runtime, self.runtimes, dial, self._remove_containers = self._open_runtimes()
        self._volumes = self._place_for_volumes() if self.runtime == "docker" else None

        # Who works next.
        if isinstance(clock, VirtualClock):
            self.loop = SteppedLoop(clock, self.chance, lambda: self.store.revision)
            self.loop.on_advance = self._time_passes
        else:
            self.loop = LiveLoop(clock)
        self.loop.instrument = self.instrument

        # The control plane's centre, which all else talks to.
        self.journal = Journal() if store is None and spec.mode == "stepped" and self.runtime == "simulated" else None
        """What came from outside; None where a cluster's life cannot be lived again."""
        self.store: Store = MemoryStore(clock) if store is None else store(clock) if callable(store) else store
        self._digest = hashlib.blake2b(digest_size=12)
        if self.journal is not None:
            self.store.subscribe(self._digest_log)
        self.server = ApiServer(
            self.store, self.clock, self.chance,
            find_kubelet=self._find_kubelet, dial=dial, token_key=spec.keys.token,
        )  # fmt: skip
        self.server.measures.sources.append(self._measures)
        self.client = Client(InProcess(self.server.handle), ADMIN, "k8slab-admin")
        root_ca = self._root_ca()
        self.instrument.begin(self)
        install_defaults(self.server.registry, root_ca)
        for resource, namespace, body in bootstrap_objects():
            with suppress(AlreadyExists):
                self.client.create(resource, body, namespace)

        # The components, as functions, so that one which crashed can be made again.
        self.add("etcd-lessor", lambda: LeaseExpiry(self.store, partial(self.loop.wake, "etcd-lessor")))
        if spec.mode == "live":
            self.add("etcd-compactor", lambda: Compactor(self.store, self.clock))
        made: dict[str, Any] = {**CONTROLLERS}
        made["root-ca-cert-publisher"] = partial(RootCAPublisher, root_ca=root_ca)
        if len(spec.nodes) > SMALL_CLUSTER:
            made["node-ipam"] = partial(NodeIpamController, cluster_cidr=LARGE_CLUSTER_CIDR)
        made |= spec.replace
        self._node_lease = made.pop("node-lease", NodeLease)
        self._decide = made.pop("leader-election", next_record)
        scheduler = {"kube-scheduler": made.pop("scheduler", Scheduler)}
        manager = {f"{short}-controller": make for short, make in made.items()}
        for role, parts in (("kube-controller-manager", manager), ("kube-scheduler", scheduler)):
            for number in range(count := spec.candidates.get(role, 0)):
                self._add_candidate(role, f"{role}-{number}", parts)
            for name, make in parts.items() if not count else ():
                self._add_controller(name, make)
        for index, node in enumerate(spec.nodes):
            self.add(f"kubelet-{node}", partial(self._make_kubelet, node, index))

    # Inputs.

    @property
    def lived(self) -> list[Entry]:
        """What came from outside so far; nothing where that is not noted."""
        return self.journal.entries if self.journal is not None else []

    @property
    def steps(self) -> int:
        """How many steps were made: units of work of components, and inputs. 0 on a live cluster."""
        return self.loop.turns + self._inputs if isinstance(self.loop, SteppedLoop) else 0

    def say(self, command: Command) -> None:
        """What follows is done because of this command."""
        self._command = command
        self.instrument.said(command)

    def take(self, given: Input) -> Any:
        """Let something from outside happen; what came of it. Raises ValueError for a fault that there is not."""
        with self._moving():
            if isinstance(given, Fault):
                check_fault(self, given)
            with self._input(given):
                return given.apply(self)

    def answer(self, request: Request) -> Response:
        """The API server's answer to somebody outside."""
        if _only_asks(request):
            return self.server.handle(request)
        with self._moving():
            if self.journal is not None and request.user is None and "authorization" in request.headers:
                # A token is looked at once: the journal notes whose it was, and never the token.
                try:
                    request.user = self.server.authenticator.authenticate(request)
                except Unauthorized:
                    return self.server.handle(request)
            with self._input(Asked.of(request)):
                return self.serve(request)

    def serve(self, request: Request) -> Response:
        """The same, already noted. What it opens into a container is kept in `streams`."""
        response = self.server.handle(request)
        if response.stream is not None:
            self.streams.append(response.stream)
            response.stream = OutsideStream(self.take, len(self.streams) - 1, response.stream)
        return response

    def move_clock(self, when: float) -> None:
        """Let time pass, and nobody work yet. Only on a virtual clock."""
        assert isinstance(self.loop, SteppedLoop), "real time passes by itself"
        self.loop.advance_to(when)

    def fault(self, name: str, arguments: Mapping[str, Any], *, ends: bool = False) -> None:
        """Let a fault begin, or end."""
        kind = FAULTS[name]
        if kind.end is not None:
            self.faults.pop(fault_id(name, arguments), None)
            if not ends:
                self.faults[fault_id(name, arguments)] = Fault(name, dict(arguments))
        happen = kind.end if ends and kind.end is not None else kind.begin
        happen(self, **arguments)

    def live_on(self, step: int) -> None:
        """Let components work up to a step, or until nobody has work."""
        assert isinstance(self.loop, SteppedLoop)
        before = -1
        while before < self.steps < step:
            before = self.steps
            self.loop.turn()

    def object_at(self, resource: ResourceInfo, namespace: str, name: str, revision: int = 0) -> JsonObject | None:
        """An object as of a revision, or now: shared, read-only. None if there was none, or compaction has removed it."""
        registry = self.server.registry
        try:
            entry = self.store.get(registry.key(resource, namespace, name), revision)
        except (Compacted, FutureRevision):
            return None
        return registry.decode(entry) if entry is not None else None

    def log_digest(self) -> str:
        """A digest of the log so far."""
        return self._digest.copy().hexdigest()

    @contextmanager
    def _input(self, given: Input) -> Iterator[None]:
        step = self.steps
        if self.journal is not None and isinstance(self.loop, SteppedLoop):
            now, revision = self.clock.now(), self.store.revision
            self.journal.add(Entry(step, now, revision, self.log_digest(), self._command, given))
        self.instrument.took(given, step)
        self._inputs += 1
        self._taking += 1
        try:
            yield
        finally:
            self._taking -= 1
            self.instrument.applied(given)

    def _time_passes(self, when: float) -> None:
        if not self._taking:  # else it is noted already
            with self._input(Passed(when)):
                pass

    def _digest_log(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            self._digest.update(b"%d %s " % (entry.revision, entry.key.encode()))
            self._digest.update(entry.value or b"-")

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """One input at a time, and not in the middle of a component's turn; a live cluster's parts see to that themselves."""
        if isinstance(self.loop, SteppedLoop):
            with self.loop.lock:
                yield
        else:
            yield

    # Components.

    def _measures(self) -> Iterator[Family]:
        """The numbers of the components, for the API server's page of metrics."""
        running = [self.loop.component(name) for name in self.loop.components]
        yield from measures([each.component if isinstance(each, Skewed) else each for each in running])
        if isinstance(self.clock, RealClock):
            yield from process()

    def add(self, name: str, make: Callable[[], Component]) -> None:
        """Put a component in, and start it."""
        self.components[name] = make
        self.start(name)

    def start(self, name: str) -> None:
        """Start a component that does not run; it learns all it must know from the API server and the runtime."""
        component = self.components[name]()
        self.instrument.component(component)
        if clock := self.skews.get(process_of(name)):
            component = Skewed(component, clock)
        self.loop.add(component)

    def crash(self, name: str) -> None:
        """Stop a component as a crash would, with its parts: nothing is said to anyone."""
        self.kubelets.pop(name.removeprefix("kubelet-"), None)
        self._remove(name)
        self._drop_parts(name)
        if line := self.lines.get(name):
            line.thaw()

    def stop(self, name: str) -> None:
        """Stop a component in good order: a leader gives its lease back, when its parts have ended."""
        self.crash(name)
        if candidate := self.candidates.get(name):
            candidate.elector.release()

    def freeze(self, name: str) -> None:
        """Let a process stand still, all of it."""
        self.lines[name].frozen = True
        for each in (name, *self.parts_of(name)):
            self.loop.freeze(each)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        self.lines[name].thaw()
        for each in (name, *self.parts_of(name)):
            self.loop.thaw(each)

    def parts_of(self, name: str) -> list[str]:
        """What runs inside a process because it leads."""
        return [each for each in self.loop.components if each.startswith(name + PART)]

    def runs(self, name: str) -> bool:
        """Whether a component runs."""
        return name in self.loop.components

    def _add_controller(self, name: str, make: MakeComponent) -> None:
        client = self._client(name, self._account_of(name))
        self.add(name, partial(self._make_controller, name, name, make, client))

    def _make_controller(self, name: str, role: str, make: MakeComponent, client: Client) -> Component:
        clock = self._clock_of(process_of(name))
        component = make(client, clock, self.chance, wake=partial(self.loop.wake, name))
        if component.name != role:
            raise ValueError(f"the component is called {component.name!r}, but it stands in for {role!r}: name it so")
        component.name = name  # as the loop knows it; its events and its queue were named by its role
        return component

    def _add_candidate(self, role: str, process: str, parts: Mapping[str, MakeComponent]) -> None:
        for part, make in parts.items():
            name = process + PART + part
            client = self._client(process, self._account_of(part), name)
            self.components[name] = partial(self._make_controller, name, part, make, client)
        names = [process + PART + part for part in parts]
        self.add(process, partial(self._make_candidate, role, process, names))

    def _make_candidate(self, role: str, process: str, parts: list[str]) -> Candidate:
        client = self._client(process, self._account_of(role))

        def elector(begin: Callable[[], None], lost: Callable[[], None]) -> LeaderElector:
            self._starts[process] += 1
            identity = f"{process}_{self.chance.uid('process', f'{process}/{self._starts[process]}')}"
            return LeaderElector(
                client, self._clock_of(process), self.chance, lock=role, identity=identity,
                decide=self._decide,
                on_started_leading=begin, on_stopped_leading=lost,
            )  # fmt: skip

        def begin() -> None:
            for part in parts:
                self.start(part)

        self.candidates[process] = candidate = Candidate(process, elector, begin, partial(self._drop_parts, process))
        return candidate

    def _drop_parts(self, process: str) -> None:
        for part in self.parts_of(process):
            self._remove(part)

    def _remove(self, name: str) -> None:
        self.loop.remove(name)
        self.instrument.ended(name)

    def _account_of(self, name: str) -> UserInfo:
        """As whom a component asks: as the service account of its role, unless it stands in for another."""
        short = name.removeprefix("kube-").removesuffix("-controller")
        if short in (*self.spec.replace, "controller-manager"):
            return MANAGER
        if short == "scheduler":
            return UserInfo("system:kube-scheduler", ("system:authenticated",))
        return account_of(short)

    def _make_kubelet(self, node: str, index: int) -> Kubelet:
        name = f"kubelet-{node}"
        client = self._client(name, UserInfo(f"system:node:{node}", ("system:nodes", "system:authenticated")))
        wake = partial(self.loop.wake, name)
        threads = self.spec.mode == "live" and self.runtime == "docker"
        clock, runtime = self._clock_of(name), self.instrument.runtime(node, self.runtimes[node])
        if wrong := self.skews.get(name):
            runtime = skewed_runtime(runtime, wrong)
        jobs: Jobs = ThreadJobs(wake) if threads else InlineJobs(clock)
        kubelet = Kubelet(
            node, client, clock, self.chance, runtime, self.instrument.jobs(name, jobs), wake=wake,
            address=str(FIRST_NODE_ADDRESS + index), root=self._volumes, make_lease=self._node_lease,
            disk=getattr(self.runtimes[node], "node_files", None),
        )  # fmt: skip
        self.kubelets[node] = kubelet
        return kubelet

    def _client(self, process: str, user: UserInfo, agent: str = "") -> Client:
        if process not in self.lines:
            self.lines[process] = Line(
                InProcess(self.server.handle), self.clock, self.chance, process, partial(self._wait, process)
            )  # fmt: skip
        return Client(self.lines[process], user, agent or process)

    def _wait(self, process: str, seconds: float) -> None:
        """Whoever of a process is at work waits for an answer; who leads does not wait for one longer than it leads."""
        worker = self.loop.working or process
        candidate = self.candidates.get(worker)
        until = candidate.elector.deadline if candidate is not None else NEVER
        clock = self.skews.get(process)
        self.loop.hold(worker, seconds, clock.moment(until) if clock is not None else until)

    def _clock_of(self, process: str) -> Clock:
        return self.skews.get(process, self.clock)

    def _root_ca(self) -> str:
        """The certificate that Pods know the API server by. Simulated Pods reach it without: and a certificate that differs
        from cluster to cluster would make the same seed give different logs."""
        simulated = self.runtime == "simulated" and isinstance(self.loop, SteppedLoop)
        return SIMULATED_CA if simulated else self.spec.keys.pki.ca_pem.decode()

    def _find_kubelet(self, node: str) -> KubeletConnection | None:
        kubelet = self.kubelets.get(node)
        return kubelet.server if kubelet and not self.lines[kubelet.name].cut else None

    # Containers.

    def _open_runtimes(self) -> tuple[str, Mapping[str, Runtime], Dial, Callable[[], None]]:
        """Which runtime it came to, one of it for each node, how Pods are reached, and what removes all that they made."""
        spec = self.spec
        if spec.runtime != "simulated":
            # Imported here: whoever needs no Docker should not wait for its client library.
            from k8slab.cri import docker
            from k8slab.cri.direct_dial import dial_directly

            if (problem := docker.DockerRuntime.available()) is None:
                runtimes = docker.docker_runtimes(
                    spec.name, spec.nodes, mirrors=spec.mirrors, registry=self.registry,
                    ephemeral=spec.directory is None,
                )  # fmt: skip
                first = next(iter(runtimes.values()), None)
                return "docker", runtimes, dial_directly(), first.clean_up if first else lambda: None
            if spec.runtime == "docker":
                raise RuntimeError(
                    f"the Docker Engine does not answer: {problem}; or take Cluster(runtime='simulated')"
                )
        network = SimulatedNetwork()
        simulated = {
            node: SimulatedRuntime(
                node, self.clock, self.chance, self.registry, network, lazy_files=spec.mode == "stepped"
            )
            for node in spec.nodes
        }
        return "simulated", simulated, dial_simulated(network, self._look_soon), lambda: None

    def _look_soon(self) -> None:
        """A container may have ended of a request that reached it."""
        for kubelet in self.kubelets.values():
            kubelet.look_soon()

    def _place_for_volumes(self) -> Path:
        """Real containers mount real folders: in the cluster's own, or in one that goes with it."""
        if self.spec.directory is not None:
            return self.spec.directory / "volumes"
        self._scratch = tempfile.TemporaryDirectory(prefix="k8slab-", ignore_cleanup_errors=True)
        return Path(self._scratch.name)

    def close(self) -> None:
        """Stop everything and remove what it made: threads, files, containers."""
        self.loop.close()
        for runtime in self.runtimes.values():
            runtime.close()
        self._remove_containers()
        if self._scratch is not None:
            self._scratch.cleanup()
        self.store.close()


def _only_asks(request: Request) -> bool:
    """Whether a request changes nothing, so that no journal need know of it."""
    if request.method in READS:
        return not any(part in request.path for part in TOUCHING)
    path = request.path
    for_a_token = path.endswith("/token") and "/serviceaccounts/" in path
    return request.method == "POST" and (path.startswith(QUESTIONS) or for_a_token)
