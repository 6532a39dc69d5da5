"""Processes of which several stand for one office: two schedulers, three controller managers.

A candidate runs all the time, and what it is a candidate for runs only while it leads. Then its parts are components of their
own, beside it: `kube-controller-manager-1` renews its lease, while `kube-controller-manager-1/replicaset-controller` works. As
goroutines do, they share their process' clock, its line and its fate, and the parts do not ask whether the lease is still held.

Who has lost the lease throws its parts away and stands again as a new process, with a new identity: the same name would take
its own old lease for a valid one.

Models: Run in cmd/kube-controller-manager/app/controllermanager.go and in cmd/kube-scheduler/app/server.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.client.leader_election import LeaderElector

ROLES = ("kube-controller-manager", "kube-scheduler")
"""What there can be candidates for; each is the name of its Lease, too."""
PART = "/"
"""Between the name of a process and that of its part."""


class Candidate:
    """One process that waits, leads, and loses. `begin` starts its parts, `end` throws them away."""

    def __init__(
        self,
        name: str,
        new_elector: Callable[[Callable[[], None], Callable[[], None]], LeaderElector],
        begin: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self.name = name
        self._new_elector, self._begin, self._end = new_elector, begin, end
        self.elector = new_elector(begin, self._lost)

    def step(self) -> bool:
        """Try to get or to renew the lease, if it is time. A renewal is no work."""
        return self.elector.step()

    def next_deadline(self) -> float:
        """When to try again, or to give up."""
        return self.elector.next_deadline()

    def next_work(self) -> float:
        """Never: renewals are heartbeats, and a cluster that does nothing else is idle."""
        return float("inf")

    def close(self) -> None:
        """Nothing is left behind; the parts are their loop's."""

    def _lost(self) -> None:
        self._end()
        self.elector = self._new_elector(self._begin, self._lost)


def role_of(component: str) -> str:
    """What a component does, whichever candidate it is part of: `kube-scheduler` of `kube-scheduler-1/kube-scheduler`."""
    return component.rpartition(PART)[2]


def process_of(component: str) -> str:
    """The process that a component is, or is part of."""
    return component.partition(PART)[0]


def names_of(candidates: Mapping[str, int]) -> list[str]:
    """The names of the processes: `kube-scheduler-0`, `kube-scheduler-1`."""
    return [f"{role}-{number}" for role, count in candidates.items() for number in range(count)]
