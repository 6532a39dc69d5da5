from __future__ import annotations

import pytest

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.labels import from_label_selector
from k8slab.client.controller_ref import claim, reference_to
from tests.client.fake_server import World, pod, workload


@pytest.fixture
def world():
    return World()


@pytest.fixture
def owner(world):
    return ReplicaSet.of(world.client.create(ReplicaSet, workload(), "default"))


def make_pod(world, name, owner=None, app="web"):
    body = pod(name, {"app": app})
    if owner is not None:
        body["metadata"]["ownerReferences"] = [reference_to(owner)]
    return Pod.of(world.client.create(Pod, body, "default"))


def claimed(world, owner):
    found = claim(world.client, owner, from_label_selector(owner.spec.selector), world.pods())
    return [each.name for each in found]


def manager(world, name="one"):
    controller = world.client.get(Pod, name, "default").metadata.controller
    return controller and controller.uid


def test_what_it_manages_and_selects_it_keeps(world, owner):
    make_pod(world, "one", owner)
    before = world.store.revision
    assert claimed(world, owner) == ["one"]
    assert world.store.revision == before


def test_what_nobody_manages_it_adopts(world, owner):
    make_pod(world, "one")
    assert claimed(world, owner) == ["one"]
    assert manager(world) == owner.uid


def test_what_it_no_longer_selects_it_releases(world, owner):
    make_pod(world, "one", owner, app="db")
    assert claimed(world, owner) == []
    assert manager(world) is None


def test_what_another_manages_it_leaves_alone(world, owner):
    other = ReplicaSet.of(world.client.create(ReplicaSet, workload() | {"metadata": {"name": "other"}}, "default"))
    make_pod(world, "one", other)
    assert claimed(world, owner) == []
    assert manager(world) == other.uid


def test_an_owner_that_goes_neither_adopts_nor_releases(world, owner):
    make_pod(world, "free")
    make_pod(world, "one", owner, app="db")
    going = owner.model_copy(
        update={"metadata": owner.metadata.model_copy(update={"deletion_timestamp": "2026-01-01T00:00:00Z"})}
    )
    assert claimed(world, going) == []
    assert (manager(world, "free"), manager(world, "one")) == (None, owner.uid)


def test_an_owner_that_is_gone_past_the_cache_adopts_nobody(world, owner):
    make_pod(world, "one")
    world.client.delete(ReplicaSet, owner.name, "default", propagation="Background")
    with pytest.raises(NotFound):
        claimed(world, owner)
    world.client.create(ReplicaSet, workload(), "default")
    with pytest.raises(NotFound, match=r"original ReplicaSet default/web is gone"):
        claimed(world, owner)
    assert manager(world) is None


def test_what_goes_meanwhile_is_not_claimed(world, owner):
    one = make_pod(world, "one")
    world.client.delete(Pod, "one", "default")
    assert claim(world.client, owner, from_label_selector(owner.spec.selector), [one]) == []
