from __future__ import annotations

import pytest

from k8slab.api.core import Node
from k8slab.controllers.node_zones import all_disrupted, eviction_rate, zone_of, zone_state


@pytest.mark.parametrize(
    ("ready", "not_ready", "state"),
    [(0, 0, "Normal"), (3, 0, "Normal"), (2, 1, "Normal"), (1, 2, "Normal"), (0, 1, "FullDisruption"),
     (2, 3, "PartialDisruption"), (3, 3, "Normal"), (9, 11, "PartialDisruption"), (10, 11, "Normal")],
)  # fmt: skip
def test_the_state_of_a_zone(ready, not_ready, state):
    assert zone_state(ready, not_ready) == state


@pytest.mark.parametrize(
    ("state", "size", "rate"),
    [("Normal", 3, 0.1), ("Normal", 500, 0.1), ("FullDisruption", 3, 0.1), ("PartialDisruption", 50, 0.0),
     ("PartialDisruption", 51, 0.01)],
)  # fmt: skip
def test_how_fast_nodes_may_be_tainted(state, size, rate):
    assert eviction_rate(state, size) == rate


def test_one_zone_with_a_ready_node_is_enough():
    assert all_disrupted(["FullDisruption", "FullDisruption"])
    assert not all_disrupted(["FullDisruption", "Normal"])


def test_a_zone_is_named_by_region_and_zone():
    labels = {"topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "eu-1"}
    assert zone_of(Node.of({"metadata": {"name": "n", "labels": labels}})) == "eu:eu-1"
    assert zone_of(Node.of({"metadata": {"name": "n"}})) == ""
