"""The simulated runtime: containers that are small Python programs on the cluster's clock.

It keeps the whole contract of `api.py` without a machine under it. State is a function of the clock: there are no threads
and no timers, and every call first lets happen what has come due. `next_change` says when that will be, so that a
loop on a virtual clock can jump there. Everything is drawn from the seed and from names: the same history gives the same
ids, addresses and pull times.

It is honest about itself: the runtime calls itself `simulated`, and an unknown image can't be had.

One lock guards all nodes that share a network, for a request from one Pod runs the program of another: calls may come
from any thread.

Models: k8s.io/cri-api RuntimeService and ImageService, with containerd's messages.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from k8slab.apimachinery.rest import Stream
from k8slab.clock import Clock
from k8slab.cri.addresses import Addresses
from k8slab.cri.api import (
    Container,
    ContainerConfig,
    ContainerState,
    ContainerStats,
    CriError,
    ExecResult,
    FilesystemUsage,
    Image,
    LogOptions,
    PullResult,
    Sandbox,
    SandboxConfig,
    SandboxState,
    Version,
)
from k8slab.cri.machine import NodeFiles
from k8slab.cri.network import NetNamespace, SimulatedNetwork
from k8slab.cri.process import SIGKILL_CODE
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.simulated_connection import SimulatedConnection
from k8slab.cri.simulated_containers import Agenda, SimulatedContainer, SimulatedSandbox
from k8slab.cri.simulated_images import ImageStore
from k8slab.cri.simulated_streams import AttachStream, ExecStream, LogStream
from k8slab.cri.streams import BufferStream, error_status
from k8slab.names import Chance
from k8slab.version import __version__

LEFT_OUT = (
    "What runs in a container is a program of k8slab's, not the image's own; an image that nobody knows cannot be had.",
)

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE = 3600.0
"""How many seconds of its own time a command run by `exec_sync` without a timeout gets."""


def locked(
    method: Callable[Concatenate[SimulatedRuntime, P], R],
) -> Callable[Concatenate[SimulatedRuntime, P], R]:
    """One call at a time."""

    def call(self: SimulatedRuntime, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.network.lock:
            return method(self, *args, **kwargs)

    functools.update_wrapper(call, method)
    return call


class SimulatedRuntime:
    """The containers and images of one simulated node."""

    def __init__(
        self,
        node_name: str,
        clock: Clock,
        chance: Chance,
        registry: SimulatedRegistry | None = None,
        network: SimulatedNetwork | None = None,
        *,
        lazy_files: bool = True,
    ) -> None:
        self.node_name, self.clock, self.chance = node_name, clock, chance
        self.registry = registry or SimulatedRegistry()
        self.network = network or SimulatedNetwork()
        self.node_files = NodeFiles(lazy=lazy_files)
        """The node's own files, by path: what mounts lead to."""
        self._images = ImageStore(node_name, clock, chance, self.registry)
        self._addresses: Addresses | None = None
        # Both in the order of their making; a container's sandbox is always there.
        self._sandboxes: dict[str, SimulatedSandbox] = {}
        # The sandboxes again, by the UID of their Pod.
        self._pods: dict[str, list[SimulatedSandbox]] = {}
        self._containers: dict[str, SimulatedContainer] = {}
        self.agenda = Agenda()

    # The node.

    def version(self) -> Version:
        """It says what it is."""
        return Version("simulated", __version__)

    def status(self) -> Mapping[str, str]:
        """The network is not ready until the node has its range of addresses."""
        if self._addresses is None:
            message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:"
            return {"NetworkReady": message + "Network plugin returns error: cni plugin not initialized"}
        return {}

    @locked
    def update_runtime_config(self, pod_cidr: str) -> None:
        """Pod addresses come from this range; saying the same again changes nothing."""
        if self._addresses is None or self._addresses.cidr != pod_cidr:
            self._addresses = Addresses(pod_cidr)

    @locked
    def next_change(self) -> float | None:
        """When the next container may end by itself."""
        return self.agenda.next()

    def close(self) -> None:
        """There is nothing to release."""

    def _now(self) -> float:
        """The time; and everything that was due by then has happened."""
        now = self.clock.now()
        self.agenda.run(now)
        return now

    # Sandboxes.

    @locked
    def run_pod_sandbox(self, config: SandboxConfig) -> str:
        """Make a sandbox with an address of its own."""
        self._now()
        sandbox_id = self._make_id("sandbox", config.namespace, config.name, config.uid, config.attempt)
        if sandbox_id in self._sandboxes:
            name = f"{config.name}_{config.namespace}_{config.uid}_{config.attempt}"
            raise CriError(
                "AlreadyExists", f'failed to reserve sandbox name "{name}": name is reserved for "{sandbox_id}"'
            )
        net = NetNamespace(hostname=config.hostname or config.name)
        if not config.host_network:
            if self._addresses is None:
                raise CriError(
                    "Unknown", f'failed to setup network for sandbox "{sandbox_id}": cni plugin not initialized'
                )
            net.ip = self._addresses.take()
            self.network.join(net)
        sandbox = SimulatedSandbox(sandbox_id, config, net, self.clock)
        net.catch_up = sandbox.catch_up
        self._sandboxes[sandbox_id] = sandbox
        self._pods.setdefault(config.uid, []).append(sandbox)
        return sandbox_id

    @locked
    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what runs in it, give its address back."""
        now = self._now()
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or sandbox.state is SandboxState.NOTREADY:
            return
        sandbox.stop(now)
        if sandbox.net.ip:
            self.network.leave(sandbox.net)
            if self._addresses is not None:
                self._addresses.give_back(sandbox.net.ip)

    @locked
    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Remove it and its containers."""
        self.stop_pod_sandbox(sandbox_id)
        sandbox = self._sandboxes.pop(sandbox_id, None)
        if sandbox is None:
            return
        for container in list(sandbox.containers):
            self.remove_container(container.id)
        siblings = self._pods[sandbox.config.uid]
        siblings.remove(sandbox)
        if not siblings:
            del self._pods[sandbox.config.uid]

    @locked
    def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """Oldest first."""
        found = self._pods.get(pod_uid, ()) if pod_uid else self._sandboxes.values()
        return [sandbox.view() for sandbox in found]

    # Containers.

    @locked
    def create_container(self, sandbox_id: str, config: ContainerConfig, sandbox_config: SandboxConfig) -> str:
        """Make a container of an image that the node holds."""
        now = self._now()
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or sandbox.state is SandboxState.NOTREADY:
            raise CriError("NotFound", f'failed to find sandbox id "{sandbox_id}": not found')
        remote = self._images.held(config.image)
        if remote is None:
            raise CriError(
                "NotFound", f'failed to create container: get image from containerd "{config.image}": not found'
            )
        pod = sandbox.config
        container_id = self._make_id(
            "container", pod.namespace, pod.name, pod.uid, config.name, config.attempt, sandbox_id
        )
        if container_id in self._containers:
            name = f"{config.name}_{pod.name}_{pod.namespace}_{pod.uid}_{config.attempt}"
            raise CriError(
                "AlreadyExists", f'failed to reserve container name "{name}": name is reserved for "{container_id}"'
            )
        container = SimulatedContainer(container_id, sandbox, config, remote, now, self)
        self._containers[container_id] = container
        sandbox.containers.append(container)
        return container_id

    @locked
    def start_container(self, container_id: str) -> None:
        """Start its program; one that its image does not hold can't run."""
        now = self._now()
        container = self._get(container_id)
        if container.view().state is not ContainerState.CREATED:
            raise CriError("Unknown", f'failed to start container "{container_id}": container is not in created state')
        container.start(now)

    @locked
    def stop_container(self, container_id: str, timeout: float) -> float:
        """SIGTERM, SIGKILL after `timeout`: the seconds until then, or until the program leaves by itself."""
        now = self._now()
        container = self._containers.get(container_id)
        if container is None:
            return 0.0
        return container.stop(now, timeout)

    @locked
    def remove_container(self, container_id: str) -> None:
        """Remove it, killing it first if need be."""
        container = self._containers.pop(container_id, None)
        if container is not None:
            container.kill(self._now())
            container.sandbox.containers.remove(container)

    @locked
    def list_containers(self, pod_uid: str = "") -> list[Container]:
        """Oldest first."""
        self._now()
        if pod_uid:
            return [container.view() for sandbox in self._pods.get(pod_uid, ()) for container in sandbox.containers]
        return [container.view() for container in self._containers.values()]

    @locked
    def container_status(self, container_id: str) -> Container:
        """One container."""
        self._now()
        return self._get(container_id).view()

    @locked
    def container_stats(self, container_id: str) -> ContainerStats:
        """What it uses: idle programs use little, and every one the same."""
        container = self._get(container_id)
        container.catch_up(self._now())
        process = container.process
        if process is None or process.exit_code is not None:
            return ContainerStats(0, 0)
        return ContainerStats(int((process.now - process.started) * 1_000_000), process.memory())

    @locked
    def crash(self, container_id: str, exit_code: int = SIGKILL_CODE) -> None:
        """A fault: its program ends now. For lessons."""
        now = self._now()
        container = self._get(container_id)
        if container.process is not None:
            container.process.end_at(now, exit_code)
            container.catch_up(now)

    def _get(self, container_id: str) -> SimulatedContainer:
        container = self._containers.get(container_id)
        if container is None:
            message = f'an error occurred when try to find container "{container_id}": not found'
            raise CriError("NotFound", message)
        return container

    def _make_id(self, *key: object) -> str:
        """64 hexadecimal digits, as Docker's; the same for the same node, Pod, name and attempt."""
        text = f"{self.chance.seed}/container-id/{self.node_name}/{key}"
        return hashlib.sha256(text.encode()).hexdigest()

    # Streams.

    @locked
    def logs(self, container_id: str, options: LogOptions, wake: Callable[[], None]) -> Stream:
        """The container's output so far, and with `follow` what comes."""
        now = self._now()
        container = self._get(container_id)
        container.catch_up(now)
        return LogStream(container, options, self.clock, wake, self.network.lock)

    @locked
    def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Run a command to its end at once. One that needs time is too slow if it needs more than `timeout`."""
        now = self._now()
        container = self._running(container_id)
        program = container.machine.find_program(command[0])
        if program is None:
            raise CriError("Unknown", _cannot_exec(container_id, command[0]))
        process = container.spawn(command, now)
        output: dict[int, list[bytes]] = {1: [], 2: []}
        container.begin(process, program, lambda channel, data: output[channel].append(data))
        # Nobody can wait inside a call, so the command's own time runs ahead of the clock, up to the deadline.
        process.advance(now + (timeout or PATIENCE))
        if process.exit_code is None:
            process.kill(process.now)
            message = f"failed to exec in container: timeout {timeout:g}s exceeded: context deadline exceeded"
            raise CriError("DeadlineExceeded", message)
        return ExecResult(b"".join(output[1]), b"".join(output[2]), process.exit_code)

    @locked
    def exec(
        self, container_id: str, command: tuple[str, ...], *, stdin: bool, tty: bool, wake: Callable[[], None]
    ) -> Stream:
        """Run a command with its streams."""
        now = self._now()
        container = self._running(container_id)
        program = container.machine.find_program(command[0])
        if program is None:
            failed = BufferStream(wake)
            failed.buffer.finish(error_status(_cannot_exec(container_id, command[0])))
            return failed
        process = container.spawn(command, now)
        stream = ExecStream(container, process, self.clock, wake, self.network.lock, stdin=stdin, tty=tty)
        container.begin(process, program, stream.write, tty=tty)
        container.notice()
        return stream

    @locked
    def attach(self, container_id: str, *, stdin: bool, tty: bool, wake: Callable[[], None]) -> Stream:
        """Sit down at the container's own process."""
        self._now()
        container = self._running(container_id)
        assert container.process is not None
        return AttachStream(container, container.process, self.clock, wake, self.network.lock, stdin=stdin)

    @locked
    def port_forward(self, sandbox_id: str, port: int, wake: Callable[[], None]) -> Stream:
        """A connection to whoever listens in the Pod, who speaks HTTP."""
        self._now()
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            raise CriError("NotFound", f"no such sandbox: {sandbox_id}")
        return SimulatedConnection(sandbox.net, port, self.network.lock, wake)

    def _running(self, container_id: str) -> SimulatedContainer:
        container = self._get(container_id)
        state = container.view().state
        if state is not ContainerState.RUNNING:
            raise CriError("Unknown", f"failed to exec in container: container is in {state} state")
        return container

    # Images.

    @locked
    def list_images(self) -> list[Image]:
        """All images whose pull has finished."""
        return self._images.list()

    @locked
    def image_status(self, image: str) -> Image | None:
        """The image that a reference names, if the node holds it."""
        return self._images.status(image)

    @locked
    def pull_image(self, image: str) -> PullResult:
        """Begin a pull: the image is there `seconds` later."""
        return self._images.pull(image)

    @locked
    def remove_image(self, image: str) -> None:
        """Remove it."""
        self._images.remove(image)

    @locked
    def image_fs_info(self) -> FilesystemUsage:
        """How full the disk is."""
        return self._images.usage()

    @locked
    def resize_disk(self, size: int) -> None:
        """From now on the images' disk has so many bytes."""
        self._images.capacity = size


def _cannot_exec(container_id: str, name: str) -> str:
    return (
        f'failed to exec in container: failed to start exec "{container_id}": OCI runtime exec failed: exec failed: '
        f'unable to start container process: exec: "{name}": executable file not found in $PATH: unknown'
    )
