"""What a kubelet answers, asked through the API server."""

from __future__ import annotations

import pytest

from k8slab.apimachinery.errors import ApiError, BadRequest, NotFound
from k8slab.cluster import Cluster

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl(f"run web --image={IMAGE} -- netexec --http-port=8080").check()
        cluster.run_until_idle()
        yield cluster


def ask(cluster, path, node="node-1"):
    return cluster.kubectl(f"get --raw /api/v1/nodes/{node}/proxy/{path}")


def test_it_is_well(cluster):
    assert str(ask(cluster, "healthz")) == "ok"
    assert str(ask(cluster, "healthz", "https:node-1:10250")) == "ok"


def test_it_tells_its_pods(cluster):
    found = cluster.client.raw("GET", "/api/v1/nodes/node-1/proxy/pods")
    assert [pod["metadata"]["name"] for pod in found["items"]] == ["web"]


def test_it_tells_what_runs(cluster):
    [pod] = cluster.client.raw("GET", "/api/v1/nodes/node-1/proxy/runningpods/")["items"]
    assert (pod["metadata"]["name"], pod["spec"]["containers"][0]["image"]) == ("web", IMAGE)


def test_it_tells_what_a_container_uses(cluster):
    lines = str(ask(cluster, "metrics/resource")).splitlines()
    [memory] = [line for line in lines if line.startswith("container_memory_working_set_bytes{")]
    assert 'container="web",namespace="default",pod="web"' in memory
    assert int(memory.split()[-1]) > 0


def test_it_gives_a_log(cluster):
    assert str(ask(cluster, "containerLogs/default/web/web")) == str(cluster.kubectl("logs web"))


def test_a_path_that_it_does_not_know_is_not_found(cluster):
    with pytest.raises(NotFound, match="404 page not found"):
        cluster.client.raw("GET", "/api/v1/nodes/node-1/proxy/nope")


def test_another_port_of_the_node_cannot_be_asked(cluster):
    with pytest.raises(BadRequest, match="only its kubelet can be asked"):
        cluster.client.raw("GET", "/api/v1/nodes/node-1:22/proxy/")


def test_a_node_that_there_is_not_is_not_found(cluster):
    with pytest.raises(NotFound, match='nodes "node-9" not found'):
        cluster.client.raw("GET", "/api/v1/nodes/node-9/proxy/healthz")


def test_a_kubelet_that_is_gone_refuses_the_connection():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.run_until_idle()
        cluster.engine.processes.crash("kubelet-node-1")
        with pytest.raises(ApiError, match=r"dial tcp 192\.168\.49\.2:10250: connect: connection refused"):
            cluster.client.raw("GET", "/api/v1/nodes/node-1/proxy/healthz")
