"""Where in its life something is: a state diagram, with the present state lit.

What can be drawn is in `machines.py`: a Pod's phase, the state of its first container, what a kubelet's worker does about
it, its place in the scheduling queue, and a Deployment's rollout.

k8slab's own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from k8slab.engine.engine import Engine
from k8slab.lab.drawing import StatesPicture
from k8slab.lab.drawing.collapse import complete
from k8slab.lab.drawing.states import state_graph
from k8slab.lab.drawing.svg import GraphScene, graph_scene
from k8slab.lab.pictures.deeds import object_named
from k8slab.lab.pictures.machines import MACHINES
from k8slab.lab.reference import not_there, reference
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake


class LifePicture(StatesPicture):
    """A state diagram from top to bottom: ways with words between states with words are wide."""

    @cached_property
    def _scene(self) -> GraphScene:
        return graph_scene(complete(replace(state_graph(self.model), downward=True)))


def states(engine: Engine, trace: Trace, of: str, what: str = "", *, namespace: str = "default") -> LifePicture:
    """The state diagram `of`: one of `MACHINES`; with `what` (`pod/web-abc`), the state that it is in is lit.

    Raises ValueError for a diagram, or an object, that there is not.
    """
    machine = MACHINES.get(of)
    if machine is None:
        raise Mistake(f"there is no diagram of {of!r}; there are: {', '.join(MACHINES)}")
    if not what:
        return LifePicture(machine.diagram())
    wanted = reference(what, namespace)
    if wanted.resource.kind != machine.kind:
        raise Mistake(f"{of!r} is the life of a {machine.kind}, and {what!r} is a {wanted.resource.kind}")
    if object_named(engine, wanted.what) is None:
        found = engine.server.registry.list(wanted.resource, wanted.namespace).items
        raise not_there(wanted, [each["metadata"]["name"] for each in found])
    return LifePicture(machine.diagram(machine.now(engine, trace, wanted), wanted.name))
