"""A cluster in a learner's hands: kubectl and time, as on any cluster of the world, and none of the lab's instruments.

A judge hands it over where the answer must come from the API alone. It notes every command, so that a judge can say what was
asked and what came back. It is a fence and no wall: the learner's code runs in the judge's own process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from k8slab.cluster import Cluster
from k8slab.loop.kubectl import KubectlResult
from k8slab.loop.stepped import Halt

PATIENCE = "30s"
"""Of virtual time: how long a kubectl waits that does not say so itself. What waits in vain would wait ten minutes."""


class Hands:
    """What of a cluster a learner's code may use."""

    def __init__(self, cluster: Cluster) -> None:
        self.commands: list[KubectlResult] = []
        """Every kubectl so far: its arguments, and what came of it."""
        # Functions around its methods, so that the cluster itself is no attribute, nor an attribute's.
        self._kubectl: Callable[..., KubectlResult] = lambda *arguments: cluster.kubectl(*arguments)
        self._run_for: Callable[..., Halt | None] = lambda duration: cluster.run_for(duration)

    def kubectl(
        self, command: str | Sequence[str], stdin: str | None = None, timeout: float | str | None = None
    ) -> KubectlResult:
        """See `Cluster.kubectl`. It waits for 30 virtual seconds at most, unless `timeout` says otherwise."""
        done = self._kubectl(command, stdin, PATIENCE if timeout is None else timeout)
        self.commands.append(done)
        return done

    def run_for(self, duration: float | str) -> Halt | None:
        """Let time pass: `cluster.run_for("60s")`."""
        return self._run_for(duration)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"here a cluster has only kubectl and run_for, and no {name!r}")
