"""A container runtime, and the jobs of a kubelet, with somebody who watches them.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from k8slab.cri.api import Runtime
from k8slab.engine.instrument import Around
from k8slab.kubelet.jobs import Jobs, Outcome

OnCall = Callable[[str, str, str], None]
"""Called with (verb as the CRI has it, what, more)."""

VERBS = {
    "run_pod_sandbox": "RunPodSandbox",
    "stop_pod_sandbox": "StopPodSandbox",
    "remove_pod_sandbox": "RemovePodSandbox",
    "create_container": "CreateContainer",
    "start_container": "StartContainer",
    "stop_container": "StopContainer",
    "remove_container": "RemoveContainer",
    "pull_image": "PullImage",
    "remove_image": "RemoveImage",
}
"""The calls that change something, by the method's name. Those that only look are made all the time, and are not told."""


class _TracedRuntime(Around):
    def __init__(self, inner: Runtime, on_call: OnCall) -> None:
        self.inside, self._on_call = inner, on_call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inside, name)
        verb = VERBS.get(name)
        if verb is not None:
            method = self._told(verb, method)
        # Looked up once: the next call finds it as an attribute.
        self.__dict__[name] = method
        return method

    def _told(self, verb: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            try:
                result = method(*arguments, **options)
            except Exception as error:
                self._on_call(verb, _what(arguments), f"failed: {error}")
                raise
            self._on_call(verb, _what(arguments), "")
            return result

        return call


def traced_runtime(inner: Runtime, on_call: OnCall) -> Runtime:
    """The runtime, with `on_call` told of each call that changes something."""
    around: Any = _TracedRuntime(inner, on_call)
    return cast(Runtime, around)


def _what(arguments: tuple[Any, ...]) -> str:
    """What a call is about: an image, a container's or a Pod's name, or the beginning of an id."""
    for argument in reversed(arguments):
        name = getattr(argument, "name", "")
        if name:
            return str(name)
    text = str(arguments[0]) if arguments else ""
    return text[:12] if len(text) == 64 else text


class TracedJobs(Around):
    """Jobs whose calls are `carried`: made as if by whoever handed them over, though another thread may make them."""

    inside: Jobs

    def __init__(self, inner: Jobs, carried: Callable[[Callable[[], Any]], Callable[[], Any]]) -> None:
        self.inside, self._carried = inner, carried

    def start(self, key: str, call: Callable[[], tuple[Any, float]]) -> None:
        """Begin."""
        self.inside.start(key, self._carried(call))

    def running(self, key: str) -> bool:
        """Whether a job of this key is under way."""
        return self.inside.running(key)

    def finished(self) -> list[Outcome]:
        """What has come to an end since the last look."""
        return self.inside.finished()

    def next_ready(self) -> float:
        """When the next one ends."""
        return self.inside.next_ready()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self.inside.busy

    def close(self) -> None:
        """Take no more work."""
        self.inside.close()
