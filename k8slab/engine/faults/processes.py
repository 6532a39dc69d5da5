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
    if not engine.processes.runs(component):
        engine.processes.start(component)


def crash(engine: Engine, component: str) -> None:
    """It stops without a word."""
    if engine.processes.runs(component):
        engine.processes.crash(component)


def restart(engine: Engine, component: str) -> None:
    """It crashes, and is started at once."""
    crash(engine, component)
    engine.processes.start(component)


def stop(engine: Engine, component: str) -> None:
    """It ends in good order."""
    if engine.processes.runs(component):
        engine.processes.stop(component)


def freeze(engine: Engine, component: str, before: str) -> None:
    """It stands still: now, or when it next wants to write."""
    if not engine.processes.runs(component):
        return
    if before == "write":
        engine.processes.lines[component].before_write = lambda: engine.processes.freeze(component)
    else:
        engine.processes.freeze(component)


def thaw(engine: Engine, component: str, before: str) -> None:
    """It goes on, and has noticed nothing."""
    engine.processes.thaw(component)
