"""What can happen under the kubelets: to machines, their disks and containers, and to the registries they pull from.

k8slab's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.cri.api import ContainerState, SandboxState
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.cri.simulated_images import DISK
from k8slab.engine.faults import processes
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine


def switch_off(engine: Engine, node: str) -> None:
    """The machine is gone at once: its kubelet, and all that runs on it."""
    processes.crash(engine, f"kubelet-{node}")
    runtime = engine.runtimes[node]
    for container in runtime.list_containers():
        if container.state is ContainerState.RUNNING:
            runtime.stop_container(container.id, 0)
    for sandbox in runtime.list_pod_sandboxes():
        runtime.stop_pod_sandbox(sandbox.id)


def switch_on(engine: Engine, node: str) -> None:
    """The machine is there, and its kubelet starts on it what has to run."""
    processes.start(engine, f"kubelet-{node}")


def registry_down(engine: Engine, where: str, message: str) -> None:
    """Pulls from a place fail, with this message."""
    engine.machines.registry.fail(where, message)


def registry_up(engine: Engine, where: str, message: str) -> None:
    """They succeed."""
    engine.machines.registry.heal(where)


def small_disk(engine: Engine, node: str, size: int) -> None:
    """The disk has so many bytes."""
    _simulated(engine, node).resize_disk(size)


def usual_disk(engine: Engine, node: str, **_: Any) -> None:
    """It has as many as every simulated machine's."""
    _simulated(engine, node).resize_disk(DISK)


def kill_containers(engine: Engine, namespace: str, pod: str, container: str) -> None:
    """A Pod's containers are killed; with a name, only that one."""
    node, uid = _sandbox_of(engine, namespace, pod)
    runtime = engine.runtimes[node]
    running = [each for each in runtime.list_containers(uid) if each.state is ContainerState.RUNNING]
    named = [each for each in running if container in ("", each.name)]
    if not named:
        names = ", ".join(each.name for each in running) or "none"
        which = f" {container!r}" if container else ""
        raise Mistake(f"no container{which} runs in the Pod {pod!r}; running: {names}")
    for each in named:
        runtime.stop_container(each.id, 0)
    if kubelet := engine.kubelets.get(node):
        kubelet.look_soon()


def _simulated(engine: Engine, node: str) -> SimulatedRuntime:
    runtime = engine.runtimes[node]
    if not isinstance(runtime, SimulatedRuntime):
        raise Mistake("only a simulated machine's disk can be changed; take Cluster(runtime='simulated')")
    return runtime


def _sandbox_of(engine: Engine, namespace: str, pod: str) -> tuple[str, str]:
    """(node, the Pod's UID). The runtimes are asked: their containers run whether a kubelet looks after them or not."""
    for node, runtime in engine.runtimes.items():
        for sandbox in runtime.list_pod_sandboxes():
            if (sandbox.namespace, sandbox.name, sandbox.state) == (namespace, pod, SandboxState.READY):
                return node, sandbox.uid
    raise Mistake(f"no node runs a Pod {pod!r} in the namespace {namespace!r}; see: kubectl get pods -o wide")
