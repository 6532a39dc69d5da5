"""What the controls of a cluster drive: `Controllable`, by a cluster.

Every method is one of the cluster's own. Faults are those of the table in `engine/faults/`: one row to begin each with, and
one row for each that is active. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8slab.engine.engine import Engine
from k8slab.engine.faults import FAULTS, Argument, FaultKind
from k8slab.engine.inputs import Fault
from k8slab.lab.widgets.sources import FaultArgument, FaultRow
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.lab.cluster import Cluster


class ClusterHands:
    """The controls of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.selection = cluster.selection

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after every change; what comes back ends that."""
        return self._cluster.changes.subscribe(callback)

    @property
    def steps(self) -> int:
        """The step at which it is."""
        return self._cluster.steps

    @property
    def first_step(self) -> int:
        """The step at which it began."""
        return self._cluster.first_step

    @property
    def last_step(self) -> int:
        """The last step that is known."""
        return self._cluster.last_step

    @property
    def now(self) -> float:
        """The time, in seconds since the Unix epoch."""
        return self._cluster.now

    @property
    def revision(self) -> int:
        """The revision of the store."""
        return self._cluster.store.revision

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        return self._cluster.playing

    def step(self) -> object:
        """One step: forward again in what is known, else into what has not happened yet."""
        return self._cluster.forward() if self.steps < self.last_step else self._cluster.step()

    def back(self, n: int = 1) -> object:
        """Go back `n` steps."""
        return self._cluster.back(n)

    def forward(self, n: int = 1) -> object:
        """Go forward again."""
        return self._cluster.forward(n)

    def goto(self, step: int) -> object:
        """Go to a step of what is known."""
        return self._cluster.goto(step)

    def run_for(self, duration: str) -> object:
        """Let a time pass."""
        return self._cluster.run_for(duration)

    def play(self, speed: float) -> object:
        """Move by itself."""
        self._cluster.play(speed)
        return None

    def pause(self) -> object:
        """Stop moving by itself."""
        self._cluster.pause()
        self._cluster.changes.tell()
        return None

    def faults(self) -> list[FaultRow]:
        """What can go wrong, and what is wrong now."""
        engine = self._cluster.engine
        active: list[FaultRow] = [_active(id, fault) for id, fault in engine.faults.items()]
        return [*active, *(_offered(kind, engine) for kind in FAULTS.values())]

    def fault_on(self, name: str, args: Mapping[str, Any]) -> str:
        """Begin a fault, or let one happen; its id. Raises ValueError for what there is not."""
        given = {key: value for key, value in args.items() if value not in ("", None)}
        return self._cluster.fault(name, **given).start().id

    def fault_off(self, fault: str) -> object:
        """End a fault. Raises ValueError for one that is not active."""
        active = self._cluster.engine.faults.get(fault)
        if active is None:
            there_are = ", ".join(self._cluster.engine.faults) or "none"
            raise Mistake(f"the fault {fault!r} is not active; active: {there_are}")
        self._cluster.fault(active.name, **active.arguments).stop()
        return None


def _active(id: str, fault: Fault) -> FaultRow:
    told = ", ".join(f"{name} {value}" for name, value in fault.arguments.items())
    return {"name": id, "label": f"{fault.name}: {told}", "arguments": [], "active": True, "id": id}


def _offered(kind: FaultKind, engine: Engine) -> FaultRow:
    return {
        "name": kind.name,
        "label": f"{kind.name}: {kind.says}",
        "arguments": [_argument(each, engine) for each in kind.arguments],
        "active": False,
        "once": kind.end is None,
    }


def _argument(argument: Argument, engine: Engine) -> FaultArgument:
    made: FaultArgument = {"name": argument.name, "default": argument.default}
    if argument.choices is not None:
        made["choices"] = sorted(argument.choices(engine))
    return made
