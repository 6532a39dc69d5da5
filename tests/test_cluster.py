"""The facade: what a notebook does with a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Node, Pod
from k8slab.clock import EPOCH
from k8slab.mistake import Mistake

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"
HELLO = f"create deployment hello-node --image={AGNHOST} -- /agnhost netexec --http-port=8080"


@pytest.fixture
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        yield cluster


def phases(cluster: Cluster) -> list[str]:
    return [pod.status.phase for pod in cluster.client.list(Pod)]


def test_a_new_cluster_has_ready_nodes_and_no_time_has_passed(cluster):
    nodes = cluster.client.list(Node)
    assert [node.metadata.name for node in nodes] == ["node-1", "node-2", "node-3"]
    assert all(node.condition("Ready").status == "True" for node in nodes)
    assert cluster.now == EPOCH


def test_hello_node_runs_after_the_readmes_five_lines(cluster):
    assert str(cluster.kubectl(HELLO)) == "deployment.apps/hello-node created"
    cluster.run_until_idle()
    assert "1/1     Running   0" in cluster.kubectl("get pods -o wide").stdout
    assert cluster.kubectl("get deployment hello-node -o json").json()["status"]["readyReplicas"] == 1


def test_time_passes_only_when_asked(cluster):
    cluster.kubectl(HELLO)
    before = cluster.now
    cluster.kubectl("get pods")
    assert cluster.now == before
    cluster.run_for("60s")
    assert cluster.now == before + 60


def test_run_until_waits_for_what_i_name(cluster):
    cluster.kubectl(HELLO)
    cluster.run_until(lambda: phases(cluster) == ["Running"])
    assert phases(cluster) == ["Running"]


def test_steps_are_named_and_add_up_to_the_same(cluster):
    cluster.client.create(Deployment, deployment("web", 2), "default")
    steps = []
    while phases(cluster) != ["Running", "Running"]:
        steps.append(cluster.step())
    assert {"deployment-controller", "replicaset-controller", "kube-scheduler"} <= set(steps)


def test_the_history_says_who_wrote_what_and_when(cluster):
    cluster.kubectl(HELLO)
    cluster.run_until_idle()
    history = cluster.history()
    revisions = [change.revision for change in history]
    assert revisions == sorted(revisions)
    assert [change.verb for change in history.of("deployments/hello-node") if "kubectl" in change.who] == ["create"]
    assert history.by("replicaset-controller").of("pods/hello-node")
    assert "REVISION" in repr(history)
    assert "<table>" in history._repr_html_()


def test_a_crashed_component_leaves_its_work_undone_until_it_starts_again(cluster):
    cluster.crash("replicaset-controller")
    cluster.kubectl(HELLO)
    cluster.run_until_idle()
    assert phases(cluster) == []
    cluster.start("replicaset-controller")
    cluster.run_until_idle()
    assert phases(cluster) == ["Running"]


def test_a_restarted_kubelet_finds_its_containers_again(cluster):
    cluster.kubectl(HELLO)
    cluster.run_until_idle()
    before = cluster.kubectl("get pods -o json").json()["items"][0]["status"]["containerStatuses"]
    for node in ("node-1", "node-2", "node-3"):
        cluster.crash(f"kubelet-{node}")
        cluster.start(f"kubelet-{node}")
    cluster.run_for("30s")
    assert cluster.kubectl("get pods -o json").json()["items"][0]["status"]["containerStatuses"] == before


def test_a_registry_can_fail_and_heal(cluster):
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    cluster.kubectl(HELLO)
    cluster.run_for("30s")
    assert any(state in cluster.kubectl("get pods").stdout for state in ("ErrImagePull", "ImagePullBackOff"))
    cluster.registry.heal("registry.k8s.io")
    cluster.run_until(lambda: phases(cluster) == ["Running"])


def test_what_is_no_component_is_refused_with_what_it_lacks():
    with pytest.raises(Mistake, match="replicaset-controller: 3 is no component: it has no name, step"):
        Cluster(nodes=1, replace={"replicaset": lambda *_, **__: 3})


def test_a_controller_can_be_replaced_by_ones_own():
    from k8slab.controllers.replicaset import ReplicaSetController

    class Lazy(ReplicaSetController):
        def reconcile(self, key: str) -> float | None:
            return None

    with Cluster(replace={"replicaset": Lazy}) as cluster:
        cluster.kubectl(HELLO)
        cluster.run_until_idle()
        assert phases(cluster) == []


def test_the_current_cluster_is_the_last_open_one(cluster):
    assert Cluster.current() is cluster
    with Cluster(nodes=1) as other:
        assert Cluster.current() is other
    assert Cluster.current() is cluster


def test_closing_leaves_nothing(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # nobody else's folders
    threads = threading.active_count()
    with Cluster(nodes=1) as other:
        other.kubectl("get nodes")
        folder = other.kubeconfig.parent
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads
    with pytest.raises(RuntimeError, match="is closed; make a new one"):
        other.kubectl("get nodes")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"nodes": -1}, "a cluster has 0 to 1000 nodes"),
        ({"nodes": 1001}, "a cluster has 0 to 1000 nodes"),
        ({"nodes": ["a", "a"]}, "two nodes have the same name"),
        ({"mode": "fast"}, "unknown mode 'fast'; there are: live, stepped"),
        ({"runtime": "podman"}, "unknown runtime 'podman'"),
        ({"replace": {"cronjobs": object}}, "unknown controller to replace 'cronjobs'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_a_sentence(arguments, says):
    with pytest.raises(ValueError, match=says):
        Cluster(**arguments)


def test_unknown_components_are_named_with_those_there_are(cluster):
    with pytest.raises(ValueError, match=r"unknown component 'etcd'; there are: .*kube-scheduler"):
        cluster.crash("etcd")


def test_kubectl_does_not_outlive_a_killed_kernel():
    namespace = f"watched-by-{os.getpid()}"
    script = (
        "import os, signal, threading\n"
        "from k8slab import Cluster\n"
        "cluster = Cluster(nodes=1, mode='live')\n"
        "print(os.getpid(), flush=True)\n"
        "threading.Timer(3, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()\n"
        f"cluster.kubectl('get pods -w -n {namespace}')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout.readline()
        kernel.wait(60)
    watching = [path for path in Path("/proc").glob("[0-9]*/cmdline") if is_kubectl_of(namespace, path)]
    assert watching == []


def is_kubectl_of(namespace: str, path: Path) -> bool:
    try:
        words = path.read_bytes()
    except OSError:
        return False
    return b"kubectl" in words and words.rstrip(b"\0").endswith(namespace.encode())


def test_importing_k8slab_loads_no_heavy_library():
    heavy = ("jupyter_core", "docker", "aiohttp", "cryptography", "IPython")
    script = f"import sys, k8slab; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_stepped_cluster_needs_neither_a_server_nor_keys():
    script = (
        "import sys\nfrom k8slab import Cluster\nwith Cluster() as c: c.run_for(60)\n"
        "print([m for m in ('docker', 'aiohttp', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def deployment(name: str, replicas: int) -> dict:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
