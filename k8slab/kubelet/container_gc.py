"""Container garbage collection: dead containers that nobody will ask for.

A container that has ended stays, so that its log can be read: `kubectl logs --previous`. Every minute the kubelet removes what
is more than that: of each container of each Pod it keeps the newest dead one. A node may have a limit for all of its dead
containers, too; as upstream, it has none unless somebody sets one. (Of a Pod that is gone all containers go with it.)

Models: pkg/kubelet/kuberuntime/kuberuntime_gc.go (evictContainers), container/container_gc.go (GCPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.cri.api import Container, ContainerState
from k8slab.kubelet.pod_state import PodState

PERIOD = 60.0
MIN_AGE = 0.0
PER_CONTAINER = 1
UNLIMITED = -1
ENDED = (ContainerState.EXITED, ContainerState.UNKNOWN)


def container_gc_candidates(
    states: Iterable[PodState],
    now: float,
    *,
    min_age: float = MIN_AGE,
    per_container: int = PER_CONTAINER,
    most: int = UNLIMITED,
) -> list[Container]:
    """The dead containers to remove, the oldest of each first.

    `per_container`: how many stay of each container of each Pod; `most`: how many on the whole node. Below 0: no limit.
    """
    units = [unit for state in states for found in state.containers.values() if (unit := _dead(found, now, min_age))]
    going: list[Container] = []
    if per_container >= 0:
        units = [_keep(unit, per_container, going) for unit in units]
    if 0 <= most < sum(map(len, units)):
        # First the same for each, then the oldest of all.
        units = [_keep(unit, max(1, most // len(units)), going) for unit in units]
        left = sorted((each for unit in units for each in unit), key=lambda each: each.created_at, reverse=True)
        going += reversed(left[most:])
    return going


def _dead(found: list[Container], now: float, min_age: float) -> list[Container]:
    """The containers of one name that have ended and are old enough, newest first."""
    return [each for each in found if each.state in ENDED and now - each.created_at >= min_age]


def _keep(unit: list[Container], count: int, going: list[Container]) -> list[Container]:
    going += reversed(unit[count:])
    return unit[:count]
