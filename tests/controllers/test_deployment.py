from __future__ import annotations

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import Forbidden
from k8slab.controllers.deployment.revisions import DESIRED, HASH_LABEL, HISTORY, MAXIMUM, REVISION, template_hash
from tests.client.fake_server import workload


def test_makes_one_replica_set_for_a_version(world):
    body = world.deploy(replicas=3)
    world.settle()
    [rs] = world.sets()
    name_hash = template_hash(body["spec"]["template"], None)
    assert rs.name == f"web-{name_hash}"
    assert rs.spec.selector["matchLabels"] == {"app": "web", HASH_LABEL: name_hash}
    assert rs.metadata.annotations == {REVISION: "1", DESIRED: "3", MAXIMUM: "4"}
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {rs.name} from 0 to 3"]
    assert world.deployment().metadata.annotations[REVISION] == "1"


def test_tells_when_the_rollout_is_done(world):
    world.deploy(replicas=3)
    world.settle()
    assert world.condition("Available") == (
        "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    )  # fmt: skip
    world.run()
    name = world.sets()[0].name
    assert world.condition("Available") == (
        "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
    )  # fmt: skip
    assert world.condition("Progressing") == (
        "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'
    )  # fmt: skip
    status = world.deployment().status
    assert (status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas) == (3, 3, 3, 3)
    assert [each.type for each in status.conditions] == ["Available", "Progressing"]


def test_a_rolling_update_moves_within_its_fences_to_the_new_version(world):
    world.deploy(replicas=4)
    world.run()
    world.set_image("nginx:2")
    world.settle()
    assert world.sizes() == {"nginx:1": 3, "nginx:2": 2}
    while True:
        assert len([pod for pod in world.pods() if pod.active]) <= 5
        assert len([pod for pod in world.pods() if pod.ready]) >= 3
        unready = [pod for pod in world.pods() if not pod.ready]
        if not unready:
            break
        world.make_ready(unready[0])
        world.settle()
    assert world.images() == ["nginx:2"] * 4
    assert [rs.spec.replicas for rs in world.sets(active=False)] == [0, 4]


def test_a_rollout_that_fails_leaves_enough_of_the_old_version(world):
    world.deploy(replicas=4)
    world.run()
    world.set_image("broken")
    world.pass_time(100)
    assert len([pod for pod in world.pods() if pod.ready]) == 3
    assert world.condition("Available")[0] == "True"


def test_a_rollout_without_progress_times_out(world):
    world.deploy(replicas=2, progressDeadlineSeconds=60)
    world.settle()
    start = world.clock.now()
    world.pass_time(62)
    name = world.sets()[0].name
    assert world.condition("Progressing") == (
        "False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.'
    )  # fmt: skip
    assert world.clock.now() - start < 65
    world.run()
    assert world.condition("Progressing")[1] == "NewReplicaSetAvailable"


def test_progress_puts_the_deadline_off(world):
    world.deploy(replicas=2, progressDeadlineSeconds=60)
    world.settle()
    world.pass_time(50)
    world.make_ready(world.pods()[0])
    world.pass_time(50)
    assert world.condition("Progressing")[1] == "ReplicaSetUpdated"


def test_going_back_reuses_the_old_replica_set_under_a_new_number(world):
    world.deploy()
    world.run()
    for image in ("nginx:2", "nginx:1"):
        world.set_image(image)
        world.run()
    newer, older = world.sets(active=False)
    assert [rs.metadata.annotations[REVISION] for rs in (newer, older)] == ["2", "3"]
    assert older.metadata.annotations[HISTORY] == "1"
    assert world.images() == ["nginx:1"]
    assert world.deployment().metadata.annotations[REVISION] == "3"


def test_recreate_ends_all_old_pods_before_it_makes_new_ones(world):
    world.deploy(replicas=2, strategy={"type": "Recreate"})
    world.run()
    for pod in world.pods():
        world.client.patch(Pod, pod.name, "default", {"metadata": {"finalizers": ["example.com/wait"]}})
    world.set_image("nginx:2")
    world.settle()
    assert world.images() == ["nginx:1"] * 2
    for pod in world.pods():
        world.client.patch(Pod, pod.name, "default", {"metadata": {"finalizers": None}})
    world.run()
    assert world.images() == ["nginx:2"] * 2
    assert world.condition("Progressing")[1] == "NewReplicaSetAvailable"


def test_scaling_changes_the_replica_set_and_its_share(world):
    world.deploy(replicas=2)
    world.run()
    world.change({"replicas": 8})
    world.run()
    [rs] = world.sets()
    assert (rs.spec.replicas, rs.metadata.annotations[DESIRED], rs.metadata.annotations[MAXIMUM]) == (8, "8", "10")
    world.change({"replicas": 0})
    world.run()
    assert world.pods() == []
    assert world.condition("Available")[0] == "True"


def test_scaling_in_the_middle_of_a_rollout_gives_each_version_its_share(world):
    world.deploy(replicas=10, strategy={"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})
    world.run()
    world.set_image("broken")
    world.settle()
    assert world.sizes() == {"nginx:1": 8, "broken": 5}
    world.change({"replicas": 15})
    world.settle()
    assert world.sizes() == {"nginx:1": 11, "broken": 7}


def test_a_paused_deployment_scales_and_does_not_roll(world):
    world.deploy(replicas=2)
    world.run()
    world.change({"paused": True})
    world.set_image("nginx:2")
    world.change({"replicas": 3})
    world.run()
    assert world.images() == ["nginx:1"] * 3
    assert world.condition("Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
    world.change({"paused": False})
    world.run()
    assert world.images() == ["nginx:2"] * 3


def test_resuming_is_told_too(world):
    world.deploy(paused=True)
    world.settle()
    assert world.pods() == []
    world.change({"paused": False})
    world.deployments.step()
    assert world.condition("Progressing") == ("Unknown", "DeploymentResumed", "Deployment is resumed")


def test_versions_beyond_the_limit_are_deleted_oldest_first(world):
    world.deploy(revisionHistoryLimit=1)
    for number in range(1, 5):
        world.set_image(f"nginx:{number}")
        world.run()
    assert [rs.metadata.annotations[REVISION] for rs in world.sets(active=False)] == ["3", "4"]


def test_changing_what_is_not_in_the_template_makes_no_new_version(world):
    world.deploy()
    world.run()
    world.client.patch(Deployment, "web", "default", {"metadata": {"annotations": {"kubernetes.io/change-cause": "x"}}})
    world.run()
    [rs] = world.sets(active=False)
    assert rs.metadata.annotations["kubernetes.io/change-cause"] == "x"


def test_a_name_that_is_taken_is_avoided(world):
    body = workload("web")
    taken = f"web-{template_hash(world.deploy('probe')['spec']['template'], None)}"
    world.client.delete(Deployment, "probe", "default")
    body["spec"]["template"]["metadata"]["labels"] = {"app": "probe"}
    body["spec"]["selector"] = {"matchLabels": {"app": "probe"}}
    stranger = workload("other", 0)
    world.client.create(ReplicaSet, stranger | {"metadata": {"name": taken}}, "default")
    world.client.create(Deployment, body, "default")
    world.run()
    assert world.deployment().status.collision_count == 1
    [rs] = [rs for rs in world.client.list(ReplicaSet, "default") if rs.spec.replicas]
    assert rs.name != taken


def test_adopts_a_replica_set_of_its_template(world):
    body = world.deploy()
    world.run()
    world.client.delete(Deployment, "web", "default", propagation="Orphan")
    world.settle()
    again = world.deploy()
    world.run()
    [rs] = world.sets()
    assert rs.metadata.controller.uid == again["metadata"]["uid"] != body["metadata"]["uid"]
    assert len(world.pods()) == 1


def test_a_selector_that_selects_everything_is_refused_by_the_controller(world, monkeypatch):
    world.deploy()
    world.settle()
    deployment = world.deployment()
    empty = deployment.model_copy(update={"spec": deployment.spec.model_copy(update={"selector": {}})})
    monkeypatch.setattr(world.deployments.deployments, "get", lambda key: empty)
    world.deployments.reconcile("default/web")
    assert world.events("SelectingAll") == ["This deployment is selecting all pods. A non-empty selector is required."]


def test_a_failure_to_make_pods_shows_in_the_status(world):
    world.deploy()
    world.settle()
    [rs] = world.sets()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    failure["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    world.client.patch_status(ReplicaSet, rs.name, "default", {"conditions": [failure]})
    world.deployments.step()
    assert world.condition("ReplicaFailure") == ("True", "FailedCreate", "exceeded quota")


def test_an_idle_deployment_costs_no_writes(world):
    world.deploy(replicas=3)
    world.run()
    before = world.store.revision
    world.deployments.queue.add("default/web")
    world.pass_time(2000)
    assert world.store.revision == before


def test_min_ready_seconds_reach_the_pods_there_are(world):
    world.deploy()
    world.run()
    world.change({"minReadySeconds": 7})
    world.run()
    [rs] = world.sets()
    assert rs.spec.min_ready_seconds == 7


def test_without_a_deadline_nobody_asks_how_the_rollout_gets_on(world):
    world.deploy(progressDeadlineSeconds=2**31 - 1, paused=True)
    world.settle()
    world.change({"paused": False})
    world.run()
    assert [each.type for each in world.deployment().status.conditions] == ["Available"]


def test_a_replica_set_that_cannot_be_made_is_told_in_the_status(world, monkeypatch):
    def refuse(*args):
        raise Forbidden("exceeded quota: few")

    world.deploy()
    monkeypatch.setattr(world.deployments.client, "create", refuse)
    world.deployments.step()
    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("False", "ReplicaSetCreateError")
    assert message.startswith('Failed to create new replica set "web-')
    assert message.endswith("exceeded quota: few")
    monkeypatch.undo()
    world.run()
    assert world.condition("Progressing")[1] == "NewReplicaSetAvailable"


def test_a_deployment_of_nobody_is_done_at_once_and_names_its_replica_set(world):
    world.deploy(replicas=0)
    world.settle()
    [rs] = world.sets(active=False)
    [said] = [each.message for each in world.deployment().status.conditions if each.type == "Progressing"]
    assert said == f'ReplicaSet "{rs.name}" has successfully progressed.'


def test_a_new_replica_sets_pods_count_as_unavailable_from_the_first_status_on(world):
    world.deploy(replicas=3)
    while not world.deployment().status.observed_generation:
        world.deployments.step()
    assert world.deployment().status.unavailable_replicas == 3
