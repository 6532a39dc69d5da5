"""What the API server asks of a kubelet: logs, and commands in containers.

Models: pkg/kubelet/server/server.go, pkg/kubelet/kubelet_pods.go (GetKubeletContainerLogs, validateContainerLogStatus).
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.apimachinery.errors import BadRequest, InternalError, NotFound
from k8slab.apimachinery.rest import Stream
from k8slab.cri.api import Container, ContainerState, CriError, LogOptions, Runtime
from k8slab.kubelet.pod_state import PodState

Waiting = Callable[[str, str, str], "tuple[str, str] | None"]
"""(namespace, pod, container) -> why the container waits."""


class KubeletServer:
    """Implements apiserver/kubelet_connection.py's KubeletConnection."""

    def __init__(
        self, runtime: Runtime, find: Callable[[str, str], PodState | None], waiting: Waiting, wake: Callable[[], None]
    ) -> None:  # fmt: skip
        self._runtime, self._find, self._waiting, self._wake = runtime, find, waiting, wake

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
