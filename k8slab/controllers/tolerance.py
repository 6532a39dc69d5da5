"""How long a Pod may stay on a node with NoExecute taints.

Each taint has to be tolerated, else the Pod goes at once. Of the tolerations that are used the shortest `tolerationSeconds`
counts; one that names none tolerates forever. Every Pod gets two of 300 s by admission, for nodes that are not ready or not
reachable: that is the whole secret of the famous five minutes.

Models: pkg/controller/tainteviction/taint_eviction.go (getMinTolerationTime), pkg/apis/core/v1/helper (GetMatchingTolerations).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8slab.api.core import Taint, Toleration
from k8slab.clock import NEVER


def tolerance(taints: Iterable[Taint], tolerations: Sequence[Toleration]) -> float:
    """Seconds that a Pod may stay; 0: it has to go now; infinity: it may stay."""
    longest = NEVER
    for taint in taints:
        used = next((each for each in tolerations if each.tolerates(taint)), None)
        if used is None:
            return 0.0
        if used.toleration_seconds is not None:
            longest = min(longest, max(0.0, float(used.toleration_seconds)))
    return longest
