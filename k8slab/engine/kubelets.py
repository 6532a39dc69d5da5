"""The kubelets of a cluster, one on each machine.

A kubelet is a process like any other, and besides stands between two others: it has its machine's runtime, and the API server
finds it by its node to reach into containers. Its clock is its machine's.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from ipaddress import ip_address

from k8slab.apiserver.kubelet_connection import KubeletConnection
from k8slab.clock import SkewedClock
from k8slab.engine.accounts import user_of_node
from k8slab.engine.controllers import other_of
from k8slab.engine.instrument import Instrument
from k8slab.engine.machines import Machines
from k8slab.engine.processes import Processes
from k8slab.engine.skewed import skewed_runtime
from k8slab.engine.spec import Spec
from k8slab.kubelet.jobs import InlineJobs, Jobs, ThreadJobs
from k8slab.kubelet.kubelet import Kubelet
from k8slab.names import Chance

FIRST_ADDRESS = ip_address("192.168.49.2")


class Kubelets(Mapping[str, Kubelet]):
    """Those that run, by node."""

    def __init__(
        self, spec: Spec, machines: Machines, processes: Processes, chance: Chance, instrument: Instrument
    ) -> None:
        self._spec, self._machines, self._processes = spec, machines, processes
        self._chance, self._instrument = chance, instrument

    def add(self) -> None:
        """Start one on each machine."""
        for index, node in enumerate(self._spec.nodes):
            self._processes.add(_name(node), partial(self._make, node, index))

    def find(self, node: str) -> KubeletConnection | None:
        """The API server's way to a node's kubelet; None where there is none."""
        kubelet = self._running(node)
        return kubelet.server if kubelet and not self._processes.lines[kubelet.name].cut else None

    def look_soon(self) -> None:
        """Have all look at their runtimes: a container may have ended of a request that reached it."""
        for kubelet in self.values():
            kubelet.look_soon()

    def __getitem__(self, node: str) -> Kubelet:
        if kubelet := self._running(node):
            return kubelet
        raise KeyError(node)

    def __iter__(self) -> Iterator[str]:
        return (node for node in self._spec.nodes if self._running(node))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _running(self, node: str) -> Kubelet | None:
        found = self._processes.running.get(_name(node))
        return found if isinstance(found, Kubelet) else None

    def _make(self, node: str, index: int) -> Kubelet:
        name = _name(node)
        client, clock = self._processes.client(name, user_of_node(node)), self._processes.clock(name)
        wake = self._processes.waker(name)
        machine = self._machines.runtimes[node]
        runtime = self._instrument.runtime(node, machine)
        if isinstance(clock, SkewedClock):
            runtime = skewed_runtime(runtime, clock)
        threads = self._spec.mode == "live" and self._machines.kind == "docker"
        jobs: Jobs = ThreadJobs(wake) if threads else InlineJobs(clock)
        return Kubelet(
            node, client, clock, self._chance, runtime, self._instrument.jobs(name, jobs), wake=wake,
            address=str(FIRST_ADDRESS + index), root=self._machines.volumes,
            disk=getattr(machine, "node_files", None), make_lease=other_of(self._spec, "node-lease"),
        )  # fmt: skip


def _name(node: str) -> str:
    return f"kubelet-{node}"
