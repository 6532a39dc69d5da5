"""What a Pod costs on Docker: our sandbox and container against the same two containers made by hand.

Run it by itself (`python -m bench.bench_docker`) or through `make bench`.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from k8slab.cri.api import ContainerConfig, SandboxConfig

ROUNDS = 15
BUSYBOX = "busybox:1.36"
COMMAND = ("sleep", "1000")


def docker_pod() -> dict[str, Any]:
    """Seconds from nothing to a running container in a running sandbox, and how much that is of the bare two."""
    from k8slab.cri.docker import DockerRuntime, docker_runtimes

    if reason := DockerRuntime.available():
        return {"name": "docker pod", "value": None, "unit": "x bare containers", "detail": reason}
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
    return {"name": "docker pod", "value": round(pod / two, 2), "unit": "x bare containers", "detail": detail}


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

    client = docker.from_env()
    pause, busybox = (own_name(runtime.run, parse_reference(image)) for image in (PAUSE_IMAGE, BUSYBOX))
    start = time.perf_counter()
    labels = {"k8slab.run": runtime.run}
    first = client.containers.run(
        pause, detach=True, labels=labels, network=f"k8slab-{runtime.run}", ipc_mode="shareable"
    )
    joined = f"container:{first.id}"
    second = client.containers.run(
        busybox, list(COMMAND), detach=True, labels=labels, network_mode=joined, ipc_mode=joined
    )
    elapsed = time.perf_counter() - start
    for container in (second, first):
        container.remove(force=True)
    client.close()
    return elapsed


if __name__ == "__main__":
    print(docker_pod())
