from __future__ import annotations

import pytest

from k8slab.api.core import Taint, Toleration
from k8slab.clock import NEVER
from k8slab.controllers.tolerance import tolerance

A, B = Taint(key="a", effect="NoExecute"), Taint(key="b", effect="NoExecute")


def tolerates(key="", seconds=None):
    return Toleration(key=key, operator="Exists", effect="NoExecute", toleration_seconds=seconds)


@pytest.mark.parametrize(
    ("taints", "tolerations", "seconds"),
    [
        ([], [], NEVER),
        ([A], [], 0),
        ([A], [tolerates("b")], 0),
        ([A], [tolerates("a")], NEVER),
        ([A], [tolerates("a", 300)], 300),
        ([A, B], [tolerates("a", 300), tolerates("b", 60)], 60),
        ([A, B], [tolerates("a", 300), tolerates("b")], 300),
        ([A, B], [tolerates("a", 300)], 0),
        ([A], [tolerates("a", -1)], 0),
        ([A], [tolerates()], NEVER),
        ([A], [Toleration(key="a", operator="Exists", effect="NoSchedule")], 0),
    ],
)
def test_how_long_a_pod_may_stay(taints, tolerations, seconds):
    assert tolerance(taints, tolerations) == seconds
