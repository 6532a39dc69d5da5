"""What the API server asks of a kubelet: logs, and commands in containers.

Models: pkg/kubelet/server/server.go, pkg/kubelet/kubelet_pods.go (GetKubeletContainerLogs, validateContainerLogStatus).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.apimachinery.errors import BadRequest, InternalError, NotFound
from k8slab.apimachinery.rest import Response, Stream
from k8slab.cri.api import Container, ContainerState, CriError, LogOptions, Runtime
from k8slab.kubelet.pod_state import PodState

Waiting = Callable[[str, str, str], "tuple[str, str] | None"]
"""(namespace, pod, container) -> why the container waits."""


class KubeletServer:
    """Implements apiserver/kubelet_connection.py's KubeletConnection."""

    def __init__(
        self,
        runtime: Runtime,
        find: Callable[[str, str], PodState | None],
        waiting: Waiting,
        wake: Callable[[], None],
        answer: Callable[[str], Response],
    ) -> None:
        self._runtime, self._find, self._waiting, self._wake, self.get = runtime, find, waiting, wake, answer

    def container_logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        follow: bool = False,
        tail: int | None = None,
        since: float = 0.0,
        timestamps: bool = False,
        limit_bytes: int | None = None,
        wake: Callable[[], None],
    ) -> Stream:
        """The log of one container. Raises BadRequest where there is none."""
        found = self._containers(namespace, pod, container)
        if previous:
            ended = [each for each in found if each.state is ContainerState.EXITED]
            if found and found[0].state is ContainerState.EXITED and len(ended) == 1:
                chosen = ended[0]
            else:
                ended = [each for each in found[1:] if each.state is ContainerState.EXITED]
                if not ended:
                    raise BadRequest(f'previous terminated container "{container}" in pod "{pod}" not found')
                chosen = ended[0]
        else:
            usable = [each for each in found if each.state is not ContainerState.CREATED]
            if not usable:
                raise BadRequest(self._why_not(namespace, pod, container))
            chosen = usable[0]
        options = LogOptions(follow, tail, since, timestamps, limit_bytes)
        return self._call(lambda: self._runtime.logs(chosen.id, options, wake))

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: tuple[str, ...],
        *,
        stdin: bool,
        tty: bool,
        wake: Callable[[], None],
    ) -> Stream:
        """Run a command in a running container. Raises NotFound where none runs."""
        found = [each for each in self._containers(namespace, pod, container) if each.state is ContainerState.RUNNING]
        if not found:
            raise NotFound(f'container not found ("{container}")')
        return self._call(lambda: self._runtime.exec(found[0].id, command, stdin=stdin, tty=tty, wake=wake))

    def attach(
        self, namespace: str, pod: str, container: str, *, stdin: bool, tty: bool, wake: Callable[[], None]
    ) -> Stream:
        """Sit down at a running container's own process. Raises NotFound where none runs."""
        found = [each for each in self._containers(namespace, pod, container) if each.state is ContainerState.RUNNING]
        if not found:
            raise NotFound(f'container not found ("{container}")')
        stream = self._call(lambda: self._runtime.attach(found[0].id, stdin=stdin, tty=tty, wake=wake))
        return Attached(stream, self._wake)

    def port_forward(self, namespace: str, pod: str, port: int, *, wake: Callable[[], None]) -> Stream:
        """A connection to a port of a Pod. Raises NotFound for one that has no sandbox."""
        state = self._find(namespace, pod)
        sandbox = state.ready_sandbox if state else None
        if sandbox is None:
            raise NotFound(f"failed to find sandbox for pod {pod}_{namespace}")
        return self._call(lambda: self._runtime.port_forward(sandbox.id, port, wake))

    def _call(self, make: Callable[[], Stream]) -> Stream:
        try:
            stream = make()
        except CriError as error:
            raise InternalError(f"Internal error occurred: {error}") from None
        self._wake()  # what the stream shows next may need the clock to move
        return stream

    def _containers(self, namespace: str, pod: str, container: str) -> list[Container]:
        state = self._find(namespace, pod)
        return state.containers.get(container, []) if state else []

    def _why_not(self, namespace: str, pod: str, container: str) -> str:
        reason = self._waiting(namespace, pod, container)
        why = reason[0] if reason else "ContainerCreating"
        if why in ("ErrImagePull", "ImagePullBackOff"):
            why = "trying and failing to pull image"
        return f'container "{container}" in pod "{pod}" is waiting to start: {why}'


class Attached:
    """Somebody at a container's own process: what they type may end it, so the kubelet looks soon."""

    def __init__(self, inner: Stream, look_soon: Callable[[], None]) -> None:
        self._inner, self._look_soon = inner, look_soon

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        return self._inner.poll()

    def send(self, channel: int, data: bytes) -> None:
        """Type, or resize the terminal."""
        self._inner.send(channel, data)
        self._look_soon()

    def close_stdin(self) -> None:
        """No more input will come."""
        self._inner.close_stdin()
        self._look_soon()

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return self._inner.closed

    def close(self) -> None:
        """Leave; the process goes on, unless its input ends with this."""
        self._inner.close()
        self._look_soon()
