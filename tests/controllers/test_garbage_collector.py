from __future__ import annotations

import pytest

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import ConfigMap, Namespace, Pod
from k8slab.apimachinery.meta import controller_reference
from k8slab.apimachinery.scheme import Resource
from k8slab.clock import NEVER
from k8slab.controllers.custom_resource_definition import CustomResourceDefinitionController
from k8slab.controllers.garbage_collector import GarbageCollector
from tests.apiserver.custom.world import GROUP, crontab, definition
from tests.client.fake_server import World, config_map
from tests.controllers.harness import Workloads


@pytest.fixture
def world():
    """A world in which only the collector works."""
    world = World()
    world.components = [GarbageCollector(world.connect(), world.clock, world.chance)]
    world.settle()
    return world


def create(world, name, *owners, block=True, finalizers=()):
    body = config_map(name)
    body["metadata"]["ownerReferences"] = [reference(owner, block) for owner in owners]
    body["metadata"]["finalizers"] = list(finalizers)
    return world.client.create(ConfigMap, body, "default")


def reference(owner, block=True):
    meta = owner["metadata"]
    found = controller_reference("v1", owner.get("kind", "ConfigMap"), meta["name"], meta["uid"])
    return found | {"controller": False, "blockOwnerDeletion": block}


def delete(world, name, propagation="Background"):
    world.client.delete(ConfigMap, name, "default", propagation=propagation)
    world.settle()


def left(world):
    return sorted(each.name for each in world.client.list(ConfigMap, "default"))


def owners(world, name):
    return [each.name for each in world.client.get(ConfigMap, name, "default").metadata.owner_references]


def test_what_its_owner_leaves_behind_goes(world):
    parent = create(world, "parent")
    child = create(world, "child", parent)
    create(world, "grandchild", child)
    create(world, "stranger")
    delete(world, "parent")
    assert left(world) == ["stranger"]


def test_one_owner_that_is_left_is_enough(world):
    one, two = create(world, "one"), create(world, "two")
    create(world, "child", one, two)
    delete(world, "one")
    assert left(world) == ["child", "two"]
    assert owners(world, "child") == ["two"]
    delete(world, "two")
    assert left(world) == []


def test_an_owner_that_was_never_there_counts_as_gone(world):
    ghost = {"metadata": {"name": "ghost", "uid": "no-such-uid"}}
    create(world, "child", ghost)
    world.settle()
    assert left(world) == []


def test_a_namesake_of_the_owner_is_not_the_owner(world):
    create(world, "parent")
    create(world, "child", {"metadata": {"name": "parent", "uid": "another-uid"}})
    world.settle()
    assert left(world) == ["parent"]


def test_in_the_foreground_the_dependents_go_first(world):
    parent = create(world, "parent")
    create(world, "child", parent, finalizers=["example.com/wait"])
    delete(world, "parent", "Foreground")
    assert left(world) == ["child", "parent"]
    assert world.client.get(ConfigMap, "child", "default").metadata.deleting
    world.client.patch(ConfigMap, "child", "default", {"metadata": {"finalizers": None}})
    world.settle()
    assert left(world) == []


def test_in_the_foreground_nobody_waits_for_a_dependent_that_does_not_block(world):
    parent = create(world, "parent")
    create(world, "child", parent, block=False, finalizers=["example.com/wait"])
    delete(world, "parent", "Foreground")
    assert left(world) == ["child"]
    assert world.client.get(ConfigMap, "child", "default").metadata.deleting


def test_the_foreground_reaches_the_grandchildren(world):
    parent = create(world, "parent")
    child = create(world, "child", parent)
    create(world, "grandchild", child, finalizers=["example.com/wait"])
    delete(world, "parent", "Foreground")
    assert left(world) == ["child", "grandchild", "parent"]
    world.client.patch(ConfigMap, "grandchild", "default", {"metadata": {"finalizers": None}})
    world.settle()
    assert left(world) == []


def test_orphans_stay_and_have_no_owner(world):
    parent = create(world, "parent")
    create(world, "child", parent)
    delete(world, "parent", "Orphan")
    assert left(world) == ["child"]
    assert owners(world, "child") == []


def test_a_kind_that_is_not_served_cannot_be_said_to_be_gone(world):
    body = config_map("child")
    unknown = controller_reference("example.com/v1", "Widget", "w", "1")
    body["metadata"]["ownerReferences"] = [unknown]
    world.client.create(ConfigMap, body, "default")
    world.settle()
    assert left(world) == ["child"]


def test_a_cluster_scoped_object_cannot_be_owned_from_a_namespace(world):
    owner = create(world, "parent")
    body = {"metadata": {"name": "ns", "ownerReferences": [reference(owner)]}}
    world.client.create(Namespace, body)
    delete(world, "parent")
    assert world.client.get(Namespace, "ns").metadata.deleting is False


def test_an_owner_in_another_namespace_does_not_count(world):
    world.client.create(Namespace, {"metadata": {"name": "other"}})
    parent = create(world, "parent")
    body = config_map("child")
    body["metadata"]["ownerReferences"] = [reference(parent)]
    world.client.create(ConfigMap, body, "other")
    world.settle()
    assert world.client.list(ConfigMap, "other") == []
    [message] = world.events("OwnerRefInvalidNamespace")
    uid = parent["metadata"]["uid"]
    assert message == (
        f'ownerRef [v1/ConfigMap, namespace: other, name: parent, uid: {uid}] does not exist in namespace "other"'
    )


def test_a_whole_deployment_goes():
    cluster = Workloads()
    cluster.deploy(replicas=3)
    cluster.run()
    cluster.client.delete(Deployment, "web", "default", propagation="Foreground")
    cluster.settle()
    for kind in (Deployment, ReplicaSet, Pod):
        assert cluster.client.list(kind, "default") == []


def test_it_does_nothing_when_nothing_is_owned(world):
    create(world, "one")
    before = world.store.revision
    world.settle()
    assert world.store.revision == before
    assert world.components[0].next_deadline() == NEVER


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_ring_of_owners_goes_in_the_foreground(world, size):
    names = [f"ring-{number}" for number in range(size)]
    ring = [create(world, name) for name in names]
    for name, owner in zip(names, [*ring[1:], ring[0]], strict=True):
        world.client.patch(ConfigMap, name, "default", {"metadata": {"ownerReferences": [reference(owner)]}})
    create(world, "stranger")
    world.settle()
    delete(world, names[0], "Foreground")
    assert left(world) == ["stranger"]


@pytest.mark.parametrize("wrong", [{"name": "another"}, {"kind": "Pod"}])
def test_an_owner_of_another_name_or_kind_is_none_whatever_its_uid(world, wrong):
    body = config_map("child")
    body["metadata"]["ownerReferences"] = [reference(create(world, "parent")) | wrong]
    world.client.create(ConfigMap, body, "default")
    world.settle()
    assert left(world) == ["parent"]


def test_a_wrong_word_for_an_owner_does_not_cost_the_right_ones_their_owner(world):
    """The owner is known only from its dependents, who disagree: the one with the right word stays."""
    parent = create(world, "parent")
    bad = config_map("bad")
    bad["metadata"]["ownerReferences"] = [reference(parent) | {"name": "another"}]
    world.client.create(ConfigMap, bad, "default")
    create(world, "good", parent)
    world.components = [GarbageCollector(world.connect(), world.clock, world.chance)]
    world.settle()
    assert left(world) == ["good", "parent"]


def test_what_was_orphaned_while_it_was_off_is_collected_when_it_comes_back(world):
    parent = create(world, "parent")
    create(world, "child", parent)
    world.components = []
    delete(world, "parent")
    assert left(world) == ["child"]
    world.components = [GarbageCollector(world.connect(), world.clock, world.chance)]
    world.settle()
    assert left(world) == []


def test_waiting_for_a_kind_that_nobody_serves_is_idle(world):
    body = config_map("child")
    body["metadata"]["ownerReferences"] = [controller_reference("example.com/v1", "Widget", "w", "1")]
    world.client.create(ConfigMap, body, "default")
    world.settle()
    assert world.components[0].next_work() == NEVER
    assert world.components[0].next_deadline() < NEVER


def test_what_changes_before_it_is_deleted_goes_all_the_same_but_not_with_another_owner(world):
    parent, other = create(world, "parent"), create(world, "other")
    create(world, "labelled", parent)
    create(world, "adopted", parent)
    collector = world.components[0]
    send = collector.client.transport.send

    def in_between(request):
        if request.method == "DELETE" and request.path.endswith("/labelled"):
            world.client.patch(ConfigMap, "labelled", "default", {"metadata": {"labels": {"seen": "later"}}})
        if request.method == "DELETE" and request.path.endswith("/adopted"):
            world.client.patch(ConfigMap, "adopted", "default", {"metadata": {"ownerReferences": [reference(other)]}})
        return send(request)

    collector.client.transport.send = in_between
    delete(world, "parent")
    assert left(world) == ["adopted", "other"]


def test_a_foreign_hand_can_change_the_policy_of_a_deletion_under_way(world):
    parent = create(world, "parent", finalizers=["example.com/wait"])
    create(world, "child", parent, finalizers=["example.com/wait"])
    delete(world, "parent", "Foreground")
    delete(world, "parent", "Orphan")
    assert owners(world, "child") == []


def test_objects_of_custom_kinds_own_and_are_owned():
    world = World()
    collector = GarbageCollector(world.connect(), world.clock, world.chance)
    world.components = [collector, CustomResourceDefinitionController(world.connect(), world.clock, world.chance)]
    world.settle()
    world.client.create(CustomResourceDefinition, definition())
    world.settle()
    crontabs = Resource(GROUP, "v1", "crontabs", "CronTab")
    tabs = {}
    for name, owner in (("parent", None), ("child", "parent"), ("kept", "parent")):
        meta = {"name": name}
        if owner:
            meta["ownerReferences"] = [tab_reference(tabs[owner])]
        tabs[name] = world.client.create(crontabs, crontab() | {"metadata": meta}, "default")
    body = config_map("settings")
    body["metadata"]["ownerReferences"] = [tab_reference(tabs["child"])]
    settings = world.client.create(ConfigMap, body, "default")
    patch = {"metadata": {"ownerReferences": [tab_reference(tabs["parent"]), reference(settings)]}}
    world.client.patch(crontabs, "kept", "default", patch)
    world.settle()
    world.client.delete(crontabs, "child", "default", propagation="Orphan")
    world.settle()
    assert left(world) == ["settings"]
    world.client.delete(crontabs, "parent", "default", propagation="Background")
    world.settle()
    [kept] = world.client.raw("GET", crontabs.path("default"))["items"]
    assert [each["name"] for each in kept["metadata"]["ownerReferences"]] == ["settings"]
    assert world.events() == []


def tab_reference(tab):
    meta = tab["metadata"]
    return {"apiVersion": tab["apiVersion"], "kind": tab["kind"], "name": meta["name"], "uid": meta["uid"]}


def test_a_kind_that_is_no_longer_served_is_watched_no_longer():
    world = World()
    collector = GarbageCollector(world.connect(), world.clock, world.chance)
    world.components = [collector, CustomResourceDefinitionController(world.connect(), world.clock, world.chance)]
    world.settle()
    watched = len(collector.informers)
    world.client.create(CustomResourceDefinition, definition())
    world.settle()
    assert len(collector.informers) == watched + 1
    world.client.delete(CustomResourceDefinition, definition()["metadata"]["name"])
    world.settle()
    assert len(collector.informers) == watched
    assert collector.next_deadline() == NEVER
