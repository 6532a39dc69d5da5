"""The two runtimes, judged alike."""

from __future__ import annotations

import pytest

from tests.cri.harness import Node, simulated_node


@pytest.fixture
def simulated() -> Node:
    return simulated_node()


@pytest.fixture(scope="session")
def docker_runtime():
    from k8slab.cri.docker import DockerRuntime, docker_runtimes

    if reason := DockerRuntime.available():
        pytest.skip(reason)
    runtimes = docker_runtimes("conformance", ["node-1"], ephemeral=True)
    runtime = runtimes["node-1"]
    runtime.update_runtime_config("10.244.0.0/24")
    yield runtime
    runtime.clean_up()
    runtime.close()


@pytest.fixture
def docker_node(docker_runtime, tmp_path):
    node = Node(docker_runtime, None, tmp_path)
    yield node
    node.clean()


@pytest.fixture(params=["simulated", pytest.param("docker", marks=pytest.mark.docker)])
def node(request) -> Node:
    return request.getfixturevalue("simulated" if request.param == "simulated" else "docker_node")
