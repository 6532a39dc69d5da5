"""The control plane's workers: the scheduler and the controllers, each a process of its own, or all of them part of candidates.

A cluster has one of each, which works without being elected. Where several processes are to stand for an office
(`candidates.py`), each of them has all that belongs to it, and lets it run while it leads.

Models: cmd/kube-controller-manager/app/controllermanager.go, cmd/kube-scheduler/app/server.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from k8slab.client.client import Client
from k8slab.client.leader_election import LeaderElector
from k8slab.engine.accounts import user_of
from k8slab.engine.candidates import PART, Candidate, names_of, process_of
from k8slab.engine.controllers import controllers_of, other_of
from k8slab.engine.processes import Processes
from k8slab.engine.spec import MakeComponent, Spec
from k8slab.loop.component import Component
from k8slab.mistake import Mistake
from k8slab.names import Chance

Workers = Mapping[str, MakeComponent]
"""How each is made, by the name of its role."""
A_COMPONENT_HAS = ("name", "step", "next_deadline", "next_work", "close")


class ControlPlane:
    """The workers of a spec, as processes."""

    def __init__(self, spec: Spec, processes: Processes, chance: Chance, root_ca: str) -> None:
        self._spec, self._processes, self._chance, self._root_ca = spec, processes, chance, root_ca
        self._starts: Counter[str] = Counter()
        """How often each candidate was made: each time it is another process, with another identity."""

    def add(self) -> None:
        """Start them all."""
        offices: Mapping[str, Workers] = {
            "kube-controller-manager": controllers_of(self._spec, self._root_ca),
            "kube-scheduler": {"kube-scheduler": other_of(self._spec, "scheduler")},
        }
        for office, workers in offices.items():
            candidates = names_of({office: self._spec.candidates.get(office, 0)})
            for process in candidates:
                self._add_candidate(process, office, workers)
            if not candidates:
                self._add_each(workers)

    def _add_each(self, workers: Workers) -> None:
        """Each is a process."""
        for name, make in workers.items():
            client = self._client(name, name)
            self._processes.add(name, partial(self._make_worker, name, name, make, client))

    def _add_candidate(self, process: str, office: str, workers: Workers) -> None:
        """One process, and how its parts are made when it leads."""
        parts = {process + PART + role: role for role in workers}
        for name, role in parts.items():
            client = self._client(process, role, name)
            self._processes.components[name] = partial(self._make_worker, name, role, workers[role], client)
        self._processes.add(process, partial(self._make_candidate, process, office, list(parts)))

    def _make_worker(self, name: str, role: str, make: MakeComponent, client: Client) -> Component:
        clock = self._processes.clock(process_of(name))
        worker = make(client, clock, self._chance, wake=self._processes.waker(name))
        if missing := [part for part in A_COMPONENT_HAS if not hasattr(worker, part)]:
            raise Mistake(f"{role}: {worker!r} is no component: it has no {', '.join(missing)}; derive from Controller")
        if worker.name != role:
            raise Mistake(f"the component is called {worker.name!r}, but it stands in for {role!r}: name it so")
        worker.name = name  # as the loop knows it; its events and its queue were named by its role
        return worker

    def _make_candidate(self, process: str, office: str, parts: list[str]) -> Candidate:
        client = self._client(process, office)

        def elector(begin: Callable[[], None], lost: Callable[[], None]) -> LeaderElector:
            self._starts[process] += 1
            identity = f"{process}_{self._chance.uid('process', f'{process}/{self._starts[process]}')}"
            return LeaderElector(
                client, self._processes.clock(process), self._chance, lock=office, identity=identity,
                decide=other_of(self._spec, "leader-election"),
                on_started_leading=begin, on_stopped_leading=lost,
            )  # fmt: skip

        def begin() -> None:
            for part in parts:
                self._processes.start(part)

        return Candidate(process, elector, begin, partial(self._processes.end_parts, process))

    def _client(self, process: str, role: str, agent: str = "") -> Client:
        return self._processes.client(process, user_of(role, self._spec.replace), agent)
