"""The Docker runtime: a node whose containers are real.

A Pod's sandbox is a pause container that holds the network and IPC namespaces; the Pod's containers join them. Docker knows
nothing of Pods, so names and labels carry what the kubelet must find again (`docker_objects.py`): after a crash of everything
but Docker, a new runtime lists the same Pods.

Calls block until Docker has answered, so they belong into threads that may wait. Nothing is pushed: `next_change` says that
nobody can know, and the kubelet looks, as its PLEG does on a real node.

Models: cri-dockerd core/sandbox_run.go, core/container_create.go, core/container_status.go, core/exec.go.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from k8slab.apimachinery.rest import STDERR, STDOUT, Stream
from k8slab.clock import Stopwatch
from k8slab.cri.api import CriError, ExecResult, Image, LogOptions, PullResult, Version
from k8slab.cri.docker_cleanup import clean_up, clean_up_orphans, new_run
from k8slab.cri.docker_containers import DockerContainers
from k8slab.cri.docker_engine import Engine, translated, why_unavailable
from k8slab.cri.docker_images import DockerImages
from k8slab.cri.docker_network import ensure_network
from k8slab.cri.docker_node import DockerCluster
from k8slab.cri.docker_sandboxes import DockerSandboxes
from k8slab.cri.docker_streams import DockerAttach, DockerConnection, DockerExec, DockerLog
from k8slab.cri.mirrors import parse_mirrors
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.streams import exit_code_of

LEFT_OUT = (
    "Pods of all nodes are in one bridge network: there is no CNI plugin.",
    "The images are those of the whole machine: no node removes one by itself.",
)

__all__ = ["DockerRuntime", "clean_up", "docker_runtimes"]


def docker_runtimes(
    cluster_name: str,
    node_names: Sequence[str],
    *,
    mirrors: str = "",
    registry: SimulatedRegistry | None = None,
    ephemeral: bool = True,
) -> dict[str, DockerRuntime]:
    """A runtime for each node, by name, over one connection.

    An ephemeral cluster lives with this process: what a crashed one left is removed first. One that is not keeps its
    containers, and finds them again when it is started again. `registry` adds the faults of a lesson to real registries.
    Raises ValueError for a malformed table of mirrors or name, CriError where Docker does not answer.
    """
    table, run = parse_mirrors(mirrors), new_run(cluster_name, ephemeral=ephemeral)
    if not node_names:
        return {}
    with translated():
        engine = Engine()
    try:
        with suppress(CriError):  # what can't be swept now is no reason not to start
            clean_up_orphans(engine)
        subnet = ensure_network(engine, run.network, run.labels)
    except CriError:
        engine.close()
        raise
    images = DockerImages(engine, run.id, run.labels, table, registry)
    shared = DockerCluster(engine, run, images, subnet, len(node_names))
    return {name: DockerRuntime(name, shared) for name in node_names}


class DockerRuntime(DockerSandboxes, DockerContainers):
    """The containers of one node on the local Docker Engine."""

    def __init__(self, node_name: str, shared: DockerCluster) -> None:
        super().__init__(node_name, shared)
        self._version: Version | None = None
        self._closed = False

    @staticmethod
    def available() -> str | None:
        """Why no Docker Engine can be used, in a sentence that helps; None if one can."""
        return why_unavailable()

    @property
    def run(self) -> str:
        """What `clean_up` calls everything that this cluster has in Docker."""
        return self.shared.run.id

    # The node.

    def version(self) -> Version:
        """The Engine's."""
        if self._version is None:
            with translated():
                self._version = Version("docker", str(self.engine.version()["Version"]))
        return self._version

    def status(self) -> Mapping[str, str]:
        """Whether Docker answers, and the node has its range of addresses."""
        try:
            with translated():
                self.engine.ping()
        except CriError as error:
            return {"RuntimeReady": f"docker: {error.message}"}
        if self.addresses is None:
            message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:"
            return {"NetworkReady": message + "docker: network plugin is not ready: the node has no podCIDR"}
        return {}

    def next_change(self) -> float | None:
        """Nobody can know: look."""
        return None

    def close(self) -> None:
        """Give the connection back."""
        if not self._closed:
            self._closed = True
            self.shared.leave()

    def clean_up(self) -> None:
        """Remove everything that the whole cluster has in Docker: on a connection of its own, so also after `close`."""
        clean_up(self.run)

    # Streams.

    def logs(self, container_id: str, options: LogOptions, wake: Callable[[], None]) -> Stream:
        """Docker's own log of it."""
        seen = self.inspect(container_id)
        if seen is None:
            raise CriError("NotFound", f"Error response from daemon: No such container: {container_id}")
        with translated():
            connection = self.engine.get_stream(
                f"/containers/{container_id}/logs",
                stdout=1,
                stderr=1,
                follow=int(options.follow),
                timestamps=int(options.timestamps),
                tail="all" if options.tail is None else options.tail,
                since=f"{options.since:.9f}",
            )
        stream = DockerLog(connection, wake, tty=seen["Config"]["Tty"], limit=options.limit_bytes)
        if options.follow:
            stream.start()
        else:
            stream.read_now()
        return stream

    def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Run a command and wait for it."""
        woken = threading.Event()
        stream = self.exec(container_id, command, stdin=False, tty=False, wake=woken.set)
        watch, output = Stopwatch(), {STDOUT: bytearray(), STDERR: bytearray()}
        status = b""
        while not stream.closed:
            if not woken.wait(timeout - watch.elapsed() if timeout else None):
                stream.close()
                message = f"command {' '.join(command)!r} timed out after {timeout:g}s: context deadline exceeded"
                raise CriError("DeadlineExceeded", message)
            woken.clear()
            for channel, data in stream.poll():
                if channel in output:
                    output[channel] += data
                else:
                    status = data
        return ExecResult(bytes(output[STDOUT]), bytes(output[STDERR]), exit_code_of(status))

    def exec(
        self, container_id: str, command: tuple[str, ...], *, stdin: bool, tty: bool, wake: Callable[[], None]
    ) -> Stream:
        """Run a command with its streams."""
        with translated():
            made = self.engine.exec_create(container_id, list(command), stdin=stdin, tty=tty)
            connection = self.engine.post_stream(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": tty})
        stream = DockerExec(self.engine, made["Id"], connection, wake, stdin=stdin, tty=tty)
        stream.start()
        return stream

    def attach(self, container_id: str, *, stdin: bool, tty: bool, wake: Callable[[], None]) -> Stream:
        """Sit down at the container's own process."""
        seen = self.inspect(container_id)
        if seen is None:
            raise CriError("NotFound", f"Error response from daemon: No such container: {container_id}")
        config = seen["Config"]
        stdin, once, tty = stdin and bool(config["OpenStdin"]), bool(config["StdinOnce"]), bool(config["Tty"])
        with translated():
            connection = self.engine.post_stream(
                f"/containers/{container_id}/attach?stream=1&stdout=1&stderr=1&stdin={int(stdin)}", None
            )
        stream = DockerAttach(self.engine, container_id, connection, wake, stdin=stdin, once=once, tty=tty)
        stream.start()
        return stream

    def port_forward(self, sandbox_id: str, port: int, wake: Callable[[], None]) -> Stream:
        """A connection to the Pod's address."""
        found = next((each for each in self.list_pod_sandboxes() if each.id == sandbox_id), None)
        if found is None or not found.ip:
            raise CriError("NotFound", f"no such sandbox: {sandbox_id}")
        stream = DockerConnection(found.ip, port, wake)
        stream.start()
        return stream

    # Images.

    def list_images(self) -> list[Image]:
        """The images that the cluster holds."""
        return self.images.list()

    def image_status(self, image: str) -> Image | None:
        """The image that a reference names."""
        return self.images.status(image)

    def pull_image(self, image: str) -> PullResult:
        """Fetch it, or build its stand-in."""
        return self.images.pull(image)

    def remove_image(self, image: str) -> None:
        """Give it up."""
        self.images.remove(image)

    def image_fs_info(self) -> None:
        """The disk is the learner's own, with images of theirs: a cluster does not tidy it."""
        return
