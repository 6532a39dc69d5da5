from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.policy import PodDisruptionBudget, PodDisruptionBudgetSpec
from k8slab.apimachinery.errors import TooManyRequests
from k8slab.apimachinery.scheme import Resource
from k8slab.clock import to_rfc3339
from k8slab.controllers.budget import counts, needs_scale, share_of
from k8slab.controllers.disruption import DisruptionController, in_go
from tests.client.fake_server import pod
from tests.controllers.harness import Workloads


@pytest.mark.parametrize(
    ("spec", "pods", "scale", "expected"),
    [
        ({"minAvailable": 2}, 3, 0, (3, 2)),
        ({"minAvailable": "50%"}, 3, 3, (3, 2)),
        ({"maxUnavailable": 1}, 3, 3, (3, 2)),
        ({"maxUnavailable": "50%"}, 3, 3, (3, 1)),
        ({"maxUnavailable": 5}, 3, 3, (3, 0)),
        ({}, 3, 0, (3, 0)),
    ],
)
def test_how_many_must_be_healthy(spec, pods, scale, expected):
    assert counts(PodDisruptionBudgetSpec.model_validate(spec), pods, scale) == expected


def test_percentages_are_of_what_there_should_be_and_rounded_up():
    assert share_of("34%", 3) == 2
    assert needs_scale(PodDisruptionBudgetSpec.model_validate({"minAvailable": "34%"}))
    assert not needs_scale(PodDisruptionBudgetSpec.model_validate({"minAvailable": 2}))


class Disrupted(Workloads):
    def __init__(self):
        super().__init__()
        self.disruptions = DisruptionController(self.connect(), self.clock, self.chance)
        self.components.append(self.disruptions)
        self.disruptions.step()

    def budget(self, **spec):
        body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}
        self.client.create(PodDisruptionBudget, body, "default")
        self.settle()

    def status(self):
        return self.client.get(PodDisruptionBudget, "web", "default").status

    def evict(self, name):
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
        self.client.raw("POST", Pod.resource.path("default", name, "eviction"), body=body)


@pytest.fixture
def world():
    world = Disrupted()
    world.deploy(replicas=3)
    world.settle()
    world.bring_up()
    world.settle()
    return world


def test_a_budget_says_how_many_may_be_missed(world):
    world.budget(minAvailable=2)
    status = world.status()
    assert (status.expected_pods, status.desired_healthy, status.current_healthy) == (3, 2, 3)
    assert status.disruptions_allowed == 1
    [condition] = status.conditions
    assert (condition.type, condition.status, condition.reason) == ("DisruptionAllowed", "True", "SufficientPods")


def test_of_a_deployment_it_counts_what_the_deployment_wants(world):
    world.budget(maxUnavailable="34%")
    assert world.status().expected_pods == 3
    world.change({"replicas": 6})
    world.settle()
    status = world.status()
    assert (status.expected_pods, status.desired_healthy, status.disruptions_allowed) == (6, 3, 0)


def test_a_second_eviction_has_to_wait_until_the_first_is_made_good(world):
    world.budget(minAvailable=2)
    one, two, _ = world.pods()
    world.evict(one.name)
    with pytest.raises(TooManyRequests, match="Cannot evict pod as it would violate the pod's disruption budget"):
        world.evict(two.name)
    world.settle()
    assert world.status().disruptions_allowed == 0
    world.bring_up()
    world.settle()
    world.evict(two.name)


def test_an_eviction_that_came_to_nothing_is_forgotten_after_two_minutes(world):
    world.budget(minAvailable=2)
    [first, *_] = world.pods()
    when = to_rfc3339(world.clock.now())
    world.client.patch_status(
        PodDisruptionBudget, "web", "default", {"disruptedPods": {first.name: when}, "disruptionsAllowed": 0}
    )
    world.disruptions.step()
    world.disruptions.step()
    assert world.status().current_healthy == 2
    world.pass_time(121)
    assert (world.status().current_healthy, world.status().disrupted_pods) == (3, {})
    assert world.events("NotDeleted") == ["Pod was expected by PDB default/default to be deleted but it wasn't"]


def test_bare_pods_can_only_be_counted_by_number():
    world = Disrupted()
    world.client.create(Pod, pod(), "default")
    world.budget(minAvailable=1)
    assert world.status().expected_pods == 1
    world.client.patch(PodDisruptionBudget, "web", "default", {"spec": {"minAvailable": None, "maxUnavailable": 1}})
    world.settle()
    assert world.status().expected_pods == 0
    [told] = world.events("UnmanagedPods")
    assert told.startswith(
        "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]"
    )


def test_an_owner_without_a_scale_is_a_problem_that_is_told():
    world = Disrupted()
    body = pod()
    jobs = Resource("batch", "v1", "jobs", "Job")
    template = {"spec": {"restartPolicy": "Never", "containers": body["spec"]["containers"]}}
    job = world.client.create(jobs, {"metadata": {"name": "x"}, "spec": {"template": template}}, "default")
    uid = job["metadata"]["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": uid, "controller": True}
    body["metadata"]["ownerReferences"] = [owner]
    world.client.create(Pod, body, "default")
    world.budget(maxUnavailable=1)
    fault = "jobs.batch does not implement the scale subresource"
    assert world.events("CalculateExpectedPodCountFailed") == [
        f"Failed to calculate the number of expected pods: {fault}"
    ]
    [condition] = world.status().conditions
    assert (condition.reason, condition.message) == ("SyncFailed", fault)


def test_of_a_pod_that_was_to_go_and_did_not_it_is_said_no_longer_after_two_minutes(world):
    [first, *_] = world.pods()
    said = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "preempted"}
    condition = said | {"lastTransitionTime": to_rfc3339(world.clock.now())}
    world.client.patch_status(Pod, first.name, "default", {"conditions": [condition]})
    world.settle()
    world.pass_time(119)
    assert world.client.get(Pod, first.name, "default").condition("DisruptionTarget").status == "True"
    world.pass_time(2)
    found = world.client.get(Pod, first.name, "default").condition("DisruptionTarget")
    assert (found.status, found.reason, found.message) == ("False", "", "")


def test_an_owner_that_is_gone_is_no_controller(world):
    world.client.delete(Deployment, "web", "default", propagation="Orphan")
    world.settle()
    world.client.delete(ReplicaSet, world.sets()[0].name, "default", propagation="Orphan")
    world.components.remove(world.collector)
    world.components.remove(world.replicasets)
    [first, *_] = world.pods()
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gone", "uid": "1", "controller": True}
    world.client.patch(Pod, first.name, "default", {"metadata": {"ownerReferences": [owner]}})
    world.budget(maxUnavailable=1)
    [condition] = world.status().conditions
    assert condition.message == f'found no controllers for pod "{first.name}"'


def test_a_budget_over_nobody_says_so(world):
    world.client.delete(Deployment, "web", "default", propagation="Background")
    world.settle()
    world.budget(minAvailable=1)
    assert world.events("NoPods") == ["No matching pods found"]


def test_a_selector_is_told_as_go_prints_it():
    assert in_go({"matchLabels": {"b": "2", "a": "1"}}) == (
        "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{},}"
    )
    assert in_go({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}) == (
        "&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{"
        "LabelSelectorRequirement{Key:a,Operator:In,Values:[1 2],},},}"
    )


def test_what_is_as_it_was_is_not_written_again(world):
    world.budget(minAvailable=2)
    revision = world.store.revision
    world.disruptions.queue.add("default/web")
    world.disruptions.step()
    assert world.store.revision == revision
