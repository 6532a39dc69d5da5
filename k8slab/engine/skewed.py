"""A component whose clock is wrong, between a loop and a machine whose clocks are right.

The component is made with a `SkewedClock`, and names its deadlines as that clock shows them; the loop goes by its own. A
kubelet's clock is its machine's, so its runtime goes by the same: when containers started and ended, and when the next may
end, is told as that clock shows it.

k8slab's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from k8slab.clock import SkewedClock
from k8slab.cri.api import Container, Runtime, Sandbox
from k8slab.loop.component import Component

View = TypeVar("View", Sandbox, Container)
TIMES = ("created_at", "started_at", "finished_at")


class Skewed:
    """Goes around a component whose clock is wrong."""

    def __init__(self, component: Component, clock: SkewedClock) -> None:
        self.name = component.name
        self.component, self._clock = component, clock

    def step(self) -> bool:
        """One unit of work."""
        return self.component.step()

    def next_deadline(self) -> float:
        """When it wants a turn, on the loop's clock."""
        return self._clock.moment(self.component.next_deadline())

    def next_work(self) -> float:
        """The same, counting only work in progress."""
        return self._clock.moment(self.component.next_work())

    def close(self) -> None:
        """Stop it."""
        self.component.close()


def skewed_runtime(runtime: Runtime, clock: SkewedClock) -> Runtime:
    """The runtime, as a kubelet with a wrong clock sees it."""
    seen: Any = _SkewedRuntime(runtime, clock)
    return cast(Runtime, seen)


class _SkewedRuntime:
    """Goes around a runtime, for a kubelet whose clock is wrong."""

    def __init__(self, runtime: Runtime, clock: SkewedClock) -> None:
        self._runtime, self._clock = runtime, clock

    def next_change(self) -> float | None:
        """When the next container may end by itself, as the kubelet's clock will show it."""
        when = self._runtime.next_change()
        return None if when is None else self._clock.deadline(when)

    def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """The sandboxes."""
        return [self._shown(each) for each in self._runtime.list_pod_sandboxes(pod_uid)]

    def list_containers(self, pod_uid: str = "") -> list[Container]:
        """The containers."""
        return [self._shown(each) for each in self._runtime.list_containers(pod_uid)]

    def container_status(self, container_id: str) -> Container:
        """One container."""
        return self._shown(self._runtime.container_status(container_id))

    def _shown(self, view: View) -> View:
        """With the wrong clock's times; 0 is no time."""
        times: dict[str, Any] = {name: self._clock.shown(when) for name in TIMES if (when := getattr(view, name, 0.0))}
        return replace(view, **times)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)
