from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import Node, Pod
from k8slab.api.discovery import EndpointSlice, Service
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.trigger_time import ANNOTATION
from tests.controllers.services import Services


@pytest.fixture
def world():
    return Services()


def test_a_service_has_a_slice_with_the_pods_it_selects(world):
    world.run_pod("a")
    world.run_pod("other", labels={"app": "db"})
    world.expose()
    world.settle()
    (found,) = world.slices()
    assert found.name.startswith("web-")
    assert found.address_type == "IPv4"
    assert found.ports == ({"name": "", "port": 80, "protocol": "TCP"},)
    (endpoint,) = found.endpoints
    assert endpoint["addresses"] == ["10.244.0.1"]
    assert (endpoint["nodeName"], endpoint["zone"], endpoint["targetRef"]["name"]) == ("node-1", "a", "a")


def test_it_says_whose_it_is_and_who_keeps_it(world):
    world.expose()
    world.settle()
    meta = world.slices()[0].metadata
    assert meta.labels == {
        "team": "shop", "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }  # fmt: skip
    assert (meta.controller.kind, meta.controller.name) == ("Service", "web")


def test_ready_serving_terminating(world):
    world.run_pod("ready")
    world.run_pod("starts", ready=False)
    world.run_pod("goes")
    world.run_pod("ended")
    world.client.patch_status(Pod, "ended", "default", {"phase": "Succeeded"})
    world.client.delete(Pod, "goes", "default")
    world.expose()
    world.settle()
    assert world.conditions() == {"ready": "rs", "starts": "", "goes": "st"}


def test_a_service_may_publish_what_is_not_ready(world):
    world.run_pod("starts", ready=False)
    world.expose(publishNotReadyAddresses=True)
    world.settle()
    assert world.conditions() == {"starts": "r"}


def test_pods_come_and_go_and_turn(world):
    world.expose()
    world.run_pod("a", ready=False)
    world.settle()
    assert world.conditions() == {"a": ""}
    world.make_ready(*world.pods())
    world.run_pod("b")
    world.settle()
    assert world.conditions() == {"a": "rs", "b": "rs"}
    world.client.delete(Pod, "a", "default", grace_period=0)
    world.settle()
    assert world.conditions() == {"b": "rs"}
    assert len(world.slices()) == 1


def test_named_ports_are_looked_up_at_each_pod(world):
    def named(number):
        ports = [{"name": "http", "containerPort": number}]
        return {"containers": [{"name": "main", "image": "nginx", "ports": ports}]}

    world.run_pod("old", **named(8080))
    world.run_pod("new", **named(9090))
    world.run_pod("none")
    world.expose(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    world.settle()
    found = {(each.ports or ({"port": None},))[0]["port"]: len(each.endpoints) for each in world.slices()}
    assert found == {8080: 1, 9090: 1, None: 1}


def test_a_headless_service_is_marked(world):
    world.expose(clusterIP="None")
    world.settle()
    assert world.slices()[0].metadata.labels["service.kubernetes.io/headless"] == ""


def test_a_host_name_counts_where_the_pod_is_under_the_services_name(world):
    world.expose(clusterIP="None")
    world.run_pod("a", hostname="first", subdomain="web")
    world.run_pod("b", hostname="first", subdomain="other")
    world.settle()
    assert [each.get("hostname") for each in world.slices()[0].endpoints] == ["first", None]


def test_a_service_without_a_selector_is_left_alone(world):
    world.run_pod("a")
    world.expose(selector={})
    world.settle()
    assert world.slices() == []


def test_a_hundred_are_in_one_slice_at_most():
    world = Services(most=3)
    world.expose()
    for number in range(7):
        world.run_pod(f"p{number}")
    world.settle()
    assert sorted(len(each.endpoints) for each in world.slices()) == [1, 3, 3]


def test_pods_of_a_node_that_is_gone_are_no_endpoints(world):
    world.run_pod("a", node="node-2")
    world.client.delete(Node, "node-2")
    world.expose()
    world.settle()
    assert world.conditions() == {}


def test_labels_of_the_service_follow(world):
    world.expose()
    world.settle()
    world.client.patch(Service, "web", "default", {"metadata": {"labels": {"team": None, "tier": "front"}}})
    world.settle()
    labels = world.slices()[0].metadata.labels
    assert ("team" in labels, labels["tier"]) == (False, "front")


def test_a_slice_that_somebody_deletes_is_made_again(world):
    world.run_pod("a")
    world.expose()
    world.settle()
    world.client.delete(EndpointSlice, world.slices()[0].name, "default")
    world.settle()
    assert world.conditions() == {"a": "rs"}


def test_it_says_since_when_a_change_waits_to_be_told(world):
    world.expose()
    world.settle()
    assert world.slices()[0].metadata.annotations[ANNOTATION] == "2026-01-01T00:00:00Z"
    world.pass_time(7)
    world.run_pod("a")
    world.pass_time(3)
    assert world.slices()[0].metadata.annotations[ANNOTATION] == "2026-01-01T00:00:07Z"


def test_while_no_service_selects_pods_they_are_not_followed(world):
    world.run_pod("a")
    world.expose()
    world.settle()
    assert [len(each.pods) for each in world.components] == [1, 1]
    world.client.delete(Service, "web", "default")
    world.settle()
    assert [len(each.pods) for each in world.components] == [0, 0]


def test_what_is_up_to_date_is_not_written_again(world):
    world.run_pod("a")
    world.expose()
    world.settle()
    before = world.store.revision
    world.client.patch(Pod, "a", "default", {"metadata": {"annotations": {"x": "y"}}})
    world.settle()
    assert world.store.revision == before + 1


plans = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["run", "delete", "ready", "step"]), st.integers(0, 6)),
        st.tuples(st.just("wait"), st.integers(1, 4)),
    ),
    max_size=30,
)


@settings(max_examples=50)
@given(plans, st.integers(0, 1000))
def test_whatever_the_watches_tell_every_pod_is_in_one_slice_in_the_end(plan, seed):
    def slow(world, transport, name):
        return SlowWatch(transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1)

    world = Services(slow, most=2)
    world.expose()
    for what, number in plan:
        try:
            match what:
                case "run":
                    world.run_pod(f"p{number}", ready=number % 2 == 0)
                case "delete":
                    world.client.delete(Pod, f"p{number}", "default", grace_period=0)
                case "ready":
                    world.make_ready(world.client.get(Pod, f"p{number}", "default"))
                case "step":
                    for component in world.components:
                        component.step()
                case "wait":
                    world.pass_time(number)
        except (AlreadyExists, NotFound):
            continue
    world.pass_time(700)  # what a watch has lost is found when it is opened anew
    for component in world.components:
        for informer in component.informers:
            informer.close()
        component.queue.add("default/web")
    world.settle()
    world.pass_time(700)
    there = Counter(each["targetRef"]["name"] for found in world.slices() for each in found.endpoints or ())
    assert there == Counter(each.name for each in world.pods())
    assert {name: "r" in said for name, said in world.conditions().items()} == {p.name: p.ready for p in world.pods()}
    assert sorted(world.addresses()) == sorted(each.name for each in world.pods() if each.ready)
