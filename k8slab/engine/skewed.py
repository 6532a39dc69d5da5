"""A component whose clock is wrong, between a loop and a machine whose clocks are right.

The component is made with a `SkewedClock`, and names its deadlines as that clock shows them; the loop goes by its own. A
kubelet asks its runtime when the next container may end: that moment, too, is told as its own clock will show it.

k8slab's own.
"""

from __future__ import annotations

from typing import Any, cast

from k8slab.cri.api import Runtime
from k8slab.loop.component import Component


class Skewed:
    """Goes around a component whose clock is `ahead` seconds ahead (negative: behind)."""

    def __init__(self, component: Component, ahead: float) -> None:
        self.name = component.name
        self._component, self._ahead = component, ahead

    def step(self) -> bool:
        """One unit of work."""
        return self._component.step()

    def next_deadline(self) -> float:
        """When it wants a turn, on the loop's clock."""
        return self._component.next_deadline() - self._ahead

    def next_work(self) -> float:
        """The same, counting only work in progress."""
        return self._component.next_work() - self._ahead

    def close(self) -> None:
        """Stop it."""
        self._component.close()


def skewed_runtime(runtime: Runtime, ahead: float) -> Runtime:
    """The runtime, as a kubelet with a wrong clock sees it."""
    seen: Any = _SkewedRuntime(runtime, ahead)
    return cast(Runtime, seen)


class _SkewedRuntime:
    """Goes around a runtime, for a kubelet whose clock is ahead."""

    def __init__(self, runtime: Runtime, ahead: float) -> None:
        self._runtime, self._ahead = runtime, ahead

    def next_change(self) -> float | None:
        """When the next container may end by itself, as the kubelet's clock will show it."""
        when = self._runtime.next_change()
        return None if when is None else when + self._ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)
