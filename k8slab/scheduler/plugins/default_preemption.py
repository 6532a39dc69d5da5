"""No node will do: push less important Pods aside, and keep the room for this one.

The victims are deleted as anybody deletes Pods, and take their time to end. Until then the Pod has only a *nominated* node:
others of less importance must not take the room meanwhile, and if another node will do sooner, it goes there.

Models: pkg/scheduler/framework/plugins/defaultpreemption, pkg/scheduler/framework/preemption (preemption.go, executor.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.scheduler.framework import Plugin, Rescue, State, Verdict
from k8slab.scheduler.node_info import PodInfo
from k8slab.scheduler.preemption import find_room

if TYPE_CHECKING:
    from k8slab.scheduler.scheduler import Scheduler


class DefaultPreemption(Plugin):
    """Making room."""

    name = "DefaultPreemption"

    def post_filter(self, scheduler: Scheduler, state: State, pod: PodInfo, verdict: Verdict) -> Rescue:
        """Delete the victims on the node where it hurts least; or say why there are none."""
        found = find_room(scheduler.plugins, state, pod, verdict, scheduler.budgets())
        if isinstance(found, str):
            return Rescue(found)
        scheduler.preempt(pod, found)
        return Rescue(node=found.node)
