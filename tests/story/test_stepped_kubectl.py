"""The real kubectl on a virtual clock: what waits lets time pass, what ends it, and what stays usable afterwards."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.clock import Stopwatch, from_rfc3339
from k8slab.loop.kubectl import find_kubectl

SLEEPER = "create deployment sleeper --image=busybox --replicas=3 -- sleep 86400"


@pytest.fixture
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        yield cluster


def test_a_wait_that_never_succeeds_uses_its_own_timeout_of_virtual_time(cluster):
    cluster.kubectl("create deployment never --image=nowhere.example/none:1")
    before = cluster.now
    result = cluster.kubectl("wait --for=condition=Available deployment/never --timeout=300s")
    assert result.returncode != 0
    assert "timed out waiting for the condition" in result.stderr or "is over" in result.stderr
    assert cluster.now - before == 300


def test_rollout_status_waits_as_long_as_the_pulls_take_and_no_longer(cluster):
    cluster.kubectl(SLEEPER)
    assert "successfully rolled out" in cluster.kubectl("rollout status deployment/sleeper").stdout
    assert 0 < cluster.now - from_rfc3339(cluster.client.list(Pod)[0].metadata.creation_timestamp) < 60


def test_a_watch_shows_what_happens_in_its_virtual_seconds(cluster):
    before = cluster.now
    cluster.client.create(Pod, pod("one"), "default")
    result = cluster.kubectl("get pods -w", timeout="30s")
    states = [line.split()[2] for line in result.stdout.splitlines()[1:]]
    assert states[0] in ("Pending", "ContainerCreating")
    assert states[-1] == "Running"
    assert cluster.now - before == 30


def test_a_cordoned_node_is_drained_and_its_pods_live_elsewhere(cluster):
    cluster.kubectl(SLEEPER)
    cluster.run_until_idle()
    node = cluster.client.list(Pod)[0].spec.node_name
    result = cluster.kubectl(f"drain {node} --ignore-daemonsets --timeout=120s")
    assert f"node/{node} drained" in result.stdout, str(result)
    cluster.run_until_idle()
    pods = cluster.client.list(Pod)
    assert len(pods) == 3
    assert node not in {pod.spec.node_name for pod in pods}


def test_draining_gives_the_same_history_each_time():
    def tell() -> list[tuple[str, bytes | None]]:
        with Cluster(nodes=2, seed=3) as cluster:
            cluster.kubectl(SLEEPER)
            cluster.run_until_idle()
            cluster.kubectl("drain node-1 --ignore-daemonsets --timeout=120s")
            cluster.run_until_idle()
            return [(entry.key, entry.value) for entry in cluster.store.entries()]

    assert tell() == tell()


def test_commands_that_do_not_wait_move_no_time(cluster):
    before = cluster.now
    for command in ("get pods -A", "describe nodes", "api-resources", "explain pod.spec", "version"):
        cluster.kubectl(command)
    assert cluster.now == before


def test_ctrl_c_ends_kubectl_and_the_cluster_stays_usable(cluster):
    cluster.client.create(Pod, pod("one"), "default")
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    watch = Stopwatch()
    with pytest.raises(KeyboardInterrupt):
        cluster.kubectl("get pods -w", timeout="100000h")
    assert watch.elapsed() < 30
    assert "one" in cluster.kubectl("get pods").stdout


def test_a_program_outside_may_write_while_no_cell_runs(cluster):
    import subprocess

    done = subprocess.run(
        [find_kubectl(), "--kubeconfig", str(cluster.kubeconfig), "create", "deployment", "web", "--image=nginx"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(cluster.client.list(Pod)) == 1


def test_while_a_cluster_plays_kubectl_sees_time_pass(cluster):
    cluster.kubectl(SLEEPER)
    cluster.play(speed=3600)
    try:
        assert "successfully rolled out" in cluster.kubectl("rollout status deployment/sleeper").stdout
    finally:
        cluster.pause()


def test_ages_are_the_clusters_own(cluster):
    cluster.kubectl("create deployment web --image=nginx")
    cluster.run_for("50m")
    assert "50m" in cluster.kubectl("get deployment web").stdout
    assert "50m" in cluster.kubectl("describe deployment web").stdout


def pod(name: str) -> dict:
    spec = {"containers": [{"name": "main", "image": "nginx"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_events_are_as_old_as_the_cluster_says(cluster):
    cluster.kubectl("run aged --image=nginx")
    cluster.run_for(90)
    [line] = [each for each in cluster.kubectl("events --for pod/aged").stdout.splitlines() if " Scheduled " in each]
    assert line.split()[0] in ("90s", "91s")
