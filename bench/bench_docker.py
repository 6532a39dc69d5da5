"""What a Pod costs on Docker: our sandbox and container against the same two containers made by hand.

Run it by itself (`python -m bench.bench_docker`) or through `make bench`.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench.measure import Figure, figure
from k8slab.cri.api import ContainerConfig, SandboxConfig

ROUNDS = 15
BUSYBOX = "busybox:1.36"
COMMAND = ("sleep", "1000")


def docker_pod() -> Figure:
    """Seconds from nothing to a running container in a running sandbox, and how much that is of the bare two."""
    from k8slab.cri.docker import DockerRuntime, docker_runtimes

    if reason := DockerRuntime.available():
        return figure("docker pod", None, "x bare containers", reason)
    runtime = docker_runtimes("bench", ["node"], ephemeral=True)["node"]
    try:
        runtime.update_runtime_config("10.244.0.0/24")
        runtime.pull_image(BUSYBOX)
        _pod(runtime, "warm")
        _bare(runtime, "warm")
        # In turns, so that whatever else the machine does meets both alike.
        ours, bare = zip(*((_pod(runtime, str(n)), _bare(runtime, str(n))) for n in range(ROUNDS)), strict=True)
    finally:
        runtime.clean_up()
        runtime.close()
    pod, two = statistics.median(ours), statistics.median(bare)
    detail = f"pod {pod * 1000:.0f} ms, bare Engine API {two * 1000:.0f} ms, median of {ROUNDS}, in turns"
    return figure("docker pod", pod / two, "x bare containers", detail)


def _pod(runtime: Any, name: str) -> float:
    config = SandboxConfig(name, "bench", f"uid-{name}")
    start = time.perf_counter()
    sandbox = runtime.run_pod_sandbox(config)
    runtime.start_container(runtime.create_container(sandbox, ContainerConfig("c", BUSYBOX, command=COMMAND), config))
    elapsed = time.perf_counter() - start
    runtime.remove_pod_sandbox(sandbox)
    return elapsed


def _bare(runtime: Any, name: str) -> float:
    """The same two containers, with docker-py and nothing else."""
    import docker

    from k8slab.cri.docker_images import own_name
    from k8slab.cri.images import PAUSE_IMAGE
    from k8slab.cri.references import parse_reference

    client = docker.APIClient()
    pause, busybox = (own_name(runtime.run, parse_reference(image)) for image in (PAUSE_IMAGE, BUSYBOX))
    labels, network = {"k8slab.run": runtime.run}, f"k8slab-{runtime.run}"
    start = time.perf_counter()
    alone = client.create_host_config(network_mode=network, ipc_mode="shareable")
    first = client.create_container(pause, labels=labels, host_config=alone)["Id"]
    client.start(first)
    joined = client.create_host_config(network_mode=f"container:{first}", ipc_mode=f"container:{first}")
    second = client.create_container(busybox, list(COMMAND), labels=labels, host_config=joined)["Id"]
    client.start(second)
    elapsed = time.perf_counter() - start
    for container in (second, first):
        client.remove_container(container, force=True)
    client.close()
    return elapsed


if __name__ == "__main__":
    print(docker_pod())
