"""Faults as somebody outside holds them: to be switched on and off.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from k8slab.engine.faults import FAULTS, fault_id
from k8slab.engine.inputs import Fault


class FaultSwitch:
    """One fault of one cluster. As a context manager it is on inside. `take` hands a fault to the cluster's engine."""

    def __init__(self, take: Callable[[Fault], None], name: str, arguments: Mapping[str, Any]) -> None:
        self.name, self.arguments = name, dict(arguments)
        self.active = False
        self._take = take

    @property
    def id(self) -> str:
        """What it is called while it is active."""
        return fault_id(self.name, self.arguments)

    def start(self) -> Self:
        """Let it begin; one that happens once has happened then. Raises ValueError if it cannot."""
        self._take(Fault(self.name, self.arguments))
        self.active = FAULTS[self.name].end is not None
        return self

    def stop(self) -> None:
        """Let it end. To end what has not begun, or has ended, is fine."""
        if FAULTS[self.name].end is not None:
            self._take(Fault(self.name, self.arguments, ends=True))
        self.active = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        with suppress(RuntimeError):  # the cluster may have been closed inside
            self.stop()

    def __repr__(self) -> str:
        told = "".join(f" {name}={value}" for name, value in self.arguments.items())
        return f"<fault {self.name}{told}: {'on' if self.active else 'off'}>"


class Registries:
    """The simulated image registries, as somebody outside reaches them."""

    def __init__(self, fault: Callable[..., FaultSwitch]) -> None:
        self._fault = fault

    def fail(self, where: str, message: str) -> None:
        """From now on a pull from `where` fails: a domain, a repository, or `repository:tag`."""
        self._fault("image-pull-failure", where=where, message=message).start()

    def heal(self, where: str) -> None:
        """Undo `fail`. Healing what does not fail is fine."""
        self._fault("image-pull-failure", where=where).stop()
