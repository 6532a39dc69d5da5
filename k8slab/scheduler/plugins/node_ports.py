"""A port of the node can be given to one Pod only.

Models: pkg/scheduler/framework/plugins/nodeports, pkg/scheduler/framework/types.go (HostPortInfo).
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.scheduler.framework import NODE, POD_GONE, Plugin, State
from k8slab.scheduler.node_info import HostPort, NodeInfo, PodInfo, host_ports

ANY_ADDRESS = "0.0.0.0"


class NodePorts(Plugin):
    """Host ports."""

    name = "NodePorts"
    wakes_on = frozenset({NODE, POD_GONE})

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Most want none."""
        return not host_ports(pod.pod)

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Look for one that is taken."""
        taken = [port for other in node.with_ports.values() for port in other.ports]
        if any(_clash(wanted, port) for wanted in host_ports(pod.pod) for port in taken):
            return ("node(s) didn't have free ports for the requested pod ports",)
        return ()


def _clash(one: HostPort, other: HostPort) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or ANY_ADDRESS in (one[0], other[0]))
