"""The machines of a cluster: a container runtime on each, the network between them, and the registry that they pull from.

Docker's containers are real; simulated ones are programs on the cluster's clock. Which it is to be is decided here, once, and
nobody above the runtime can tell.

k8slab's own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from k8slab.apiserver.pod_connection import Dial
from k8slab.clock import Clock
from k8slab.cri.api import Runtime
from k8slab.cri.dial import dial_simulated
from k8slab.cri.network import SimulatedNetwork
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.engine.spec import Spec
from k8slab.names import Chance


@dataclass(slots=True)
class Machines:
    """What the Pods of a cluster run on."""

    kind: str
    """simulated or docker."""
    runtimes: Mapping[str, Runtime]
    """Of each node, by its name."""
    registry: SimulatedRegistry
    """Where simulated machines pull from; and what a lesson lets fail, for Docker's too."""
    dial: Dial
    """How a Pod is reached from outside of the Pods' network."""
    clean_up: Callable[[], None] = lambda: None
    """Removes all that they have made outside of this process."""
    volumes: Path | None = None
    """Real containers mount real folders, which are here."""
    scratch: tempfile.TemporaryDirectory[str] | None = None
    """Where that is a folder that goes with the cluster."""

    def close(self) -> None:
        """Leave nothing behind: neither connections, nor containers, nor files."""
        for runtime in self.runtimes.values():
            runtime.close()
        self.clean_up()
        if self.scratch is not None:
            self.scratch.cleanup()


def machines_of(spec: Spec, clock: Clock, chance: Chance, after_dial: Callable[[], None]) -> Machines:
    """The machines of a spec. Raises RuntimeError where Docker was asked for and does not answer.

    `after_dial` is called when somebody has reached a simulated container: it may have ended of it.
    """
    if spec.runtime != "simulated":
        # Imported here: whoever needs no Docker should not wait for its client library.
        from k8slab.cri.docker import DockerRuntime

        if (problem := DockerRuntime.available()) is None:
            return _docker(spec)
        if spec.runtime == "docker":
            raise RuntimeError(f"the Docker Engine does not answer: {problem}; or take Cluster(runtime='simulated')")
    return _simulated(spec, clock, chance, after_dial)


def _simulated(spec: Spec, clock: Clock, chance: Chance, after_dial: Callable[[], None]) -> Machines:
    network, registry = SimulatedNetwork(), SimulatedRegistry()
    lazy = spec.mode == "stepped"
    runtimes = {node: SimulatedRuntime(node, clock, chance, registry, network, lazy_files=lazy) for node in spec.nodes}
    return Machines("simulated", runtimes, registry, dial_simulated(network, after_dial))


def _docker(spec: Spec) -> Machines:
    from k8slab.cri.direct_dial import dial_directly
    from k8slab.cri.docker import docker_runtimes

    registry = SimulatedRegistry()
    runtimes = docker_runtimes(
        spec.name, spec.nodes, mirrors=spec.mirrors, registry=registry, ephemeral=spec.directory is None
    )
    made = Machines("docker", runtimes, registry, dial_directly())
    if runtimes:
        made.clean_up = next(iter(runtimes.values())).clean_up
    if spec.directory is not None:
        made.volumes = spec.directory / "volumes"
    else:
        made.scratch = tempfile.TemporaryDirectory(prefix="k8slab-", ignore_cleanup_errors=True)
        made.volumes = Path(made.scratch.name)
    return made
