from __future__ import annotations

from itertools import pairwise

import pytest

from k8slab import Cluster
from k8slab.lab.drawing import Bar, Mark
from k8slab.lab.pictures.timeline import timeline
from tests.lab.worlds import create

from .lives import make, parts, pod, pods


def bars(picture, lane: str) -> list[Bar]:
    return [each for each in picture.model.bars if each.lane == lane]


def marks(picture, lane: str) -> list[Mark]:
    return [each for each in picture.model.marks if each.lane == lane]


def test_by_component_what_happens_at_one_moment_is_one_mark(young):
    picture = timeline(*parts(young))
    assert marks(picture, "kube-scheduler")[0].label == "binds 2 Pods"
    assert marks(picture, "replicaset-controller")[0].label == "creates 2 Pods"
    assert picture.model.lanes[0] == "you"
    assert picture.model.lanes[-1] == "kubelet-node-2"


def test_a_pull_lasts_until_its_kubelet_says_so(young):
    pull = bars(timeline(*parts(young)), "kubelet-node-1")[0]
    assert (pull.label, round(pull.end - pull.start, 1)) == ("PullImage nginx", 1.9)


def test_pulls_of_a_node_go_one_after_the_other_each_for_its_own_pod():
    with Cluster(nodes=1, seed=1) as cluster:
        for number, image in enumerate(("nginx:1.27", "nginx", "busybox:1.36")):
            make(cluster, pod(f"p{number}", "sleep", "100", image=image))
        cluster.run_for("30s")
        found = [each for each in bars(timeline(*parts(cluster)), "kubelet-node-1") if each.kind == "pull"]
    assert [each.object for each in found] == ["Pod/default/p0", "Pod/default/p1", "Pod/default/p2"]
    assert all(one.end == other.start for one, other in pairwise(found))


def test_a_pull_that_fails_is_called_so():
    with Cluster(nodes=1, seed=1) as cluster:
        make(cluster, pod("bad", image="nowhere.example/x:1"))
        cluster.run_for("5s")
        found = [each for each in bars(timeline(*parts(cluster)), "kubelet-node-1") if each.kind == "pull"]
    assert found[0].label == "PullImage nowhere.example/x:1 failed"


def test_by_object_a_lane_holds_states_and_what_was_done(young):
    picture = timeline(*parts(young), "deploy/web")
    lanes = picture.model.lanes
    assert lanes[:2] == ("you", "Deployment/web")
    assert lanes[2].startswith("ReplicaSet/web-")
    assert [each.label for each in bars(picture, "Deployment/web")][-1] == "3/3 ready"
    assert [each.label for each in marks(picture, "Deployment/web")] == [
        "created with 2 replicas by you",
        "scaled to 3 by you",
    ]
    lane = f"Pod/{pods(young)[0]}"
    assert [each.label for each in bars(picture, lane) if each.kind == "Pod"] == ["ContainerCreating", "Running"]
    assert marks(picture, lane)[0].label.startswith("created, bound to node-")


def test_a_rollout_lasts_until_all_pods_are_new_and_available(old):
    rollouts = [each for each in timeline(*parts(old), "deploy/web").model.bars if each.kind == "rollout"]
    assert [each.label for each in rollouts] == ["rollout of nginx", "rollout of nginx:1.27"]
    assert all(1 < each.end - each.start < 20 for each in rollouts)


def test_a_lost_node_is_a_bar_and_its_lease_and_its_containers_end(old):
    picture = timeline(*parts(old))
    fault = bars(picture, "faults")[0]
    assert fault.label == "node-lost node-2"
    assert fault.end - fault.start == 90
    stopped = next(each for each in bars(picture, "kubelet-node-2") if each.label == "stopped")
    assert (stopped.start, stopped.end) == (fault.start, fault.end)
    lease = next(each for each in bars(picture, "kubelet-node-2") if each.kind == "Lease")
    assert fault.start < lease.end < fault.end
    running = [each for each in bars(picture, "kubelet-node-2") if each.kind == "container"]
    assert running
    assert not [each for each in running if each.start < fault.start and each.end > fault.start]
    assert not [each for each in running if fault.start <= each.start < fault.end]


def test_a_window_cuts_what_is_longer(old):
    model = timeline(*parts(old), start="70s", end="80s", component="kubelet-node-1").model
    times = [each.start - model.origin for each in model.bars] + [each.at - model.origin for each in model.marks]
    assert all(0 <= each <= 10 for each in times)
    assert {each.lane for each in model.bars if each.kind != "fault"} == {"kubelet-node-1"}


def test_what_did_not_run_for_a_while_is_not_ended_where_it_still_does_not():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.crash("kube-scheduler")
        create(cluster, "web", 1)
        cluster.run_for("5s")
        assert [each.end for each in bars(timeline(*parts(cluster)), "kube-scheduler")] == [None]


@pytest.mark.parametrize(
    ("fault", "arguments", "lane", "told"),
    [
        ("cut-off", {"component": "kubelet-node-1"}, "kubelet-node-1", "cut off"),
        ("node-partitioned", {"node": "node-1"}, "kubelet-node-1", "partitioned"),
        ("clock-skew", {"component": "kube-scheduler", "ahead": "7s"}, "kube-scheduler", "clock +7s"),
        ("slow-watch", {"component": "kube-scheduler"}, "kube-scheduler", "hears late"),
        ("api-latency", {"component": "kube-scheduler"}, "kube-scheduler", "each request takes 1s"),
        ("api-errors", {"component": "kube-scheduler"}, "kube-scheduler", "50% of requests fail (503)"),
        ("crash", {"component": "kube-scheduler"}, "kube-scheduler", "stopped"),
    ],
)
def test_a_fault_is_a_bar_in_the_lane_of_whom_it_befell(fault, arguments, lane, told):
    with Cluster(nodes=1, seed=1) as cluster:
        with cluster.fault(fault, **arguments):
            cluster.run_for("3s")
            assert [each.end for each in bars(timeline(*parts(cluster)), lane) if each.label == told] == [None]
        cluster.run_for("3s")
        found = [each for each in bars(timeline(*parts(cluster)), lane) if each.label == told]
    assert [each.end - each.start for each in found] == [3]
    assert found[0].kind == "fault"


def test_commands_that_changed_nothing_are_shown_if_asked_for():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create configmap one")
        cluster.kubectl("get pods")
        cluster.kubectl("delete pod nope")
        few, all_ = (marks(timeline(*parts(cluster), looks=looks), "you") for looks in (False, True))
    assert [each.label for each in few] == ["kubectl create configmap one", "kubectl delete pod nope"]
    assert [each.label for each in all_][1] == "kubectl get pods"


def test_one_replica_is_one():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        text = str(timeline(*parts(cluster)))
    assert "with 1 replica\n" in text


def test_the_same_life_has_the_same_text():
    texts = []
    for _ in range(2):
        with Cluster(nodes=2, seed=3) as cluster:
            create(cluster, "web", 2)
            cluster.run_for("20s")
            texts.append(str(timeline(*parts(cluster))) + str(timeline(*parts(cluster), "deploy/web")))
    assert texts[0] == texts[1]


def test_lanes_that_there_are_not_are_refused(young):
    with pytest.raises(ValueError, match="a timeline is by component or by object, not by 'colour'"):
        timeline(*parts(young), by="colour")


def test_a_registry_that_is_healed_in_other_words_is_a_bar_that_ends():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.registry.fail("registry.k8s.io", "no such host")
        cluster.run_for("5s")
        cluster.registry.heal("registry.k8s.io")
        [broken] = [each for each in timeline(*parts(cluster)).model.bars if each.lane == "faults"]
        assert broken.end - broken.start == 5
