"""The Container Runtime Interface: the verbs a kubelet uses on whatever runs its containers.

One runtime serves one node. Two implement it, and one conformance suite judges both: `simulated.py`, where containers are
small Python programs on the cluster's clock, and `docker.py`, where they are real.

Differences from upstream, on purpose: calls are Python calls instead of gRPC; logs are read through the runtime (`logs`)
rather than from files; a call that takes *simulated* time says so in its answer (`seconds`), because on a virtual clock
nobody can wait inside a call. A real runtime blocks, and answers 0.

Models: k8s.io/cri-api/pkg/apis/runtime/v1/api.proto (RuntimeService, ImageService).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from k8slab.apimachinery.rest import Stream


class SandboxState(StrEnum):
    """Whether a pod's sandbox can hold containers."""

    READY = "SANDBOX_READY"
    NOTREADY = "SANDBOX_NOTREADY"


class ContainerState(StrEnum):
    """A container's life."""

    CREATED = "CONTAINER_CREATED"
    RUNNING = "CONTAINER_RUNNING"
    EXITED = "CONTAINER_EXITED"
    UNKNOWN = "CONTAINER_UNKNOWN"


class CriError(Exception):
    """A call failed. `str()` reads as a gRPC error does: `rpc error: code = NotFound desc = ...`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {message}")
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """What a pod's sandbox is made from."""

    name: str
    namespace: str
    uid: str
    attempt: int = 0
    hostname: str = ""
    dns_servers: tuple[str, ...] = ()
    dns_searches: tuple[str, ...] = ()
    host_network: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory of the node, seen inside the container."""

    container_path: str
    host_path: str
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Resources:
    """A container's share and limits; 0 means none."""

    cpu_millis: int = 0
    """CPU limit in thousandths of a core."""
    cpu_request_millis: int = 0
    memory_bytes: int = 0
    """Memory limit in bytes."""


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """What a container is made from."""

    name: str
    image: str
    """As the pod names it."""
    attempt: int = 0
    command: tuple[str, ...] = ()
    """Replaces the image's entrypoint, unless empty."""
    args: tuple[str, ...] = ()
    """Replaces the image's default arguments, unless both this and `command` are empty."""
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    resources: Resources = Resources()
    stdin: bool = False
    stdin_once: bool = False
    """Whether the first who attaches and leaves takes the standard input along."""
    tty: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox as the runtime sees it. The runtime is the truth: a kubelet that restarts learns its pods from here."""

    id: str
    name: str
    namespace: str
    uid: str
    attempt: int
    state: SandboxState
    created_at: float
    """Seconds since the epoch, on the cluster's clock (simulated) or the machine's (real)."""
    ip: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the runtime sees it."""

    id: str
    sandbox_id: str
    name: str
    attempt: int
    image: str
    """As the pod names it."""
    image_ref: str
    """What it resolved to: a digest or an image id."""
    state: ContainerState
    created_at: float
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    reason: str = ""
    """OOMKilled, Completed, Error, ContainerCannotRun; empty while it runs."""
    message: str = ""
    """The termination message (from /dev/termination-log), or why it could not run."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the node holds."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...] = ()
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, slots=True)
class FilesystemUsage:
    """How full the disk is that images are kept on."""

    capacity: int
    available: int
    """Bytes, both."""


@dataclass(frozen=True, slots=True)
class Version:
    """The runtime's name and version: `docker://20.10.24` in a node's status is `{name}://{version}`."""

    name: str
    version: str
    api_version: str = "v1"


@dataclass(frozen=True, slots=True)
class PullResult:
    """A finished pull."""

    image_ref: str
    size: int
    """Bytes."""
    seconds: float = 0.0
    """Simulated seconds that the pull takes, after which the image is there; 0 if it is there now."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command left behind."""

    stdout: bytes
    stderr: bytes
    exit_code: int


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log is wanted. Models: k8s.io/api/core/v1 PodLogOptions."""

    follow: bool = False
    tail: int | None = None
    since: float = 0.0
    """Seconds since the epoch; 0: from the start."""
    timestamps: bool = False
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """What a container uses now."""

    cpu_nanos: int
    """CPU time used so far."""
    memory_bytes: int
    """Working set."""


class RuntimeService(Protocol):
    """Sandboxes and containers of one node. Every method may raise CriError."""

    def version(self) -> Version:
        """The runtime's name and version."""
        ...

    def status(self) -> Mapping[str, str]:
        """What is wrong, by condition (`RuntimeReady`, `NetworkReady`) with a message; empty when all is well."""
        ...

    def update_runtime_config(self, pod_cidr: str) -> None:
        """Pod addresses come from this range from now on. Until then `status` says the network is not ready."""
        ...

    def run_pod_sandbox(self, config: SandboxConfig) -> str:
        """Make and start a sandbox; its id. Making the same (uid, attempt) again is an AlreadyExists error."""
        ...

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what still runs in it, give its address back. Stopping a stopped or unknown sandbox is fine."""
        ...

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Remove it and its containers. Removing an unknown one is fine."""
        ...

    def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """All of this node's sandboxes, or those of one Pod, oldest first."""
        ...

    def create_container(self, sandbox_id: str, config: ContainerConfig, sandbox_config: SandboxConfig) -> str:
        """Make a container, not started; its id. NotFound if the image is not on the node."""
        ...

    def start_container(self, container_id: str) -> None:
        """Start it. One that cannot run (no such command) ends EXITED, reason ContainerCannotRun, and raises."""
        ...

    def stop_container(self, container_id: str, timeout: float) -> float:
        """SIGTERM, then SIGKILL after `timeout` seconds. Returns the simulated seconds until it is EXITED; 0: it is."""
        ...

    def remove_container(self, container_id: str) -> None:
        """Remove it, killing it first if need be. Removing an unknown one is fine."""
        ...

    def list_containers(self, pod_uid: str = "") -> list[Container]:
        """All of this node's containers, or those of one Pod, oldest first."""
        ...

    def container_status(self, container_id: str) -> Container:
        """One container. NotFound if there is none."""
        ...

    def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Run a command in the container and wait for it. DeadlineExceeded after `timeout` seconds (0: no limit)."""
        ...

    def exec(
        self, container_id: str, command: tuple[str, ...], *, stdin: bool, tty: bool, wake: Callable[[], None]
    ) -> Stream:
        """Run a command with its streams. The stream's last item is a Status on channel 3, with the exit code."""
        ...

    def attach(self, container_id: str, *, stdin: bool, tty: bool, wake: Callable[[], None]) -> Stream:
        """Sit down at a running container's own process: its output from now on, and its input if it has any.

        When it ends the stream's last item is a Status on channel 3: Success, whatever the exit code was.
        """
        ...

    def port_forward(self, sandbox_id: str, port: int, wake: Callable[[], None]) -> Stream:
        """A connection to a port of the Pod: bytes to send on channel 0, what comes back on channel 1.

        Where nobody listens, what is wrong comes as text on channel 3, and the stream ends.
        """
        ...

    def logs(self, container_id: str, options: LogOptions, wake: Callable[[], None]) -> Stream:
        """The container's output, on channels 1 and 2. With `follow` it stays open until the container ends."""
        ...

    def container_stats(self, container_id: str) -> ContainerStats:
        """What the container uses now."""
        ...

    def next_change(self) -> float | None:
        """When a container may next change with no call being made; infinity: never. None: can't be known, so look."""
        ...

    def close(self) -> None:
        """Release connections. Containers stay. Safe to call twice."""
        ...


class ImageService(Protocol):
    """Images of one node. Every method may raise CriError."""

    def list_images(self) -> list[Image]:
        """All images on the node."""
        ...

    def image_status(self, image: str) -> Image | None:
        """The image that a reference names; None if the node does not hold it."""
        ...

    def pull_image(self, image: str) -> PullResult:
        """Fetch an image. NotFound, Unavailable, ... with the registry's message where it can't be had."""
        ...

    def remove_image(self, image: str) -> None:
        """Remove it. Removing an unknown one is fine."""
        ...

    def image_fs_info(self) -> FilesystemUsage | None:
        """How full the images' disk is; None where that disk is not the cluster's, so that it must not tidy it."""
        ...


class Runtime(RuntimeService, ImageService, Protocol):
    """Both services, as every runtime offers them."""
