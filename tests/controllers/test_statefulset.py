from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import ControllerRevision, StatefulSet
from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.history import in_order
from k8slab.controllers.statefulset import StatefulSetController
from tests.client.fake_server import pod, workload
from tests.controllers.harness import Workloads, image_of
from tests.controllers.test_replicaset import Refusing


class Sets(Workloads):
    """A world with StatefulSets."""

    def __init__(self, wrap=None):
        super().__init__(wrap=wrap, also=[StatefulSetController])

    def create(self, replicas=3, image="nginx:1", **spec):
        return self.client.create(StatefulSet, workload("web", replicas, image, serviceName="web", **spec), "default")

    def update(self, **spec):
        self.change(spec, kind=StatefulSet)

    def set_image(self, image, name="web"):
        template = {"spec": {"containers": [{"name": "main", "image": image}]}}
        self.client.patch(StatefulSet, name, "default", {"spec": {"template": template}})

    def status(self):
        return self.client.get(StatefulSet, "web", "default").status

    def revisions(self):
        return in_order(self.client.list(ControllerRevision, "default"))

    def names(self):
        return [each.name for each in self.pods() if not each.metadata.deleting]

    def by_name(self):
        return {each.name: each.spec.containers[0].image for each in self.pods()}


@pytest.fixture
def world():
    return Sets()


def claims(**more):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"volumeClaimTemplates": [{"metadata": {"name": "www"}, "spec": spec}], **more}


def test_makes_its_pods_one_after_the_other(world):
    world.create()
    for count in (1, 2, 3):
        world.settle()
        assert world.names() == [f"web-{n}" for n in range(count)]
        world.bring_up()
    world.settle()
    assert world.events("SuccessfulCreate") == [
        f"create Pod web-{n} in StatefulSet web successful" for n in range(3)
    ]  # fmt: skip


def test_makes_them_all_at_once_if_told_so(world):
    world.create(podManagementPolicy="Parallel")
    world.settle()
    assert world.names() == ["web-0", "web-1", "web-2"]


def test_a_pod_has_a_name_that_stays(world):
    world.create(1)
    world.settle()
    [found] = world.pods()
    revision = world.status().update_revision
    assert found.metadata.labels == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": revision,
    }
    raw = world.client.raw("GET", Pod.resource.path("default", "web-0"))
    assert (raw["spec"]["hostname"], raw["spec"]["subdomain"]) == ("web-0", "web")
    world.client.delete(Pod, "web-0", "default")
    world.settle()
    [next_one] = world.pods()
    assert next_one.name == "web-0"
    assert next_one.uid != found.uid


def test_counts_from_where_it_is_told(world):
    world.create(2, ordinals={"start": 5})
    world.run()
    assert world.names() == ["web-5", "web-6"]


def test_removes_the_last_first_and_one_at_a_time(world):
    world.create()
    world.run()
    world.update(replicas=1)
    world.settle()
    assert world.names() == ["web-0"]
    assert world.events("SuccessfulDelete") == [
        "delete Pod web-2 in StatefulSet web successful",
        "delete Pod web-1 in StatefulSet web successful",
    ]


def test_the_status_tells_what_there_is(world):
    world.create()
    world.run()
    [revision] = world.revisions()
    status = world.status()
    assert (status.replicas, status.ready_replicas, status.available_replicas) == (3, 3, 3)
    assert (status.current_replicas, status.updated_replicas, status.observed_generation) == (3, 3, 1)
    assert status.current_revision == status.update_revision == revision.name


def test_a_pod_that_ended_is_made_anew(world):
    world.create(1)
    world.run()
    old = world.pods()[0].uid
    world.client.patch_status(Pod, "web-0", "default", {"phase": "Failed"})
    world.run()
    [found] = world.pods()
    assert found.uid != old
    assert found.ready


def test_an_update_goes_from_the_last_to_the_first(world):
    world.create()
    world.run()
    world.set_image("nginx:2")
    world.settle()
    assert world.by_name() == {"web-0": "nginx:1", "web-1": "nginx:1", "web-2": "nginx:2"}
    status = world.status()
    assert (status.updated_replicas, status.current_replicas) == (1, 2)
    world.run()
    assert world.images() == ["nginx:2"] * 3
    assert world.status().current_revision == world.revisions()[-1].name


def test_the_partition_holds_the_update_back_and_a_replacement_is_of_the_old_version(world):
    world.create(updateStrategy={"rollingUpdate": {"partition": 1}})
    world.run()
    world.set_image("nginx:2")
    world.run()
    assert world.by_name() == {"web-0": "nginx:1", "web-1": "nginx:2", "web-2": "nginx:2"}
    world.client.delete(Pod, "web-0", "default")
    world.run()
    assert world.by_name()["web-0"] == "nginx:1"
    world.update(updateStrategy={"rollingUpdate": {"partition": 0}})
    world.run()
    assert world.images() == ["nginx:2"] * 3


def test_an_update_on_delete_waits_for_somebody_to_delete(world):
    world.create(2, updateStrategy={"type": "OnDelete"})
    world.run()
    world.set_image("nginx:2")
    world.run()
    assert world.images() == ["nginx:1"] * 2
    world.client.delete(Pod, "web-1", "default")
    world.run()
    assert world.by_name() == {"web-0": "nginx:1", "web-1": "nginx:2"}


def test_a_version_that_comes_back_becomes_the_newest(world):
    world.create(1)
    world.run()
    world.set_image("nginx:2")
    world.run()
    first, second = world.revisions()
    world.set_image("nginx:1")
    world.run()
    assert [(each.name, each.revision) for each in world.revisions()] == [(second.name, 2), (first.name, 3)]
    assert image_of(world.revisions()[-1].data["spec"]["template"]) == "nginx:1"


def test_keeps_as_many_old_versions_as_it_is_told(world):
    world.create(1, revisionHistoryLimit=1)
    for number in range(1, 5):
        world.set_image(f"nginx:{number}")
        world.run()
    assert [each.revision for each in world.revisions()] == [3, 4]


def test_a_version_whose_name_is_taken_gets_another_name(world):
    world.create(1)
    world.run()
    [own] = world.revisions()
    world.client.delete(StatefulSet, "web", "default", propagation="Orphan")
    world.settle()
    world.client.patch(ControllerRevision, own.name, "default", {"metadata": {"labels": None}})
    world.create(1)
    world.run()
    assert world.status().collision_count == 1
    assert world.status().update_revision != own.name


def test_a_broken_version_must_be_deleted_by_hand_even_when_the_template_goes_back(world):
    world.create(2)
    world.run()
    world.set_image("broken")
    world.settle()
    world.set_image("nginx:1")
    world.settle()
    assert world.by_name() == {"web-0": "nginx:1", "web-1": "broken"}
    world.client.delete(Pod, "web-1", "default")
    world.run()
    assert world.images() == ["nginx:1"] * 2


def test_waits_until_a_pod_has_been_ready_for_long_enough(world):
    world.create(2, minReadySeconds=10)
    world.settle()
    world.bring_up()
    start = world.clock.now()
    while world.names() == ["web-0"]:
        assert world.status().available_replicas == 0
        world.clock.advance_to(world.clock.now() + 1)
        for component in world.components:
            component.step()
    assert world.clock.now() - start >= 10
    assert world.names() == ["web-0", "web-1"]


def test_each_pod_gets_its_claims_and_its_successor_gets_the_same(world):
    world.create(1, **claims())
    world.run()
    claim = world.client.get(PersistentVolumeClaim, "www-web-0", "default")
    raw = world.client.raw("GET", Pod.resource.path("default", "web-0"))
    assert raw["spec"]["volumes"][0] == {"name": "www", "persistentVolumeClaim": {"claimName": "www-web-0"}}
    assert claim.metadata.labels == {"app": "web"}
    assert "create Claim www-web-0 Pod web-0 in StatefulSet web success" in world.events()
    world.client.delete(Pod, "web-0", "default")
    world.run()
    assert world.client.get(PersistentVolumeClaim, "www-web-0", "default").uid == claim.uid


def test_claims_stay_when_pods_are_scaled_away_unless_told_otherwise(world):
    world.create(2, **claims())
    world.run()
    world.update(replicas=1)
    world.run()
    assert world.exists(PersistentVolumeClaim, "www-web-1")


def test_claims_may_go_with_the_pods_that_are_scaled_away_or_with_the_set(world):
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    world.create(2, **claims(persistentVolumeClaimRetentionPolicy=policy))
    world.run()
    owners = [each.metadata.owner_references for each in world.client.list(PersistentVolumeClaim, "default")]
    assert [owner.kind for [owner] in owners] == ["StatefulSet"] * 2
    world.update(replicas=1)
    world.settle()
    # The claim was given to its Pod, and the garbage collector took it when that was gone.
    assert [each.name for each in world.client.list(PersistentVolumeClaim, "default")] == ["www-web-0"]


def test_says_when_a_pod_can_not_be_made(world):
    world.create(1)
    world.settle()
    world.client.delete(Pod, "web-0", "default")
    client = world.components[-1].client
    client.transport = Refusing(client.transport, "POST")
    for _ in range(9):
        world.components[-1].step()
    assert world.events("FailedCreate") == [
        'create Pod web-0 in StatefulSet web failed error: exceeded quota: pods'
    ]  # fmt: skip
    client.transport.off = True
    world.run()
    assert world.names() == ["web-0"]


def test_adopts_a_pod_of_its_name_and_leaves_others_alone(world):
    world.client.create(Pod, pod("web-0"), "default")
    world.client.create(Pod, pod("stranger"), "default")
    world.create(1)
    world.run()
    owners = {each.name: each.metadata.controller for each in world.pods()}
    assert owners["web-0"].kind == "StatefulSet"
    assert owners["stranger"] is None


def test_gives_a_label_back_that_identity_rests_on(world):
    world.create(1)
    world.run()
    world.client.patch(Pod, "web-0", "default", {"metadata": {"labels": {"apps.kubernetes.io/pod-index": None}}})
    world.settle()
    assert world.pods()[0].metadata.labels["apps.kubernetes.io/pod-index"] == "0"


def test_a_set_that_is_deleted_makes_no_more_pods(world):
    world.create(1)
    world.run()
    world.client.delete(StatefulSet, "web", "default", propagation="Foreground")
    world.settle()
    with pytest.raises(NotFound):
        world.status()
    assert world.pods() == []


def slow(seed):
    return lambda world, transport, name: SlowWatch(
        transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1
    )


@settings(max_examples=25)
@given(
    st.integers(0, 100),
    st.lists(st.tuples(st.sampled_from([0, 2, 4]), st.sampled_from(["nginx:1", "nginx:2"])), min_size=1, max_size=3),
    st.sampled_from(["OrderedReady", "Parallel"]),
)
def test_slow_watches_change_nothing_about_the_end(seed, changes, policy):
    world = Sets(wrap=slow(seed))
    world.create(2, podManagementPolicy=policy)
    for replicas, image in changes:
        for _ in range(6):
            for component in world.components:
                component.step()
            world.bring_up()
            world.clock.advance_to(world.clock.now() + 1)
        world.update(replicas=replicas)
        world.set_image(image)
    world.run()
    replicas, image = changes[-1]
    assert world.by_name() == {f"web-{n}": image for n in range(replicas)}
    status = world.status()
    assert (status.replicas, status.updated_replicas, status.ready_replicas) == (replicas,) * 3
