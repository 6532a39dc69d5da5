"""What can be wrong with a component's clock: it is ahead or behind, it runs fast or slow, or both.

A component is given its clock when it is made; so it is restarted with the wrong one, and with the right one at the end.

k8slab's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.clock import SkewedClock
from k8slab.engine.faults import processes

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine

FRACTIONS = 1024
"""A clock is ahead by binary fractions of a second, which add to any time of this century without rounding: a moment that is
named on the wrong clock must be the same moment on the right one."""


def skew(engine: Engine, component: str, ahead: float) -> None:
    """It is so many seconds ahead."""
    _set_clock(engine, component, ahead=round(ahead * FRACTIONS) / FRACTIONS)


def unskew(engine: Engine, component: str, **_: Any) -> None:
    """It is not ahead."""
    _set_clock(engine, component, ahead=0.0)


def change_rate(engine: Engine, component: str, rate: float) -> None:
    """It runs so many times as fast as a right one."""
    _set_clock(engine, component, rate=rate)


def right_rate(engine: Engine, component: str, **_: Any) -> None:
    """It runs as fast as a right one."""
    _set_clock(engine, component, rate=1.0)


def _set_clock(engine: Engine, component: str, ahead: float | None = None, rate: float | None = None) -> None:
    """Change what is wrong with a component's clock, and leave the rest as it is."""
    before = engine.processes.skews.get(component) or SkewedClock(engine.clock)
    now_ahead, now_rate = before.ahead if ahead is None else ahead, before.rate if rate is None else rate
    if (now_ahead, now_rate) == (before.ahead, before.rate):
        return
    engine.processes.skews.pop(component, None)
    if (now_ahead, now_rate) != (0.0, 1.0):
        engine.processes.skews[component] = SkewedClock(engine.clock, now_ahead, now_rate)
    engine.processes.lines[component].wrong_clock = engine.processes.skews.get(component)
    if engine.processes.runs(component):
        processes.restart(engine, component)
