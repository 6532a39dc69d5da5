"""What can happen to a process: it ends, with a word or without one, or it stands still.

To crash what does not run, and to start what runs, changes nothing.

k8slab's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine


def start(engine: Engine, component: str) -> None:
    """It runs."""
    if not engine.runs(component):
        engine.start(component)


def crash(engine: Engine, component: str) -> None:
    """It stops without a word."""
    if engine.runs(component):
        engine.crash(component)


def restart(engine: Engine, component: str) -> None:
    """It crashes, and is started at once."""
    crash(engine, component)
    engine.start(component)


def stop(engine: Engine, component: str) -> None:
    """It ends in good order."""
    if engine.runs(component):
        engine.stop(component)


def freeze(engine: Engine, component: str, before: str) -> None:
    """It stands still: now, or when it next wants to write."""
    if not engine.runs(component):
        return
    if before == "write":
        engine.lines[component].before_write = lambda: engine.freeze(component)
    else:
        engine.freeze(component)


def thaw(engine: Engine, component: str, before: str) -> None:
    """It goes on, and has noticed nothing."""
    engine.thaw(component)
