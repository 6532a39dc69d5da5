from __future__ import annotations

import pytest

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Namespace, Pod
from k8slab.apimachinery.errors import Forbidden
from k8slab.clock import NEVER
from k8slab.controllers.pod_control import BURST
from tests.client.fake_server import pod, workload


def create(world, replicas=3, **spec):
    return world.client.create(ReplicaSet, workload("web", replicas, **spec), "default")


def status(world):
    return world.client.get(ReplicaSet, "web", "default").status


def counts(world):
    found = status(world)
    return found.replicas, found.ready_replicas, found.available_replicas


def scale(world, replicas):
    world.change({"replicas": replicas}, kind=ReplicaSet)


class Refusing:
    """A transport that refuses some requests."""

    def __init__(self, inner, method):
        self.inner, self.method, self.refused, self.off = inner, method, 0, False

    def send(self, request):
        if request.method != self.method or "/pods" not in request.path or self.off:
            return self.inner.send(request)
        self.refused += 1
        raise Forbidden("exceeded quota: pods")


def refuse(world, method):
    client = world.replicasets.client
    client.transport = Refusing(client.transport, method)
    return client.transport


def test_makes_as_many_pods_as_there_should_be(world):
    rs = create(world)
    world.settle()
    pods = world.pods(app="web")
    assert len(pods) == 3
    assert all(each.name.startswith("web-") and each.metadata.controller.uid == rs["metadata"]["uid"] for each in pods)
    assert sorted(world.events("SuccessfulCreate")) == sorted(f"Created pod: {each.name}" for each in pods)


def test_the_status_tells_how_many_are_there_and_ready(world):
    create(world)
    world.settle()
    assert counts(world) == (3, 0, 0)
    world.make_ready(*world.pods()[:2])
    world.settle()
    assert counts(world) == (3, 2, 2)
    assert (status(world).fully_labeled_replicas, status(world).observed_generation) == (3, 1)


def test_replaces_a_pod_that_was_deleted(world):
    create(world)
    world.settle()
    gone = world.pods()[0]
    world.client.delete(Pod, gone.name, "default")
    world.settle()
    assert len(world.pods()) == 3
    assert gone.name not in [each.name for each in world.pods()]


def test_replaces_a_pod_that_failed_and_leaves_it_to_be_looked_at(world):
    create(world, 1)
    world.settle()
    world.client.patch_status(Pod, world.pods()[0].name, "default", {"phase": "Failed"})
    world.settle()
    assert sorted(each.status.phase for each in world.pods()) == ["Failed", "Pending"]
    assert counts(world) == (1, 0, 0)


def test_a_pod_that_takes_its_time_to_go_is_replaced_and_counted_as_terminating(world):
    create(world, 1)
    world.settle()
    name = world.pods()[0].name
    world.client.patch(Pod, name, "default", {"metadata": {"finalizers": ["example.com/wait"]}})
    world.client.delete(Pod, name, "default")
    world.settle()
    assert (len(world.pods()), status(world).replicas, status(world).terminating_replicas) == (2, 1, 1)
    world.client.patch_status(Pod, name, "default", {"phase": "Failed"})
    world.settle()
    assert status(world).terminating_replicas == 0


def test_deletes_those_that_are_not_ready_first(world):
    create(world)
    world.settle()
    ready = world.pods()[1]
    world.make_ready(ready)
    scale(world, 1)
    world.settle()
    assert [each.name for each in world.pods()] == [ready.name]
    assert len(world.events("SuccessfulDelete")) == 2


def test_a_reconcile_makes_no_more_than_the_burst_and_the_next_one_the_rest(world):
    create(world, BURST + 20)
    world.settle()
    assert len(world.pods()) == BURST + 20


def test_does_nothing_twice_while_its_cache_lags_behind(world):
    create(world)
    world.replicasets.step()
    assert len(world.pods()) == 3
    scale(world, 4)
    world.replicasets.pods.drain = lambda: False  # its watch is late
    world.replicasets.step()
    assert len(world.pods()) == 3
    del world.replicasets.pods.drain
    world.settle()
    assert len(world.pods()) == 4


def test_acts_anyway_when_news_never_comes(world):
    create(world)
    world.replicasets.step()
    pods = world.replicasets.pods
    pods._watch.poll()  # the news is lost
    world.settle()
    for each in world.pods():
        world.client.delete(Pod, each.name, "default")
    world.settle()
    assert world.pods() == []
    world.pass_time(302)
    assert len(world.pods()) == 3


def test_adopts_a_pod_that_fits_and_nobody_manages(world):
    world.client.create(Pod, pod("stray"), "default")
    create(world, 2)
    world.settle()
    assert len(world.pods()) == 2
    assert world.client.get(Pod, "stray", "default").metadata.controller.name == "web"


def test_a_stray_pod_too_many_is_deleted(world):
    create(world, 2)
    world.settle()
    world.make_ready(*world.pods())
    world.client.create(Pod, pod("stray"), "default")
    world.settle()
    assert "stray" not in [each.name for each in world.pods()]


def test_lets_go_of_a_pod_whose_labels_no_longer_fit_and_makes_another(world):
    create(world, 1)
    world.settle()
    name = world.pods()[0].name
    world.client.patch(Pod, name, "default", {"metadata": {"labels": {"app": "quarantine"}}})
    world.settle()
    assert world.client.get(Pod, name, "default").metadata.owner_references == ()
    assert (len(world.pods(app="web")), counts(world)) == (1, (1, 0, 0))


def test_a_pod_counts_as_available_only_after_min_ready_seconds(world):
    create(world, 1, minReadySeconds=30)
    world.settle()
    start = world.clock.now()
    world.make_ready(*world.pods())
    world.replicasets.step()
    world.replicasets.step()
    assert counts(world) == (1, 1, 0)
    world.settle()
    assert counts(world) == (1, 1, 1)
    assert 30 <= world.clock.now() - start < 32


def test_where_pods_cannot_be_made_one_request_finds_it_out(world):
    wire = refuse(world, "POST")
    create(world, 100)
    world.replicasets.step()
    assert wire.refused == 1
    [condition] = status(world).conditions
    assert (condition.type, condition.status, condition.reason) == ("ReplicaFailure", "True", "FailedCreate")
    assert "exceeded quota: pods" in condition.message
    assert world.events("FailedCreate")[0].startswith("Error creating: ")


def test_tries_again_and_takes_its_complaint_back(world):
    wire = refuse(world, "POST")
    create(world)
    for _ in range(3):
        world.replicasets.step()
        world.clock.advance_to(world.clock.now() + 1)
    wire.off = True
    world.settle()
    assert len(world.pods()) == 3
    assert status(world).conditions == ()


def test_a_pod_that_cannot_be_deleted_is_told_of(world):
    create(world)
    world.settle()
    wire = refuse(world, "DELETE")
    scale(world, 2)
    world.replicasets.step()
    assert status(world).conditions[0].reason == "FailedDelete"
    wire.off = True
    world.settle()
    assert len(world.pods()) == 2


def test_a_namesake_starts_anew(world):
    create(world)
    world.settle()
    world.client.delete(ReplicaSet, "web", "default", propagation="Orphan")
    world.settle()
    assert not world.exists(ReplicaSet, "web")
    rs = create(world)
    world.settle()
    assert {each.metadata.controller.uid for each in world.pods()} == {rs["metadata"]["uid"]}
    assert len(world.pods()) == 3


def test_makes_no_pods_in_another_namespace(world):
    world.client.create(Namespace, {"metadata": {"name": "other"}})
    world.client.create(Pod, pod("stray"), "other")
    create(world)
    world.settle()
    assert world.client.get(Pod, "stray", "other").metadata.controller is None


@pytest.mark.parametrize("replicas", [0, 1, 5])
def test_an_idle_replica_set_costs_no_writes(world, replicas):
    create(world, replicas)
    world.run()
    before = world.store.revision
    world.replicasets.queue.add("default/web")
    world.pass_time(1000)
    assert world.store.revision == before


def test_it_looks_again_when_the_next_pod_becomes_available(world):
    create(world, 2, minReadySeconds=10)
    while world.replicasets.step():
        pass
    start = world.clock.now()
    for each, when in zip(world.pods(), (start, start + 6), strict=True):
        world.clock.advance_to(when)
        world.make_ready(each)
        while world.replicasets.step():
            pass
    for when in (start + 10, start + 16):
        assert world.replicasets.next_work() == when
        world.clock.advance_to(when)
        while world.replicasets.step():
            pass
    assert counts(world) == (2, 2, 2)


def test_gives_up_in_a_namespace_that_is_being_deleted(world):
    world.client.create(Namespace, {"metadata": {"name": "shop"}})
    world.client.create(ReplicaSet, workload("web", 0), "shop")
    world.client.delete(Namespace, "shop")
    world.client.patch(ReplicaSet, "web", "shop", {"spec": {"replicas": 3}})
    world.settle()
    assert world.replicasets.queue.failures("shop/web") == 0
    assert world.replicasets.next_work() == NEVER


def test_a_failure_that_is_over_leaves_no_trace_in_the_status(world, monkeypatch):
    def refuse(*args):
        raise Forbidden("exceeded quota: few")

    world.deploy()
    world.deployments.step()
    create = world.replicasets.client.create
    monkeypatch.setattr(world.replicasets.client, "create", refuse)
    world.replicasets.step()
    [rs] = world.client.list(ReplicaSet, "default")
    assert [each.reason for each in rs.status.conditions] == ["FailedCreate"]
    monkeypatch.setattr(world.replicasets.client, "create", create)
    world.run()
    assert b'"conditions":[]' not in world.store.get("/registry/replicasets/default/" + rs.name).value
