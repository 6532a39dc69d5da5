"""What can be wrong with a component's line to the API server: it is slow, or broken, or answers with errors.

k8slab's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.client.line import Failing

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine


def slow_watch(engine: Engine, component: str, delay: float, repeat: float, lose: float) -> None:
    """Its watches tell late, some of it twice, and some never."""
    engine.processes.lines[component].slow_down(delay, repeat, lose)


def fast_watch(engine: Engine, component: str, **_: Any) -> None:
    """They tell at once again."""
    engine.processes.lines[component].speed_up()


def drop_watch(engine: Engine, component: str) -> None:
    """Its watches break off, once."""
    engine.processes.lines[component].drop()


def cut(engine: Engine, component: str) -> None:
    """Nothing goes through."""
    engine.processes.lines[component].cut_at("cut-off")


def mend(engine: Engine, component: str) -> None:
    """It is whole, unless it is cut at another place too."""
    engine.processes.lines[component].mend("cut-off")


def partition(engine: Engine, node: str) -> None:
    """The kubelet's line, the only one that a node has, is cut."""
    engine.processes.lines[f"kubelet-{node}"].cut_at("node-partitioned")


def rejoin(engine: Engine, node: str) -> None:
    """It is whole, unless it is cut at another place too."""
    engine.processes.lines[f"kubelet-{node}"].mend("node-partitioned")


def slow_down(engine: Engine, component: str, seconds: float) -> None:
    """Each request takes this long."""
    engine.processes.lines[component].latency = seconds


def speed_up(engine: Engine, component: str, seconds: float) -> None:
    """Requests take no time."""
    engine.processes.lines[component].latency = 0.0


def refuse(engine: Engine, component: str, share: float, code: int) -> None:
    """A share of the requests is answered with an error."""
    engine.processes.lines[component].failing = Failing(share, code)


def answer(engine: Engine, component: str, **_: Any) -> None:
    """All are answered as the API server does."""
    engine.processes.lines[component].failing = None
