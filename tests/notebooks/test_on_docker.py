"""The key cells of chapter 01, on real containers."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.lab import ownership_graph

HELLO = "create deployment hello-node --image=registry.k8s.io/e2e-test-images/agnhost:2.39 -- /agnhost netexec --http-port=8080"


@pytest.mark.docker
def test_the_chapters_key_cells_do_the_same_on_docker(docker_engine):
    docker_engine()
    with Cluster(nodes=2, seed=1, runtime="docker", mode="live", name="chapter01") as cluster:
        assert "docker://" in cluster.kubectl("get nodes -o wide").stdout
        cluster.kubectl(HELLO).check()
        cluster.kubectl("rollout status deployment/hello-node --timeout=90s").check()
        events = cluster.kubectl("get events").stdout
        assert all(reason in events for reason in ("Scheduled", "Pulled", "Created", "Started"))
        assert "Started HTTP server on port 8080" in cluster.kubectl("logs deployment/hello-node").stdout
        assert str(ownership_graph(cluster, "deployment", "hello-node")).count("─ ") == 2

        cluster.registry.fail("registry.k8s.io", "dial tcp: i/o timeout")
        cluster.kubectl("create deployment blocked --image=registry.k8s.io/e2e-test-images/agnhost:2.53").check()
        cluster.run_until(lambda: "ImagePullBackOff" in cluster.kubectl("get pods").stdout, 60)
        cluster.registry.heal("registry.k8s.io")
        cluster.kubectl("rollout status deployment/blocked --timeout=90s").check()
        assert all(pod.ready for pod in cluster.client.list(Pod))
