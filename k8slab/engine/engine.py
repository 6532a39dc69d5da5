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

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from k8slab.apimachinery.errors import AlreadyExists, Unauthorized
from k8slab.apimachinery.rest import JsonObject, Request, Response, Stream
from k8slab.apiserver.bootstrap import bootstrap_objects, install_defaults
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.transport import InProcess
from k8slab.clock import Clock, RealClock, VirtualClock
from k8slab.cri.api import Runtime
from k8slab.engine.accounts import ADMIN
from k8slab.engine.control_plane import ControlPlane
from k8slab.engine.diary import Diary
from k8slab.engine.faults import FAULTS, check_fault, fault_id
from k8slab.engine.inputs import Asked, Fault, Input, only_asks
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import Command, Entry, Journal
from k8slab.engine.kubelets import Kubelets
from k8slab.engine.machines import machines_of
from k8slab.engine.measures import measures, process
from k8slab.engine.processes import Processes
from k8slab.engine.spec import OpenStore, Spec
from k8slab.engine.streams import OutsideStream
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Compacted, FutureRevision, Store
from k8slab.etcd.store import Entry as LogEntry
from k8slab.loop.housekeeping import Compactor, LeaseExpiry
from k8slab.loop.live import LiveLoop
from k8slab.loop.stepped import SteppedLoop
from k8slab.metrics import Family
from k8slab.names import Chance

__all__ = ["Engine", "LogEntry"]

SIMULATED_CA = "This cluster is simulated: whoever is in it needs no certificate.\n"


class Engine:
    """Everything inside a cluster. Raises RuntimeError where Docker was asked for and does not answer."""

    def __init__(
        self, spec: Spec, instrument: Instrument | None = None, store: Store | OpenStore | None = None
    ) -> None:
        self.spec = spec
        self.instrument = instrument if instrument is not None else Instrument()
        self.faults: dict[str, Fault] = {}
        """Those that have begun and not ended, by `fault_id`."""
        self.streams: list[Stream] = []
        """What requests from outside have opened into containers."""

        # Time, chance, and what there is to drive.
        clock = VirtualClock() if spec.mode == "stepped" else RealClock()
        self.clock: Clock = clock
        self.chance = Chance(spec.seed)
        self.machines = machines_of(spec, clock, self.chance, lambda: self.kubelets.look_soon())

        # Who works next.
        self.loop: SteppedLoop | LiveLoop = (
            SteppedLoop(clock, self.chance, lambda: self.store.revision)
            if isinstance(clock, VirtualClock)
            else LiveLoop(clock)
        )
        self.loop.instrument = self.instrument

        # The log, and what comes from outside.
        self.store: Store = MemoryStore(clock) if store is None else store(clock) if callable(store) else store
        repeatable = store is None and spec.mode == "stepped" and self.machines.kind == "simulated"
        self.journal = Journal() if repeatable else None
        """What came from outside; None where a cluster's life cannot be lived again."""
        self._diary = Diary(self.journal, self.loop, clock, self.store, self.instrument)

        # The API server, which all else talks to.
        self.server = ApiServer(
            self.store, clock, self.chance,
            find_kubelet=lambda node: self.kubelets.find(node), dial=self.machines.dial, token_key=spec.keys.token,
        )  # fmt: skip
        self.server.measures.sources.append(self._measures)
        transport = InProcess(self.server.handle)
        self.client = Client(transport, ADMIN, "k8slab-admin")
        self.instrument.begin(self)
        root_ca = self._root_ca()
        install_defaults(self.server.registry, root_ca)
        for resource, namespace, body in bootstrap_objects():
            with suppress(AlreadyExists):
                self.client.create(resource, body, namespace)

        # The components, each as a way to make it: one that crashed can be made again.
        self.processes = Processes(self.loop, transport, clock, self.chance, self.instrument)
        self.kubelets = Kubelets(spec, self.machines, self.processes, self.chance, self.instrument)
        add, wake = self.processes.add, self.processes.waker
        add("etcd-lessor", lambda: LeaseExpiry(self.store, wake("etcd-lessor")))
        if spec.mode == "live":
            add("etcd-compactor", lambda: Compactor(self.store, clock))
        ControlPlane(spec, self.processes, self.chance, root_ca).add()
        self.kubelets.add()

    # What it is moved by.

    @property
    def lived(self) -> list[Entry]:
        """What came from outside so far; nothing where that is not noted."""
        return self.journal.entries if self.journal is not None else []

    @property
    def steps(self) -> int:
        """How many steps were made: units of work of components, and inputs. 0 on a live cluster."""
        return self._diary.steps

    def say(self, command: Command) -> None:
        """What follows is done because of this command."""
        self._diary.say(command)

    def take(self, given: Input) -> Any:
        """Let something from outside happen; what came of it. Raises ValueError for a fault that there is not."""
        with self._moving():
            if isinstance(given, Fault):
                check_fault(self, given)
            with self._diary.noting(given):
                return given.apply(self)

    def answer(self, request: Request) -> Response:
        """The API server's answer to somebody outside."""
        if only_asks(request):
            return self.server.handle(request)
        with self._moving():
            if self.journal is not None and request.user is None and "authorization" in request.headers:
                # A token is looked at once: the journal notes whose it was, and never the token.
                try:
                    request.user = self.server.authenticator.authenticate(request)
                except Unauthorized:
                    return self.server.handle(request)
            with self._diary.noting(Asked.of(request)):
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

    def _moving(self) -> AbstractContextManager[Any]:
        """One input at a time, and not in the middle of a component's turn; a live cluster's parts see to that themselves."""
        return self.loop.lock if isinstance(self.loop, SteppedLoop) else nullcontext()

    # What can be seen of it.

    @property
    def runtimes(self) -> Mapping[str, Runtime]:
        """The container runtime of each node."""
        return self.machines.runtimes

    def object_at(self, resource: ResourceInfo, namespace: str, name: str, revision: int = 0) -> JsonObject | None:
        """An object as of a revision, or now: shared, read-only. None if there was none, or compaction has removed it."""
        registry = self.server.registry
        try:
            entry = self.store.get(registry.key(resource, namespace, name), revision)
        except (Compacted, FutureRevision):
            return None
        return registry.decode(entry) if entry is not None else None

    def log_digest(self) -> str:
        """A digest of the log so far, where there is a journal."""
        return self._diary.log_digest()

    # How the parts find each other.

    def _root_ca(self) -> str:
        """The certificate that Pods know the API server by. Simulated Pods reach it without: and a certificate that differs
        from cluster to cluster would make the same seed give different logs."""
        simulated = self.machines.kind == "simulated" and isinstance(self.loop, SteppedLoop)
        return SIMULATED_CA if simulated else self.spec.keys.pki.ca_pem.decode()

    def _measures(self) -> Iterator[Family]:
        """The numbers of the components, for the API server's page of metrics."""
        running = self.processes.running
        yield from measures([each for _, each in sorted(running.items())])
        if isinstance(self.clock, RealClock):
            yield from process()

    def close(self) -> None:
        """Stop everything and remove what it made: threads, files, containers."""
        self.loop.close()
        self.machines.close()
        self.store.close()
