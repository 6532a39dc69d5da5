"""A kubelet and a simulated runtime, through the API: what a Pod goes through on a node."""

from itertools import pairwise

import pytest

from k8slab import Cluster
from k8slab.api.core import Event, Pod

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.run_until_idle()
        yield cluster


def run(cluster, *command, name="web", image=AGNHOST, **spec):
    container = {"name": "main", "image": image} | ({"command": list(command)} if command else {})
    body = {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}
    cluster.client.create(Pod, body, "default")
    cluster.run_for(0)


def get(cluster, name="web"):
    return next((pod for pod in cluster.client.list(Pod, "default") if pod.name == name), None)


def waiting(cluster):
    [status] = get(cluster).status.container_statuses or [None]
    return status.state.waiting.reason if status and status.state.waiting else ""


def reasons(cluster, name="web"):
    found = [event for event in cluster.client.list(Event, "default") if event.involved_object["name"] == name]
    return [event.reason for event in sorted(found, key=lambda event: int(event.metadata.resource_version))]


def held(cluster):
    runtime = cluster._engine.runtimes["node-1"]
    return len(runtime.list_pod_sandboxes()), len(runtime.list_containers())


def test_a_pod_comes_up_with_five_events_and_few_writes(cluster):
    run(cluster)
    cluster.run_until_idle()
    assert get(cluster).status.phase == "Running"
    assert reasons(cluster) == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
    statuses = [record for record in cluster.server.audit if (record.plural, record.subresource) == ("pods", "status")]
    assert len(statuses) == 2


def test_an_image_that_is_here_already_is_not_pulled(cluster):
    run(cluster)
    cluster.run_until_idle()
    run(cluster, name="second")
    assert reasons(cluster, "second") == ["Scheduled", "Pulled", "Created", "Started"]


def test_an_image_that_cannot_be_had_is_tried_again_later_and_later(cluster):
    begin = cluster.now
    run(cluster, image="registry.k8s.io/no-such-image:1")
    seen = {}
    pulls = []
    for _ in range(750):
        cluster.run_for(0.1)
        seen.setdefault(waiting(cluster), None)
        count = sum(event.count for event in cluster.client.list(Event, "default") if event.reason == "Pulling")
        if count > len(pulls):
            pulls.append(round(cluster.now - begin))
    assert [reason for reason in seen if reason] == ["ErrImagePull", "ImagePullBackOff"]
    assert [later - before for before, later in pairwise(pulls)] == [10, 20, 40]


def test_a_container_that_crashes_is_started_again_later_and_later(cluster):
    run(cluster, "sh", "-c", "exit 1")
    began = cluster.now
    restarts = {}
    for _ in range(80):
        cluster.run_for("1s")
        [status] = get(cluster).status.container_statuses
        restarts.setdefault(status.restart_count, round(cluster.now - began))
    assert waiting(cluster) == "CrashLoopBackOff"
    assert [restarts[number] - restarts[number - 1] for number in (2, 3, 4)] == [10, 20, 40]
    assert "BackOff" in reasons(cluster)


def test_a_pod_that_is_deleted_has_its_time_to_stop(cluster):
    run(cluster, "sh", "-c", "trap '' TERM; sleep 3600", terminationGracePeriodSeconds=7)
    cluster.run_until_idle()
    cluster.client.delete(Pod, "web", "default")
    cluster.run_for("6s")
    assert get(cluster).metadata.deleting
    cluster.run_for("2s")
    assert get(cluster) is None
    assert held(cluster) == (0, 0)


def test_a_pod_that_is_removed_by_force_is_stopped_all_the_same(cluster):
    run(cluster)
    cluster.run_until_idle()
    cluster.client.delete(Pod, "web", "default", grace_period=0)
    cluster.run_for("60s")
    assert held(cluster) == (0, 0)


def test_a_kubelet_that_starts_anew_leaves_running_containers_alone(cluster):
    run(cluster)
    cluster.run_until_idle()
    before = get(cluster).status.container_statuses
    cluster.crash("kubelet-node-1")
    cluster.start("kubelet-node-1")
    cluster.run_for("60s")
    assert get(cluster).status.container_statuses == before
    assert held(cluster) == (1, 1)


def test_what_ended_while_no_kubelet_ran_is_seen_afterwards(cluster):
    run(cluster, "sh", "-c", "sleep 30", restartPolicy="Never")
    cluster.run_for("10s")
    cluster.crash("kubelet-node-1")
    cluster.run_for("60s")
    assert get(cluster).status.phase == "Running"
    cluster.start("kubelet-node-1")
    cluster.run_for("1s")
    assert get(cluster).status.phase == "Succeeded"


def test_containers_of_pods_that_went_while_no_kubelet_ran_are_removed(cluster):
    run(cluster)
    cluster.run_until_idle()
    cluster.crash("kubelet-node-1")
    cluster.client.delete(Pod, "web", "default", grace_period=0)
    assert held(cluster) == (1, 1)
    cluster.start("kubelet-node-1")
    cluster.run_for("60s")
    assert held(cluster) == (0, 0)


def test_init_containers_run_to_their_end_before_the_others_start(cluster):
    init = [{"name": name, "image": AGNHOST, "command": ["sh", "-c", "sleep 5"]} for name in ("one", "two")]
    run(cluster, initContainers=init)
    cluster.run_for("9s")
    assert get(cluster).status.phase == "Pending"
    cluster.run_for("10s")
    assert get(cluster).status.phase == "Running"
