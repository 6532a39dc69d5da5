"""A cluster with the lab's instruments: what `from k8slab import Cluster` gives.

It is `k8slab/cluster.py`'s cluster, watched. The instruments are attached from outside, and each is a module of its own; here
is only what a learner types. Everything loads when it is first used.
"""

from __future__ import annotations

from k8slab import cluster
from k8slab.engine.instrument import Instrument
from k8slab.lab.trace import Trace


class Cluster(cluster.Cluster):
    """A cluster with instruments."""

    trace: Trace
    """Everything that happened, in order, each with its cause."""

    def _new_instrument(self) -> Instrument:
        self.trace = Trace()
        return self.trace
