"""What a cluster is made of: all that can be different between one and another, before anything happens in it.

A spec, and what comes from outside (`inputs.py`), are all that a stepped cluster's history depends on.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from k8slab.apiserver.keys import Keys
from k8slab.clock import Clock
from k8slab.etcd.store import Store
from k8slab.loop.component import Component

MakeComponent = Callable[..., Component]
"""Called with a client, a clock, a `Chance`, and `wake=`."""

OpenStore = Callable[[Clock], Store]
"""Opens a store that goes by a clock."""


@dataclass(frozen=True)
class Spec:
    """What a cluster is made of."""

    nodes: tuple[str, ...]
    seed: int = 0
    mode: str = "stepped"
    runtime: str = "simulated"
    name: str = "lab"
    replace: Mapping[str, MakeComponent] = field(default_factory=dict)
    """What stands in for which of `controllers.REPLACEABLE`; under a name that is not there, what stands beside them."""
    mirrors: str = ""
    candidates: Mapping[str, int] = field(default_factory=dict)
    """How many processes stand for which of `candidates.ROLES`; what is not named here runs once, and without election."""
    directory: Path | None = None
    """Where what has to stay is kept; None: it goes with the cluster."""
    keys: Keys = field(default_factory=Keys, repr=False, compare=False)
    """What the cluster proves itself by: a cluster that lives again has the same."""
