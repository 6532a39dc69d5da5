"""A node that has a Pod's images already need not pull them.

Large images count more than small ones, and one that every node has counts more than one that a single node has: else all
Pods of an image would crowd where it came first.

Models: pkg/scheduler/framework/plugins/imagelocality.
"""

from __future__ import annotations

from k8slab.scheduler.framework import MAX_SCORE, Plugin, State
from k8slab.scheduler.node_info import NodeInfo, PodInfo, full_name

SMALL, LARGE = 23 * 1024 * 1024, 1000 * 1024 * 1024
"""Below the first a container's images count for nothing; above the second no more."""


class ImageLocality(Plugin):
    """Images that are there."""

    name, weight = "ImageLocality", 1
    wakes_on = frozenset()

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Where it decides nothing: of its images each is on no node, or on all."""
        return all(state.images.get(name, 0) in (0, len(state.nodes)) for name in _images(pod))

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """The bytes that need not be pulled, each image weighed by how widely it is spread."""
        names = _images(pod)
        found = sum(node.images.get(name, 0) * state.images.get(name, 0) // len(state.nodes) for name in names)
        most = LARGE * len(names)
        return float(MAX_SCORE * (min(max(found, SMALL), most) - SMALL) // (most - SMALL))


def _images(pod: PodInfo) -> list[str]:
    spec = pod.pod.spec
    return [full_name(container.image) for container in (*spec.init_containers, *spec.containers)]
