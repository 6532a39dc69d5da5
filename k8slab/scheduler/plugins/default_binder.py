"""The binding: all that a scheduler ever says of where a Pod goes.

Models: pkg/scheduler/framework/plugins/defaultbinder.
"""

from __future__ import annotations

from k8slab.client.client import Client
from k8slab.scheduler.framework import Plugin
from k8slab.scheduler.node_info import PodInfo


class DefaultBinder(Plugin):
    """`POST pods/<name>/binding`."""

    name = "DefaultBinder"

    def bind(self, client: Client, pod: PodInfo, node: str) -> bool:
        """Always. Raises ApiError where the API server will not."""
        client.bind(pod.pod, node)
        return True
