from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.scheduler.node_info import CPU, DEFAULTS, MEMORY, requests_of, scoring_request
from tests.scheduler.objects import node, pod


def container(cpu, restart=None):
    made = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return made | ({"restartPolicy": restart} if restart else {})


def cpu_of(containers, init=(), **spec):
    body = {"containers": [container(cpu) for cpu in containers], "initContainers": list(init), **spec}
    return requests_of(Pod.of({"spec": body}))[CPU]


SIDECAR = "Always"


@pytest.mark.parametrize(
    ("init", "asks"),
    [
        ([], 300),
        ([container("200m")], 300),
        ([container("1")], 1000),
        ([container("1"), container("2")], 2000),
        ([container("100m", SIDECAR)], 400),
        ([container("100m", SIDECAR), container("1")], 1100),
        ([container("1"), container("100m", SIDECAR)], 1000),
    ],
)
def test_a_pod_asks_for_what_it_needs_at_its_most_hungry(init, asks):
    assert cpu_of(["100m", "200m"], init) == asks


def test_the_overhead_of_its_runtime_comes_on_top():
    assert cpu_of(["100m"], overhead={"cpu": "50m"}) == 150


def test_a_pod_without_requests_counts_for_something_when_nodes_are_compared():
    info = pod()
    assert info.requests == {}
    assert {name: scoring_request(info.requests, name) for name in DEFAULTS} == {CPU: 100, MEMORY: 200 * 1024**2}


def test_a_node_sums_up_what_is_on_it():
    info = node(pods=[pod("a", cpu="1", memory="1Gi"), pod("b", cpu="500m")])
    assert (info.requested[CPU], info.requested[MEMORY]) == (1500, 1024**3)
    info.remove("a")
    info.remove("never-there")
    assert (info.requested[CPU], list(info.pods)) == (500, ["b"])
