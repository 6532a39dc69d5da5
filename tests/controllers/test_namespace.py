from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.api.core import ConfigMap, Namespace, Pod
from k8slab.apimachinery.errors import NotFound, ServiceUnavailable
from k8slab.apimachinery.rest import Response
from k8slab.clock import NEVER
from k8slab.controllers.namespace import NamespaceController
from tests.client.fake_server import World, config_map, pod, workload
from tests.controllers.harness import Workloads


@pytest.fixture
def world():
    world = World()
    world.components = [NamespaceController(world.connect(), world.clock, world.chance)]
    for name in ("shop", "other"):
        world.client.create(Namespace, {"metadata": {"name": name}})
        world.client.create(ConfigMap, config_map(), name)
    world.settle()
    return world


def delete(world):
    world.client.delete(Namespace, "shop")


def namespaces(world):
    return [each.name for each in world.client.list(Namespace)]


def test_a_namespace_takes_all_that_is_in_it_along(world):
    world.client.create(Pod, pod(), "shop")
    delete(world)
    world.settle()
    assert namespaces(world) == ["default", "other"]
    assert [each.namespace for each in world.client.list(ConfigMap)] == ["other"]


def test_it_waits_five_seconds_until_everybody_has_heard(world):
    delete(world)
    while world.components[0].step():
        pass
    assert world.client.list(ConfigMap, "shop") != []
    assert world.components[0].next_work() == world.clock.now() + 5


def test_pods_go_before_anything_else(world):
    world.client.create(Pod, held("web", pod()), "shop")
    delete(world)
    world.settle()
    assert world.client.get(Pod, "web", "shop").metadata.deleting
    assert len(world.client.list(ConfigMap, "shop")) == 1
    let_go(world, Pod, "web")
    world.pass_time(10)
    assert "shop" not in namespaces(world)


def test_what_is_held_holds_the_namespace_and_it_says_so(world):
    world.client.create(ConfigMap, held("ledger", config_map()), "shop")
    delete(world)
    world.settle()
    assert [each.name for each in world.client.list(ConfigMap, "shop")] == ["ledger"]
    assert said(world) == [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            "Some resources are remaining: configmaps. has 1 resource instances",
        ),
        (
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances",
        ),
    ]
    let_go(world, ConfigMap, "ledger")
    world.pass_time(10)
    assert "shop" not in namespaces(world)


def test_who_waits_for_a_strangers_finalizer_is_idle(world):
    world.client.create(ConfigMap, held("ledger", config_map()), "shop")
    delete(world)
    world.settle()
    controller = world.components[0]
    assert controller.next_work() == NEVER
    assert controller.next_deadline() == world.clock.now() + 8  # half of the 15 s that a finalizer may take, and one


def test_it_comes_back_before_the_grace_period_of_the_pods_is_over(world):
    world.client.create(Pod, pod(nodeName="node-1"), "shop")
    delete(world)
    began, looks = world.clock.now(), []
    for _ in range(4):
        while world.components[0].step():
            pass
        looks.append(world.components[0].next_work() - began)
        world.clock.advance_to(world.components[0].next_work())
    # At once when the conditions have changed, else after half the grace period, and one.
    assert looks == [5, 10, 26, 42]
    world.client.delete(Pod, "web", "shop", grace_period=0)
    world.settle()
    assert "shop" not in namespaces(world)


def test_pods_that_do_not_end_in_time_are_unexpected(world):
    world.client.create(Pod, pod(nodeName="node-1"), "shop")
    delete(world)
    world.pass_time(100)
    problem = "unexpected items still remain in namespace: shop for gvr: /v1, Resource=pods"
    assert (
        "NamespaceDeletionContentFailure",
        "True",
        "ContentDeletionFailed",
        f"Failed to delete all resource types, 1 remaining: {problem}",
    ) in said(world)
    assert world.components[0].next_work() == NEVER
    assert world.components[0].next_deadline() <= world.clock.now() + 60


def test_nothing_is_deleted_while_nobody_knows_what_there_is(world):
    answer = world.components[0].client.transport.send
    world.components[0].client.transport.send = lambda request: (
        Response(503, object=ServiceUnavailable("no discovery").status) if request.path == "/apis" else answer(request)
    )
    delete(world)
    world.pass_time(30)
    assert ("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", "no discovery") in said(world)
    assert world.client.list(ConfigMap, "shop") != []
    world.components[0].client.transport.send = answer
    world.pass_time(60)
    assert "shop" not in namespaces(world)


def held(name, body):
    return body | {"metadata": {"name": name, "finalizers": ["example.com/wait"]}}


def let_go(world, kind, name):
    world.client.patch(kind, name, "shop", {"metadata": {"finalizers": None}})


def said(world):
    conditions = world.client.raw("GET", "/api/v1/namespaces/shop")["status"]["conditions"]
    return [(each["type"], each["status"], each["reason"], each["message"]) for each in conditions]


def test_a_namespace_that_is_not_deleted_is_left_alone(world):
    before = world.store.revision
    world.settle()
    assert world.store.revision == before


def test_controllers_give_up_on_a_namespace_that_goes():
    world = Workloads()
    world.components.append(NamespaceController(world.connect(), world.clock, world.chance))
    world.client.create(Namespace, {"metadata": {"name": "shop"}})
    world.client.create(Deployment, workload("web", 3), "shop")
    world.settle()
    assert len(world.client.list(Pod, "shop")) == 3
    world.client.delete(Namespace, "shop")
    world.settle()
    with pytest.raises(NotFound):
        world.client.get(Namespace, "shop")
    assert world.client.list(Pod) == []
