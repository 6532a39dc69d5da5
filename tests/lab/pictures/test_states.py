from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.lab.pictures.states import states

from .lives import make, parts, pod, pods


@pytest.mark.parametrize(
    ("of", "state"), [("pod", "Running"), ("container", "running"), ("worker", "syncing"), ("queue", "bound")]
)
def test_the_present_state_is_lit(young, of, state):
    picture = states(*parts(young), of, f"pod/{pods(young)[0]}")
    assert picture.model.current == state
    assert f"{state}  (now)" in picture.text


def test_a_pod_that_fits_nowhere_is_unschedulable():
    with Cluster(nodes=1, seed=1) as cluster:
        make(cluster, pod("big", container={"resources": {"requests": {"cpu": "64"}}}))
        cluster.run_for("1s")
        assert states(*parts(cluster), "queue", "pod/big").model.current == "unschedulable"
        assert states(*parts(cluster), "pod", "pod/big").model.current == "Pending"


def test_without_an_object_nothing_is_lit(young):
    assert "(now)" not in states(*parts(young), "rollout").text


def test_what_there_is_not_is_named(young):
    with pytest.raises(ValueError, match="no diagram of 'love'; there are: pod, container, worker"):
        states(*parts(young), "love")
    with pytest.raises(ValueError, match="'rollout' is the life of a Deployment, and 'pod/x' is a Pod"):
        states(*parts(young), "rollout", "pod/x")
    with pytest.raises(ValueError, match="there is no Pod 'x'"):
        states(*parts(young), "pod", "pod/x")
