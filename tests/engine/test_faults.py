"""What goes wrong, what is seen of it, and that nothing but time is lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.coordination import Lease
from k8slab.api.core import ConfigMap, Event, Node, Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.rest import copy_of
from k8slab.clock import EPOCH, from_rfc3339
from k8slab.cluster import Cluster
from k8slab.cri.api import ContainerState, CriError, SandboxState
from k8slab.engine.faults import FAULTS
from k8slab.engine.inputs import Fault
from k8slab.kubelet.jobs import Outcome
from tests.engine.harness import PATIENCE, act, deployment, end_state, phase, pod, restarts

SCHEDULER, KUBELET = "kube-scheduler", "kubelet-node-1"
CRASHING = pod(image="busybox:1.36", command=["sh", "-c", "exit 1"])


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        yield cluster


def create(cluster, name="web", **more):
    cluster.client.create(Pod, pod(name, **more), "default")


def node_of(cluster, name="web"):
    return cluster.client.get(Pod, name, "default").spec.node_name


def running(cluster, node="node-1"):
    return [each for each in cluster._engine.runtimes[node].list_containers() if each.state is ContainerState.RUNNING]


# What can be asked for.


def test_every_row_of_the_table_is_a_sentence_and_has_its_own_name():
    assert all(kind.says.endswith(".") and FAULTS[kind.name] is kind for kind in FAULTS.values())


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("earthquake", {}, r"unknown fault 'earthquake'; there are: slow-watch, .*container-crash"),
        ("crash", {"node": "node-1"}, r"the fault 'crash' takes no 'node'; it takes: component"),
        ("crash", {}, r"the fault 'crash' needs component=\.\.\., one of: .*kube-scheduler"),
        ("crash", {"component": "etcd"}, r"unknown component 'etcd'; there are: .*kube-scheduler"),
        ("cut-off", {"component": "etcd-lessor"}, r"unknown component 'etcd-lessor'; there are: "),
        ("node-lost", {"node": "node-9"}, r"unknown node 'node-9'; there are: node-1"),
        ("api-errors", {"component": SCHEDULER, "share": 2}, r"cannot take share=2: a share is a number from 0 to 1"),
        ("api-errors", {"component": SCHEDULER, "share": "x"}, r"cannot take share='x': a share is a number"),
        ("api-errors", {"component": SCHEDULER, "share": float("nan")}, r"a share is a number from 0 to 1"),
        ("api-errors", {"component": SCHEDULER, "code": 404}, r"cannot take code=404: there are: 429, 503"),
        ("api-errors", {"component": SCHEDULER, "code": "x"}, r"cannot take code='x': there are: 429, 503"),
        ("api-latency", {"component": SCHEDULER, "seconds": "soon"}, r"cannot take seconds='soon': not a duration"),
        ("api-latency", {"component": SCHEDULER, "seconds": -1}, r"cannot take seconds=-1: a duration is 0 or more"),
        ("api-latency", {"component": SCHEDULER, "seconds": []}, r"cannot take seconds=\[\]: write for example '60s'"),
        ("clock-rate", {"component": SCHEDULER, "rate": 0}, r"a clock runs 0\.1 to 10 times as fast as a right one"),
        ("clock-rate", {"component": SCHEDULER, "rate": "x"}, r"a clock runs 0\.1 to 10 times"),
        ("freeze", {"component": SCHEDULER, "before": "noon"}, r"cannot take before='noon': there are: now, write"),
        ("clock-skew", {"component": SCHEDULER}, r"the fault 'clock-skew' needs ahead=\.\.\.$"),
        ("clock-skew", {"component": SCHEDULER, "ahead": float("inf")}, r"a clock is wrong by ten years at most"),
        ("clock-skew", {"component": SCHEDULER, "ahead": float("nan")}, r"a clock is wrong by ten years at most"),
        ("clock-skew", {"component": SCHEDULER, "ahead": "-"}, r"an empty text is not a duration"),
    ],
)
def test_what_makes_no_sense_is_answered_by_what_there_is(cluster, name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        cluster.fault(name, **arguments)


def test_durations_are_read_as_everywhere(cluster):
    assert cluster.fault("clock-skew", component=SCHEDULER, ahead="-1m30s").arguments["ahead"] == -90
    assert cluster.fault("slow-watch", component=SCHEDULER, delay="500ms").arguments["delay"] == 0.5


def test_an_input_that_is_not_in_form_is_refused_before_it_is_noted(cluster):
    before = len(cluster._engine.lived)
    with pytest.raises(ValueError, match="needs all of its arguments in form"):
        cluster._engine.take(Fault("api-latency", {"component": SCHEDULER}))
    with pytest.raises(ValueError, match="unknown component 'nobody'"):
        cluster._engine.take(Fault("cut-off", {"component": "nobody"}, ends=True))
    with pytest.raises(ValueError, match="the fault 'restart' happens once: there is nothing to end"):
        cluster._engine.take(Fault("restart", {"component": SCHEDULER}, ends=True))
    assert len(cluster._engine.lived) == before


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if kind.end is not None])
def test_to_end_what_has_not_begun_changes_nothing(cluster, name):
    given = {"component": SCHEDULER, "node": "node-1", "ahead": 5, "rate": 2, "where": "docker.io"}
    wanted = {each.name: given[each.name] for each in FAULTS[name].arguments if each.name in given}
    state, revision = cluster._engine.lines[SCHEDULER].state, cluster.store.revision
    cluster.fault(name, **wanted).stop()
    cluster.run_for(0)
    assert (cluster._engine.lines[SCHEDULER].state, cluster.store.revision) == (state, revision)


# Watches.


def test_a_slow_watch_tells_late(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=10, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
        assert node_of(cluster) == ""
        cluster.run_for(10)
        assert node_of(cluster) == "node-1"


def test_when_the_bad_day_is_over_all_is_told_at_once(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=100, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
    cluster.run_for(0)
    assert node_of(cluster) == "node-1"


def test_a_kubelet_is_not_idle_while_its_watch_holds_news_back(cluster):
    with cluster.fault("slow-watch", component=KUBELET, delay=9, repeat=0, lose=0):
        create(cluster)
        cluster.run_until_idle()
        assert phase(cluster) == "Running"


def test_a_worse_day_follows_a_bad_one(cluster):
    cluster.fault("slow-watch", component=SCHEDULER, delay=1, repeat=0, lose=0).start()
    cluster.fault("slow-watch", component=SCHEDULER, delay=1000, repeat=0, lose=0).start()
    create(cluster)
    cluster.run_for(1)
    assert node_of(cluster) == ""


def test_who_has_lost_its_watches_lists_anew(cluster):
    cluster.fault("dropped-watch", component=SCHEDULER).start()
    create(cluster)
    cluster.run_for(0)
    assert node_of(cluster) == "node-1"


# The line.


def test_who_is_cut_off_does_nothing_and_catches_up(cluster):
    with cluster.fault("cut-off", component=SCHEDULER):
        create(cluster)
        cluster.run_for(60)
        assert node_of(cluster) == ""
    cluster.run_for(1)
    assert node_of(cluster) == "node-1"


def test_a_line_that_is_cut_twice_is_mended_twice(cluster):
    with cluster.fault("cut-off", component=KUBELET):
        with cluster.fault("node-partitioned", node="node-1"):
            create(cluster)
        cluster.run_for(30)
        assert phase(cluster) == "Pending"
    cluster.run_until_idle()
    assert phase(cluster) == "Running"


def test_news_that_is_held_back_behind_a_cut_stops_no_clock(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=5, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
        with cluster.fault("cut-off", component=SCHEDULER):
            cluster.run_for(60)
    cluster.run_for(1)
    assert node_of(cluster) == "node-1"


def test_each_request_takes_its_time(cluster):
    with cluster.fault("api-latency", component=SCHEDULER, seconds=3):
        create(cluster)
        cluster.run_for(0)
        assert node_of(cluster) == "node-1"  # what it asked for is done at once, and it waits for the answer
        create(cluster, "other")
        cluster.run_for(2.9)
        assert node_of(cluster, "other") == ""
        cluster.run_for(10)
        assert node_of(cluster, "other") == "node-1"


@pytest.mark.parametrize("code", [429, 503])
def test_requests_fail_and_are_tried_again(cluster, code):
    with cluster.fault("api-errors", component=SCHEDULER, share=1, code=code):
        create(cluster)
        cluster.run_for(30)
        assert node_of(cluster) == ""
    cluster.run_until_idle()
    assert node_of(cluster) == "node-1"


def test_a_share_of_requests_fails_by_the_seed():
    ends = []
    for _ in range(2):
        with Cluster(nodes=1, seed=3) as cluster, cluster.fault("api-errors", component=KUBELET, share=0.7):
            cluster.client.create(Deployment, deployment("web", 3), "default")
            cluster.run_until_idle("1h")
            ends.append(cluster._engine.log_digest())
            assert end_state(cluster)["containers"] == ["web"] * 3
    assert ends[0] == ends[1]


# Nodes.


def test_a_lost_node_takes_its_containers_with_it_and_brings_them_back(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for(100)
        assert (running(cluster), KUBELET in cluster.components) == ([], False)
        assert phase(cluster) == "Running"  # nobody is there to say otherwise
        lease = cluster.client.get(Lease, "node-1", "kube-node-lease")
        assert cluster.now - from_rfc3339(lease.spec.renew_time) >= 100
    cluster.run_until_idle()
    assert (len(running(cluster)), restarts(cluster)) == (1, 1)


def test_what_was_deleted_while_a_node_was_lost_is_gone_when_it_is_back(cluster):
    create(cluster, "asked")
    create(cluster, "forced")
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.client.delete(Pod, "asked", "default")
        cluster.client.delete(Pod, "forced", "default", grace_period=0)
        cluster.run_for(60)
        assert [each.name for each in cluster.client.list(Pod)] == ["asked"]
    cluster.run_until_idle()
    assert (cluster.client.list(Pod), cluster._engine.runtimes["node-1"].list_pod_sandboxes()) == ([], [])


def test_a_pod_that_runs_once_has_failed_with_its_node(cluster):
    create(cluster, restartPolicy="Never")
    cluster.run_until_idle()
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for(5)
    cluster.run_until_idle()
    assert phase(cluster) == "Failed"


def test_a_partitioned_node_runs_on_and_hears_of_a_deletion_later(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.client.delete(Pod, "web", "default")
        cluster.run_for(60)
        assert len(running(cluster)) == 1
    cluster.run_until_idle()
    assert (running(cluster), cluster.client.list(Pod)) == ([], [])


def test_a_partitioned_node_starts_a_crashed_container_again_and_tells_later(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.fault("dropped-watch", component=KUBELET).start()
        cluster.fault("container-crash", pod="web").start()
        cluster.run_for(30)
        assert ([each.attempt for each in running(cluster)], restarts(cluster)) == ([1], 0)
    cluster.run_until_idle()
    assert restarts(cluster) == 1


def test_nobody_gets_into_a_container_of_a_partitioned_node(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"), pytest.raises(ApiError, match="connection refused"):
        cluster.client.raw("GET", "/api/v1/namespaces/default/pods/web/log")


# Components.


@pytest.mark.parametrize("component", ["etcd-lessor", "replicaset-controller", SCHEDULER, KUBELET])
def test_a_component_that_crashed_can_be_started_again(cluster, component):
    with cluster.fault("crash", component=component):
        assert component not in cluster.components
        cluster.fault("crash", component=component).start()  # it cannot crash twice
    assert component in cluster.components
    create(cluster)
    cluster.run_until_idle()
    assert phase(cluster) == "Running"


def test_a_restarted_kubelet_adopts_what_runs(cluster):
    create(cluster)
    cluster.run_until_idle()
    before = running(cluster)
    switch = cluster.fault("restart", component=KUBELET).start()
    cluster.run_for(30)
    assert (running(cluster), restarts(cluster), switch.active) == (before, 0, False)


# Clocks.


def test_a_component_with_a_wrong_clock_says_wrong_times(cluster):
    with cluster.fault("clock-skew", component=SCHEDULER, ahead="1h"):
        create(cluster)
        cluster.run_for(0)
    [scheduled] = [each for each in cluster.client.list(Event) if each.reason == "Scheduled"]
    assert from_rfc3339(scheduled.model_dump(by_alias=True)["firstTimestamp"]) == EPOCH + 3600


def test_after_it_the_clock_is_right_again(cluster):
    with cluster.fault("clock-skew", component=KUBELET, ahead="-1h"):
        cluster.run_for(20)
        renewed = from_rfc3339(cluster.client.get(Lease, "node-1", "kube-node-lease").spec.renew_time)
        assert renewed < EPOCH - 3500
    cluster.run_for(20)
    renewed = from_rfc3339(cluster.client.get(Lease, "node-1", "kube-node-lease").spec.renew_time)
    assert cluster.now - 11 <= renewed <= cluster.now


@pytest.mark.parametrize("ahead", [0.1, -0.3, 1 / 3, "400s", "-400s", "3650d"])
def test_whatever_the_clock_says_timers_go_on(cluster, ahead):
    with (
        cluster.fault("clock-skew", component=KUBELET, ahead=ahead),
        cluster.fault("clock-skew", component="replicaset-controller", ahead=ahead),
        cluster.fault("slow-watch", component=KUBELET, delay=3, repeat=0, lose=0),
        cluster.fault("slow-watch", component="replicaset-controller", delay=3, repeat=0, lose=0),
    ):
        cluster.client.create(Deployment, deployment("web", 2), "default")
        cluster.run_for(30)
        assert end_state(cluster)["containers"] == ["web", "web"]


def test_containers_go_by_the_clock_of_their_machine(cluster):
    with cluster.fault("clock-skew", component=KUBELET, ahead="400s"):
        cluster.client.create(Pod, CRASHING, "default")
        cluster.run_for(60)
        assert restarts(cluster) == 3  # after 10, 20 and 40 seconds, as ever
        ended = cluster.client.get(Pod, "web", "default").status.container_statuses[0].last_state.terminated
        assert from_rfc3339(ended.finished_at) > cluster.now + 300


def test_a_clock_that_runs_fast_makes_timers_come_early(cluster):
    def renewals(seconds):
        before = len(cluster.history().of("kube-node-lease/leases/node-1"))
        cluster.run_for(seconds)
        return len(cluster.history().of("kube-node-lease/leases/node-1")) - before

    with cluster.fault("clock-rate", component="kubelet-node-1", rate=4.0):
        assert 38 <= renewals(100) <= 41
    assert 9 <= renewals(100) <= 11


def test_containers_end_in_time_however_fast_their_kubelets_clock_runs(cluster):
    for number, rate in enumerate((0.3, 1.7, 3.0)):
        with cluster.fault("clock-rate", component="kubelet-node-1", rate=rate):
            name = f"web-{number}"
            cluster.client.create(Pod, pod(name, command=["sleep", "7"], restartPolicy="Never"), "default")
            cluster.run_for(20)
            assert phase(cluster, name) == "Succeeded"


def test_a_clock_can_be_wrong_in_both_ways_and_be_set_right_one_by_one(cluster):
    skew = cluster.fault("clock-skew", component=SCHEDULER, ahead=100).start()
    rate = cluster.fault("clock-rate", component=SCHEDULER, rate=2).start()
    cluster.run_for(10)
    assert cluster._engine._clock_of(SCHEDULER).now() - cluster.now == 110
    skew.stop()
    cluster.run_for(10)
    assert cluster._engine._clock_of(SCHEDULER).now() - cluster.now == 10
    rate.stop()
    assert cluster._engine._clock_of(SCHEDULER).now() == cluster.now


def test_who_stands_still_does_nothing_and_then_goes_on(cluster):
    with cluster.fault("freeze", component=SCHEDULER):
        cluster.client.create(Pod, pod(), "default")
        cluster.run_for(60)
        assert phase(cluster) == "Pending"
    cluster.run_for(5)
    assert phase(cluster) == "Running"


def test_who_stands_still_holds_up_nobody(cluster):
    cluster.client.create(Pod, pod(), "default")
    with cluster.fault("freeze", component=SCHEDULER):
        cluster.run_until_idle()


def test_who_stands_still_before_it_writes_writes_by_what_it_knew(cluster):
    with cluster.fault("freeze", component="replicaset-controller", before="write"):
        cluster.client.create(ReplicaSet, deployment("web", 2), "default")
        cluster.run_for(10)
        cluster.client.patch(ReplicaSet, "web", "default", {"spec": {"replicas": 0}})
        cluster.run_for(10)
        assert cluster.client.list(Pod, "default") == []
    cluster.run_for(0)
    assert len(cluster.history().of("pods/").by("replicaset-controller")) == 2
    cluster.run_for(60)
    assert cluster.client.list(Pod, "default") == []


def test_who_never_writes_does_not_stand_still(cluster):
    with cluster.fault("freeze", component=SCHEDULER, before="write"):
        cluster.run_for(60)
        assert not cluster._engine.lines[SCHEDULER].frozen
    cluster.client.create(Pod, pod(), "default")
    cluster.run_for(5)
    assert phase(cluster) == "Running"


def test_a_wrong_clock_starts_nobody_who_does_not_run(cluster):
    with cluster.fault("node-lost", node="node-1"):
        with cluster.fault("clock-skew", component=KUBELET, ahead=5):
            assert KUBELET not in cluster.components
        assert KUBELET not in cluster.components


# Images and containers.


def test_an_image_cannot_be_had_and_then_it_can(cluster):
    with cluster.fault("image-pull-failure", where="docker.io", message="i/o timeout"):
        create(cluster)
        cluster.run_for(8)
        waiting = cluster.client.get(Pod, "web", "default").status.container_statuses[0].state.waiting
        assert (waiting.reason, "i/o timeout" in waiting.message) == ("ImagePullBackOff", True)
    cluster.run_for(60)
    assert phase(cluster) == "Running"


def test_a_container_that_is_killed_is_noticed_at_once(cluster):
    create(cluster)
    cluster.run_until_idle()
    cluster.fault("container-crash", pod="web").start()
    cluster.run_for(0)
    ended = cluster.client.get(Pod, "web", "default").status.container_statuses[0].last_state.terminated
    assert (restarts(cluster), ended.exit_code, ended.reason) == (1, 137, "Error")


def test_only_what_runs_can_be_killed(cluster):
    create(cluster, restartPolicy="Never")
    with pytest.raises(ValueError, match="no node runs a Pod 'web' in the namespace 'default'; see: kubectl"):
        cluster.fault("container-crash", pod="web").start()
    cluster.run_until_idle()
    with pytest.raises(ValueError, match="no container 'side' runs in the Pod 'web'; running: main"):
        cluster.fault("container-crash", pod="web", container="side").start()
    cluster.fault("container-crash", pod="web").start()
    with pytest.raises(ValueError, match="no container runs in the Pod 'web'; running: none"):
        cluster.fault("container-crash", pod="web").start()


# A kubelet loses nothing but time.


def test_a_kubelet_tells_the_end_of_a_pod_before_it_lets_it_go(cluster):
    create(cluster, restartPolicy="Never")
    cluster.run_until_idle()
    cluster.client.delete(Pod, "web", "default")
    told = []
    cluster.store.subscribe(
        lambda entries: told.extend(each.value for each in entries if b"pods/" in each.key.encode())
    )
    line = cluster._engine.lines[KUBELET]
    send = line._inner.send
    line._inner.send = lambda request: busy() if request.method == "DELETE" else send(request)
    cluster.run_for(60)
    line._inner.send = send
    create(cluster, "other")  # so that the runtime is looked at anew
    cluster.run_until_idle()
    assert [each.name for each in cluster.client.list(Pod)] == ["other"]
    last = [each for each in told if each and b'"name":"web"' in each][-1]
    assert b'"terminated"' in last
    assert b"ContainerCreating" not in last


def busy():
    from k8slab.client.line import ERRORS, _answer

    return _answer(ERRORS[503]())


def test_a_runtime_that_cannot_remove_is_asked_again(cluster, monkeypatch):
    create(cluster)
    cluster.run_until_idle()
    runtime = cluster._engine.kubelets["node-1"].runtime
    syncer = cluster._engine.kubelets["node-1"].syncer
    remove, failures = syncer.remove, [1, 2, 3]

    def fail(state):
        if failures.pop():
            raise CriError("Unavailable", "the disk is busy")

    monkeypatch.setattr(syncer, "remove", lambda state: fail(state) if failures else remove(state))
    cluster.client.delete(Pod, "web", "default")
    cluster.run_until_idle()
    assert (cluster.client.list(Pod), runtime.list_pod_sandboxes()) == ([], [])


def test_a_node_whose_server_answers_now_and_then_is_not_lost(cluster):
    with cluster.fault("api-errors", component=KUBELET, share=0.5):
        for _ in range(60):
            cluster.run_for(10)
            lease = cluster.client.get(Lease, "node-1", "kube-node-lease")
            assert cluster.now - from_rfc3339(lease.spec.renew_time) < 40


def test_a_deleted_node_stays_away_until_its_kubelet_is_started_again(cluster):
    cluster.client.delete(Node, "node-1")
    cluster.run_for(400)
    assert cluster.client.list(Node) == cluster.client.list(Lease) == []
    cluster.fault("restart", component=KUBELET).start()
    cluster.run_for(0)
    assert [each.name for each in cluster.client.list(Node)] == ["node-1"]


def test_a_deleted_node_registers_anew_though_its_requests_fail(cluster):
    cluster.client.delete(Node, "node-1")
    with cluster.fault("api-errors", component=KUBELET, share=0.9):
        cluster.fault("restart", component=KUBELET).start()
        cluster.run_for(400)
    cluster.run_for(15)
    assert [each.name for each in cluster.client.list(Node)] == ["node-1"]


def test_an_end_is_noticed_though_something_else_ends_at_the_same_moment(cluster):
    create(cluster, "once", image="busybox:1.36", command=["sh", "-c", "sleep 9"], restartPolicy="Never")
    stubborn = pod("stubborn", image="busybox:1.36", command=["sh", "-c", "trap '' TERM; sleep 999"])
    stubborn["spec"]["terminationGracePeriodSeconds"] = 2
    cluster.client.create(Pod, stubborn, "default")
    cluster.run_until_idle()
    [once] = [each for each in running(cluster) if each.labels["io.kubernetes.pod.name"] == "once"]
    cluster.run_for(once.started_at + 9 - 2 - cluster.now)
    cluster.client.delete(Pod, "stubborn", "default")
    cluster.run_for(10)
    assert phase(cluster, "once") == "Succeeded"


@pytest.mark.parametrize("ulps", [-1, 0, 1, 2, 3])
def test_a_runtime_is_never_looked_at_again_at_the_same_moment(cluster, monkeypatch, ulps):
    kubelet = cluster._engine.kubelets["node-1"]
    for _ in range(20):
        cluster.run_for(0.1)
        change = cluster.now + ulps * math.ulp(cluster.now)
        monkeypatch.setattr(kubelet.runtime, "next_change", lambda change=change: change)
        kubelet.pleg.plan()
        assert cluster.now < kubelet.pleg.relist_at <= cluster.now + 0.2
        monkeypatch.undo()


def test_a_pod_that_has_ended_gives_its_address_back_though_news_is_late(cluster):
    with cluster.fault("slow-watch", component=KUBELET, delay=5, repeat=0, lose=0):
        create(cluster, image="busybox:1.36", command=["sh", "-c", "sleep 3"], restartPolicy="Never")
        cluster.run_for(60)
    assert [each.state for each in cluster._engine.runtimes["node-1"].list_pod_sandboxes()] == [SandboxState.NOTREADY]


def test_a_kubelet_that_was_started_finds_the_sandbox_of_a_pod_that_has_ended(cluster):
    create(cluster, image="busybox:1.36", command=["sh", "-c", "sleep 3"], restartPolicy="Never")
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.run_for(10)
        cluster.fault("crash", component=KUBELET).start()
    cluster.client.patch_status(Pod, "web", "default", {"phase": "Succeeded"})
    cluster.fault("crash", component=KUBELET).stop()
    cluster.run_until_idle()
    assert [each.state for each in cluster._engine.runtimes["node-1"].list_pod_sandboxes()] == [SandboxState.NOTREADY]


def test_a_kubelet_that_was_started_behind_a_cut_removes_what_is_not_to_be_here_once_it_knows(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.client.delete(Pod, "web", "default", grace_period=0)
        cluster.fault("restart", component=KUBELET).start()
        cluster.run_for(30)
        assert len(running(cluster)) == 1
    cluster.run_until_idle()
    assert cluster._engine.runtimes["node-1"].list_pod_sandboxes() == []


# Whatever happens, the end is the same.

COMPONENTS = ("deployment-controller", "replicaset-controller", SCHEDULER, KUBELET, "kubelet-node-2",
              "garbage-collector-controller")  # fmt: skip
component = st.sampled_from(COMPONENTS)
node = st.sampled_from(["node-1", "node-2"])
faults = st.one_of(
    st.tuples(
        st.just("slow-watch"),
        st.fixed_dictionaries(
            {"component": component, "delay": st.sampled_from([1, 5, 20]), "repeat": st.sampled_from([0, 0.3]),
             "lose": st.sampled_from([0, 0.2])}
        ),
    ),
    st.tuples(
        st.sampled_from(["dropped-watch", "cut-off", "crash", "restart"]), st.fixed_dictionaries({"component": component})
    ),
    st.tuples(st.sampled_from(["node-lost", "node-partitioned"]), st.fixed_dictionaries({"node": node})),
    st.tuples(
        st.just("clock-skew"),
        st.fixed_dictionaries({"component": component, "ahead": st.sampled_from([-400, -0.3, 0.1, 20, 400])}),
    ),
    st.tuples(
        st.just("api-latency"),
        st.fixed_dictionaries({"component": component, "seconds": st.sampled_from([0.1, 1, 5])}),
    ),
    st.tuples(
        st.just("api-errors"),
        st.fixed_dictionaries(
            {"component": component, "share": st.sampled_from([0.3, 0.8, 1]), "code": st.sampled_from([429, 503])}
        ),
    ),
    st.tuples(st.just("image-pull-failure"), st.fixed_dictionaries({"where": st.just("docker.io")})),
)  # fmt: skip
ROLLOUT = (
    ("create", "web", 3), ("create", "shop", 2), ("image", "web", "nginx:1.29"), ("delete", "shop"), ("scale", "web", 5),
    ("delete_pod", 0), ("image", "web", "nginx:1.27"),
)  # fmt: skip


@settings(max_examples=25)
@given(
    st.lists(st.tuples(faults, st.floats(0, 40, width=16), st.sampled_from([0.5, 5, 30])), min_size=1, max_size=6),
    st.lists(st.sampled_from([0, 0.5, 2.5, 10]), min_size=len(ROLLOUT), max_size=len(ROLLOUT)),
)
def test_faults_around_a_rollout_change_nothing_about_its_end(disasters, gaps):
    assert roll_out(disasters, gaps) == roll_out([], gaps)


def roll_out(disasters, gaps):
    """The end of a rollout, with these faults while it goes on."""
    plan, when = [], 0.0
    for gap, what in zip(gaps, ROLLOUT, strict=True):
        when += gap
        plan.append((when, lambda cluster, what=what: act(cluster, *what)))
    for (name, arguments), begins, lasts in disasters:
        plan.append((begins, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).start()))
        if FAULTS[name].end is not None:
            plan.append((begins + lasts, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).stop()))
    with Cluster(nodes=2, seed=5) as cluster:
        for when, happens in sorted(plan, key=lambda each: each[0]):
            cluster.run_for(max(0, EPOCH + when - cluster.now))
            happens(cluster)
        cluster.run_until_idle("2h")
        cluster.run_for(PATIENCE)
        cluster.run_until_idle("2h")
        return end_state(cluster)


# The same for Pods of one's own: ones that end, ones that do not want to, ones that wait for a ConfigMap.

ONES_OWN = (
    pod("once", image="busybox:1.36", command=["sh", "-c", "sleep 5"], restartPolicy="Never"),
    pod("fails", image="busybox:1.36", command=["sh", "-c", "sleep 3; exit 2"], restartPolicy="Never"),
    pod("waits", image="busybox:1.36", command=["sh", "-c", "sleep 999999"]),
    pod("stubborn", image="busybox:1.36", command=["sh", "-c", "trap '' TERM; sleep 999999"]),
    pod("forced"),
)
kubelet_faults = st.one_of(
    st.tuples(st.sampled_from(["cut-off", "crash", "restart", "dropped-watch"]), st.just({})),
    st.tuples(st.just("slow-watch"), st.sampled_from([{"delay": 1}, {"delay": 6, "lose": 0.3}])),
    st.tuples(st.just("api-errors"), st.sampled_from([{"share": 0.4}, {"share": 1}])),
    st.tuples(st.just("api-latency"), st.sampled_from([{"seconds": 0.1}, {"seconds": 2}])),
    st.tuples(st.just("clock-skew"), st.sampled_from([{"ahead": -0.3}, {"ahead": 7}, {"ahead": 400}])),
)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(kubelet_faults, st.floats(0, 30, width=16), st.sampled_from([0.5, 4, 20])), min_size=1, max_size=5
    ),
    st.sampled_from([4, 10, 20]),
    st.integers(0, 99),
)
def test_faults_of_a_kubelet_change_nothing_about_the_end_of_its_pods(disasters, deletes, seed):
    assert live_with(disasters, deletes, seed) == live_with([], deletes, seed)


def live_with(disasters, deletes, seed):
    """What has become of one's own Pods, with these faults of their kubelet."""
    happen = [(0.5 * number, lambda cluster, body=body: make(cluster, body)) for number, body in enumerate(ONES_OWN)]
    happen.append((6.0, lambda cluster: cluster.client.create(ConfigMap, {"metadata": {"name": "conf"}}, "default")))
    happen.append((deletes, lambda cluster: cluster.client.delete(Pod, "stubborn", "default", grace_period=3)))
    happen.append((deletes, lambda cluster: cluster.client.delete(Pod, "forced", "default", grace_period=0)))
    for (name, arguments), begins, lasts in disasters:
        arguments = {"component": KUBELET, **arguments}
        happen.append((begins, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).start()))
        if FAULTS[name].end is not None:
            happen.append((begins + lasts, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).stop()))
    with Cluster(nodes=1, seed=seed) as cluster:
        for when, it in sorted(happen, key=lambda each: each[0]):
            cluster.run_for(max(0, EPOCH + when - cluster.now))
            it(cluster)
        cluster.run_until_idle("2h")
        cluster.run_for(60)
        cluster.run_until_idle("2h")
        return own_end(cluster)


def make(cluster, body):
    body = copy_of(body)
    if body["metadata"]["name"] == "waits":
        body["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "conf"}}]
    cluster.client.create(Pod, body, "default")


def own_end(cluster):
    runtime = cluster._engine.runtimes["node-1"]
    ready = [each.name for each in runtime.list_pod_sandboxes() if each.state is SandboxState.READY]
    known = {each.uid for each in cluster.client.list(Pod)}
    orphans = [each.name for each in runtime.list_pod_sandboxes() if each.uid not in known]
    names = sorted(each.labels["io.kubernetes.pod.name"] for each in running(cluster))
    return [(each.name, each.status.phase, each.ready) for each in cluster.client.list(Pod)], names, ready, orphans


def test_a_fault_that_is_mended_in_other_words_is_no_longer_active(cluster):
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    assert list(cluster.engine.faults) == ["image-pull-failure where=registry.k8s.io"]
    cluster.registry.heal("registry.k8s.io")
    assert cluster.engine.faults == {}


def test_a_fault_that_gets_worse_is_still_one_fault(cluster):
    cluster.fault("api-latency", component=KUBELET, seconds=1).start()
    cluster.fault("api-latency", component=KUBELET, seconds=2).start()
    assert [fault.arguments["seconds"] for fault in cluster.engine.faults.values()] == [2.0]


def test_a_job_that_ends_while_another_pod_is_synced_is_news_about_its_own_pod(cluster, monkeypatch):
    create(cluster, "one")
    create(cluster, "two")
    cluster.run_until_idle()
    kubelet = cluster.engine.kubelets["node-1"]
    one, two = (cluster.client.get(Pod, name, "default").uid for name in ("one", "two"))
    ended = iter([[], [Outcome(two)]])  # nothing at the beginning of the step, and then, from a thread, the other's job
    monkeypatch.setattr(kubelet.jobs, "finished", lambda: next(ended, []))
    kubelet._mark(one)
    kubelet.step()
    assert two in kubelet._dirty
