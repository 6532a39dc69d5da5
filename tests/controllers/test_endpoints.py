from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.api.discovery import Endpoints, Service
from k8slab.controllers.endpoints import truncate
from tests.controllers.services import Services


@pytest.fixture
def world():
    return Services()


def test_a_service_has_endpoints_of_its_name(world):
    world.run_pod("b")
    world.run_pod("a")
    world.run_pod("starts", ready=False)
    world.expose()
    world.settle()
    assert world.addresses() == ["b", "a"]
    assert world.addresses("notReadyAddresses") == ["starts"]
    (subset,) = world.client.get(Endpoints, "web", "default").subsets
    assert subset["ports"] == [{"port": 80, "protocol": "TCP"}]
    assert subset["addresses"][0]["ip"] == "10.244.0.1"


def test_a_pod_that_goes_is_in_neither_list(world):
    world.run_pod("a")
    world.client.delete(Pod, "a", "default")
    world.expose()
    world.settle()
    assert world.addresses() == world.addresses("notReadyAddresses") == []


def test_a_service_may_publish_what_is_not_ready(world):
    world.run_pod("starts", ready=False)
    world.expose(publishNotReadyAddresses=True)
    world.settle()
    assert world.addresses() == ["starts"]


def test_they_go_with_their_service(world):
    world.expose()
    world.settle()
    world.client.delete(Service, "web", "default")
    world.settle()
    assert world.client.list(Endpoints, "default") == []


def test_those_of_a_service_without_a_selector_are_somebody_elses(world):
    world.expose(selector={})
    body = {"metadata": {"name": "web"}, "subsets": [{"addresses": [{"ip": "1.2.3.4"}]}]}
    world.client.create(Endpoints, body, "default")
    world.settle()
    world.client.delete(Service, "web", "default")
    world.settle()
    assert world.client.get(Endpoints, "web", "default").subsets[0]["addresses"][0]["ip"] == "1.2.3.4"


def test_above_a_thousand_it_is_cut_and_says_so():
    world = Services(most=1)  # ten, here
    world.expose()
    for number in range(12):
        world.run_pod(f"p{number:02}")
    world.settle()
    assert len(world.addresses()) == 10
    annotations = world.client.get(Endpoints, "web", "default").metadata.annotations
    assert annotations["endpoints.kubernetes.io/over-capacity"] == "truncated"
    world.client.delete(Pod, "p00", "default", grace_period=0)
    world.client.delete(Pod, "p01", "default", grace_period=0)
    world.settle()
    annotations = world.client.get(Endpoints, "web", "default").metadata.annotations
    assert "endpoints.kubernetes.io/over-capacity" not in annotations


def test_those_that_are_not_ready_are_cut_first():
    subsets = [{"addresses": [1, 2], "notReadyAddresses": [3, 4]}]
    assert truncate(subsets, 3)
    assert subsets == [{"addresses": [1, 2], "notReadyAddresses": [3]}]
    assert not truncate(subsets, 3)
