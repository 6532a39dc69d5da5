"""Images: there already, to be pulled, or not to be had.

Pulls of a node go one after the other. One that fails backs off: 10 s, 20 s ... 300 s, for each Pod and image.

Models: pkg/kubelet/images/image_manager.go, puller.go (serialImagePuller).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from k8slab.api.core import Container, Pod
from k8slab.client.backoff import Backoff
from k8slab.client.recorder import EventRecorder
from k8slab.clock import Clock
from k8slab.cri.api import CriError, PullResult, Runtime
from k8slab.kubelet.jobs import Jobs, Outcome

PULL = "pull"
LOOK_AGAIN = 5.0
"""After a failed pull the Pod is looked at again so soon, and found to be in back-off."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a container's image is there."""

    ready: bool = False
    reason: str = ""
    """Why the container waits, if it waits for more than the pull itself."""
    message: str = ""
    again: float = 0.0
    """When to look again, on the clock; 0: when something happens."""


@dataclass(slots=True)
class _Pull:
    pod: Pod
    container: Container
    asked: float
    began: float = 0.0


class ImageManager:
    """The images of one node."""

    def __init__(
        self, runtime: Runtime, jobs: Jobs, clock: Clock, recorder: EventRecorder, done: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._runtime, self._jobs, self._clock, self._recorder = runtime, jobs, clock, recorder
        self._tell = done
        self._backoff = Backoff()
        self._failed_at: dict[str, tuple[float, str, str]] = {}
        self._pulled: set[str] = set()
        """Keys of Pods and containers whose image was pulled for the start that comes next."""
        self._queue: deque[_Pull] = deque()
        self._current: _Pull | None = None
        self._wanted: set[str] = set()
        """Keys of those whose pull is under way or waits."""

    @property
    def busy(self) -> bool:
        """Whether a pull is under way or waits for its turn."""
        return self._current is not None or bool(self._queue)

    @property
    def pulling(self) -> str:
        """The UID of the Pod for which an image is being pulled; empty if none is."""
        return self._current.pod.uid if self._current else ""

    def ensure(self, pod: Pod, container: Container) -> Verdict:
        """Whether the image is there; if it has to be pulled, that begins. The kubelet looks again when it is done."""
        key = f"{pod.uid}/{container.name}"
        if key in self._pulled:
            self._pulled.discard(key)
            return Verdict(ready=True)
        if key in self._wanted:
            return Verdict()
        image, policy = container.image, container.image_pull_policy
        try:
            present = self._runtime.image_status(image) is not None
        except CriError as error:
            return self._invalid(pod, container, error)
        if present and policy != "Always":
            message = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._say(pod, container, "Normal", "Pulled", message)
            return Verdict(ready=True)
        if policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            self._say(pod, container, "Warning", "ErrImageNeverPull", message)
            self._say(pod, container, "Warning", "Failed", "Error: ErrImageNeverPull")
            return Verdict(reason="ErrImageNeverPull", message=message)
        return self._in_backoff(pod, container) or self._pull(pod, container)

    def finish(self, outcome: Outcome) -> None:
        """A pull has come to an end."""
        pull, self._current = self._current, None
        if pull is None:
            return
        now = self._clock.now()
        key = f"{pull.pod.uid}/{pull.container.name}"
        self._wanted.discard(key)
        backoff_key = f"{pull.pod.uid}_{pull.container.image}"
        image = pull.container.image
        if outcome.error is None:
            result: PullResult = outcome.result
            took, waited = _duration(now - pull.began), _duration(now - pull.asked)
            times = f"in {took} ({waited} including waiting)"
            message = f'Successfully pulled image "{image}" {times}. Image size: {result.size} bytes.'
            self._say(pull.pod, pull.container, "Normal", "Pulled", message)
            self._pulled.add(key)
            self._failed_at.pop(backoff_key, None)
        else:
            self._backoff.failed(backoff_key, now)
            why = str(outcome.error)
            self._failed_at[backoff_key] = (now, why, "ErrImagePull")
            self._say(pull.pod, pull.container, "Warning", "Failed", f'Failed to pull image "{image}": {why}')
            self._say(pull.pod, pull.container, "Warning", "Failed", "Error: ErrImagePull")
        self._tell(pull.pod.uid)
        self._next()

    def forget(self, uid: str) -> None:
        """A Pod has gone."""
        self._backoff.forget(f"{uid}_")
        for table in (self._failed_at,):
            for key in [key for key in table if key.startswith(f"{uid}_")]:
                del table[key]
        self._pulled = {key for key in self._pulled if not key.startswith(f"{uid}/")}
        self._queue = deque(pull for pull in self._queue if pull.pod.uid != uid)
        self._wanted = {key for key in self._wanted if not key.startswith(f"{uid}/")}

    def _in_backoff(self, pod: Pod, container: Container) -> Verdict | None:
        key = f"{pod.uid}_{container.image}"
        if key not in self._failed_at:
            return None
        now = self._clock.now()
        since, why, state = self._failed_at[key]
        ends = self._backoff.ends(key, since)
        if now >= ends:
            return None
        if state == "ErrImagePull" and now < since + LOOK_AGAIN:
            return Verdict(reason="ErrImagePull", message=why, again=min(since + LOOK_AGAIN, ends))
        if state == "ErrImagePull":
            self._failed_at[key] = (since, why, "ImagePullBackOff")
            self._say(pod, container, "Normal", "BackOff", f'Back-off pulling image "{container.image}"')
            self._say(pod, container, "Warning", "Failed", "Error: ImagePullBackOff")
        message = f'Back-off pulling image "{container.image}": ErrImagePull: {why}'
        return Verdict(reason="ImagePullBackOff", message=message, again=ends)

    def _pull(self, pod: Pod, container: Container) -> Verdict:
        before = self._failed_at.get(f"{pod.uid}_{container.image}")
        self._say(pod, container, "Normal", "Pulling", f'Pulling image "{container.image}"')
        self._queue.append(_Pull(pod, container, self._clock.now()))
        self._wanted.add(f"{pod.uid}/{container.name}")
        self._next()
        # While it tries again it still says why it failed before.
        if before is not None:
            message = f'Back-off pulling image "{container.image}": ErrImagePull: {before[1]}'
            return Verdict(reason="ImagePullBackOff", message=message)
        return Verdict()

    def _next(self) -> None:
        if self._current is not None or not self._queue:
            return
        pull = self._current = self._queue.popleft()
        pull.began = self._clock.now()

        def call() -> tuple[PullResult, float]:
            result = self._runtime.pull_image(pull.container.image)
            return result, result.seconds

        self._jobs.start(PULL, call)

    def _invalid(self, pod: Pod, container: Container, error: CriError) -> Verdict:
        message = f'Failed to apply default image tag "{container.image}": {error.message}'
        self._say(pod, container, "Warning", "InspectFailed", message)
        self._say(pod, container, "Warning", "Failed", "Error: InvalidImageName")
        return Verdict(reason="InvalidImageName", message=message)

    def _say(self, pod: Pod, container: Container, type_: str, reason: str, message: str) -> None:
        self._recorder.event(pod, type_, reason, message, field_path(pod, container.name))


def field_path(pod: Pod, name: str) -> str:
    """Where in the Pod a container stands: events are about that."""
    spec = pod.spec
    lists = (("initContainers", spec.init_containers), ("ephemeralContainers", spec.ephemeral_containers))
    part = next((part for part, them in lists if any(each.name == name for each in them)), "containers")
    return f"spec.{part}{{{name}}}"


def _duration(seconds: float) -> str:
    """As Go prints a duration, to the millisecond: `1.5s`, `850ms`, `1m2.5s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(minutes)}m{text}" if minutes else text
