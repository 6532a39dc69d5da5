"""Where an engine can be watched from outside: its inputs, and each of its parts as it is made.

An instrument overrides what it wants to know of. It must not change what it sees: the history is the same with and without
it. What it has not overridden costs nothing.

k8slab's own; the shape is trio's `Instrument`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.cri.api import Runtime
from k8slab.engine.inputs import Input
from k8slab.engine.journal import Command
from k8slab.kubelet.jobs import Jobs
from k8slab.loop.component import Component
from k8slab.loop.instrument import LoopInstrument

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine


class Around:
    """What an instrument puts around a part, to see it at work. It has no state of its own: that is `inside`."""

    inside: Any


class Instrument(LoopInstrument):
    """Called by an engine. Does nothing."""

    def begin(self, engine: Engine) -> None:
        """The control plane's centre is there, and nothing has been written yet."""

    def component(self, component: Component) -> None:
        """A component was made, and has not worked yet."""

    def ended(self, name: str) -> None:
        """A component has ended, whether it wanted to or not."""

    def runtime(self, node: str, runtime: Runtime) -> Runtime:
        """The runtime that a node's kubelet is to use: the one given, or one that goes around it."""
        return runtime

    def jobs(self, component: str, jobs: Jobs) -> Jobs:
        """The same for the jobs of a kubelet."""
        return jobs

    def said(self, command: Command) -> None:
        """Somebody outside says what they are about to do; or, with an empty one, that it is done."""

    def took(self, given: Input, step: int) -> None:
        """An input is about to be applied."""

    def applied(self, given: Input) -> None:
        """It has been."""
