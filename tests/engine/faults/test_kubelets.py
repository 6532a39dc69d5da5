"""Whatever is broken around a kubelet, it loses nothing but time."""

from __future__ import annotations

import math

import pytest

from k8slab.api.coordination import Lease
from k8slab.api.core import Node, Pod
from k8slab.clock import from_rfc3339
from k8slab.cri.api import CriError, SandboxState
from k8slab.kubelet.jobs import Outcome
from tests.engine.faults.harness import KUBELET, create, running
from tests.engine.harness import phase, pod


def test_a_kubelet_tells_the_end_of_a_pod_before_it_lets_it_go(cluster):
    create(cluster, restartPolicy="Never")
    cluster.run_until_idle()
    cluster.client.delete(Pod, "web", "default")
    told = []
    cluster.store.subscribe(
        lambda entries: told.extend(each.value for each in entries if b"pods/" in each.key.encode())
    )
    line = cluster._engine.processes.lines[KUBELET]
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
    syncer = cluster._engine.kubelets["node-1"].workers.syncer
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


def test_a_job_that_ends_while_another_pod_is_synced_is_news_about_its_own_pod(cluster, monkeypatch):
    create(cluster, "one")
    create(cluster, "two")
    cluster.run_until_idle()
    kubelet = cluster.engine.kubelets["node-1"]
    one, two = (cluster.client.get(Pod, name, "default").uid for name in ("one", "two"))
    ended = iter([[], [Outcome(two)]])  # nothing at the beginning of the step, and then, from a thread, the other's job
    monkeypatch.setattr(kubelet.jobs, "finished", lambda: next(ended, []))
    kubelet.workers.mark(one)
    kubelet.step()
    assert two in kubelet.workers._dirty
