"""A Pod behind gates is not even queued; who put a gate there takes it away.

Models: pkg/scheduler/framework/plugins/schedulinggates.
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.scheduler.framework import Plugin


class SchedulingGates(Plugin):
    """Gates."""

    name = "SchedulingGates"

    def pre_enqueue(self, pod: Pod) -> str:
        """Closed as long as there is one."""
        gates = [gate.get("name", "") for gate in pod.spec.scheduling_gates]
        return f"waiting for scheduling gates: [{' '.join(gates)}]" if gates else ""
