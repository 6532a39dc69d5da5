"""The two runtimes, judged alike."""

from __future__ import annotations

import pytest

from tests.cri.harness import Node, simulated_node


@pytest.fixture
def simulated() -> Node:
    return simulated_node()


@pytest.fixture(scope="session")
def docker_runtime():
    from k8slab.cri.docker import DockerRuntime, clean_up, docker_runtimes

    if reason := DockerRuntime.available():
        pytest.skip(reason)
    name = "k8slab-conformance"
    clean_up(name)
    runtimes = docker_runtimes(name, ["node-1", "node-2"], mirrors="", ephemeral=True)
    for index, runtime in enumerate(runtimes.values()):
        runtime.update_runtime_config(f"10.244.{index}.0/24")
    yield runtimes["node-1"]
    for runtime in runtimes.values():
        runtime.close()
    clean_up(name)


@pytest.fixture
def docker_node(docker_runtime, tmp_path):
    node = Node(docker_runtime, None, tmp_path)
    yield node
    node.clean()


@pytest.fixture(params=["simulated", pytest.param("docker", marks=pytest.mark.docker)])
def node(request) -> Node:
    return request.getfixturevalue("simulated" if request.param == "simulated" else "docker_node")
