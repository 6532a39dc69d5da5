from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.api.core import ConfigMap, Namespace, Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.controllers.namespace import NamespaceController
from tests.client.fake_server import World, config_map, pod, workload
from tests.controllers.harness import KINDS, Workloads


@pytest.fixture
def world():
    world = World()
    world.components = [NamespaceController(world.connect(), world.clock, world.chance, resources=KINDS)]
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


def test_pods_go_before_anything_else(world):
    world.client.create(Pod, pod() | {"metadata": {"name": "web", "finalizers": ["example.com/wait"]}}, "shop")
    delete(world)
    world.components[0].step()
    world.components[0].step()
    assert world.client.get(Pod, "web", "shop").metadata.deleting
    assert len(world.client.list(ConfigMap, "shop")) == 1
    world.client.patch(Pod, "web", "shop", {"metadata": {"finalizers": None}})
    world.settle()
    assert "shop" not in namespaces(world)


def test_it_waits_for_what_does_not_go_at_once(world):
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    world.client.create(ConfigMap, held, "shop")
    delete(world)
    controller = world.components[0]
    while controller.step():
        pass
    assert [each.name for each in world.client.list(ConfigMap, "shop")] == ["held"]
    assert controller.next_work() == world.clock.now() + 1
    world.client.patch(ConfigMap, "held", "shop", {"metadata": {"finalizers": None}})
    world.settle()
    assert "shop" not in namespaces(world)


def test_a_namespace_that_is_not_deleted_is_left_alone(world):
    before = world.store.revision
    world.settle()
    assert world.store.revision == before


def test_controllers_give_up_on_a_namespace_that_goes():
    world = Workloads()
    world.components.append(NamespaceController(world.connect(), world.clock, world.chance, resources=KINDS))
    world.client.create(Namespace, {"metadata": {"name": "shop"}})
    world.client.create(Deployment, workload("web", 3), "shop")
    world.settle()
    assert len(world.client.list(Pod, "shop")) == 3
    world.client.delete(Namespace, "shop")
    world.settle()
    with pytest.raises(NotFound):
        world.client.get(Namespace, "shop")
    assert world.client.list(Pod) == []
