"""What Pods cost: time for a deployment's Pods to run, memory to keep them, and nodes that only beat their hearts."""

from __future__ import annotations

import gc
import time
from typing import Any

from bench.measure import Figure, figure, resident_bytes
from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.cluster import Cluster

PODS_PER_NODE = 100


def pods_1000() -> Figure:
    """Pods a second, from the creation of a deployment of 1,000 to the last one Running, on one core."""
    seconds = _deploy(1_000, nodes=10)
    return figure("1,000 Pods to Running", 1_000 / seconds, "Pods/s", f"{seconds:.2f} s, 10 nodes, stepped, simulated")


def pods_100_to_10000() -> list[Figure]:
    """Milliseconds a Pod at three sizes, each on as many nodes as it fills."""
    found = []
    for count in (100, 1_000, 10_000):
        seconds = _deploy(count, nodes=count // PODS_PER_NODE)
        detail = f"{seconds:.2f} s, {count // PODS_PER_NODE} nodes, stepped, simulated"
        found.append(figure(f"cost per Pod of {count:,}", seconds / count * 1000, "ms", detail))
    return found


def pods_memory() -> Figure:
    """Megabytes by which a process grows that gets 10,000 Running Pods."""
    with Cluster(nodes=10_000 // PODS_PER_NODE, seed=1) as cluster:
        cluster.run_until_idle()
        gc.collect()
        before = resident_bytes()
        _create(cluster, 10_000)
        cluster.run_until_idle("1h")
        gc.collect()
        grown = (resident_bytes() - before) / 2**20
        _check(cluster, 10_000)
    return figure("memory of 10,000 Pods", grown, "MB", "growth of resident memory, history of all changes included")


def pods_on_1000_nodes() -> Figure:
    """Milliseconds a Pod for 10,000 Pods on 1,000 nodes, from the creation of ten deployments to the last Pod Running."""
    with Cluster(nodes=1_000, seed=1) as cluster:
        cluster.run_until_idle()
        seconds = _fill(cluster, deployments=10, replicas=1_000)
    return figure(
        "10,000 Pods on 1,000 nodes", seconds / 10_000 * 1000, "ms/Pod", f"{seconds:.1f} s, stepped, simulated"
    )


def pods_memory_100000() -> list[Figure]:
    """Megabytes by which a process grows that gets 100,000 Running Pods, and milliseconds a Pod."""
    with Cluster(nodes=1_000, seed=1) as cluster:
        cluster.run_until_idle()
        gc.collect()
        before = resident_bytes()
        seconds = _fill(cluster, deployments=100, replicas=1_000)
        gc.collect()
        grown = (resident_bytes() - before) / 2**20
    detail = "growth of resident memory, history of all changes included; 100 deployments, 1,000 nodes"
    return [
        figure("memory of 100,000 Pods", grown, "MB", detail),
        figure("cost per Pod of 100,000", seconds / 100_000 * 1000, "ms", f"{seconds:.0f} s, 1,000 nodes"),
    ]


def nodes_hour() -> Figure:
    """Seconds for a virtual hour of 100 nodes that do nothing but renew leases and report status."""
    with Cluster(nodes=100, seed=1) as cluster:
        cluster.run_until_idle()
        start = time.perf_counter()
        cluster.run_for("1h")
        seconds = time.perf_counter() - start
    return figure("100 nodes for a virtual hour", seconds, "s", "stepped, no Pods")


def _deploy(count: int, nodes: int) -> float:
    """Seconds from the creation of a deployment until all its Pods run."""
    with Cluster(nodes=nodes, seed=1) as cluster:
        cluster.run_until_idle()
        gc.collect()
        start = time.perf_counter()
        _create(cluster, count)
        cluster.run_until_idle("1h")
        seconds = time.perf_counter() - start
        _check(cluster, count)
    return seconds


def _fill(cluster: Cluster, deployments: int, replicas: int) -> float:
    """Seconds from the creation of so many deployments until all their Pods run."""
    start = time.perf_counter()
    for number in range(deployments):
        _create(cluster, replicas, f"web-{number}")
        cluster.run_until_idle("1h")
    seconds = time.perf_counter() - start
    running = sum(status["status"]["readyReplicas"] for status in _raw_deployments(cluster))
    if running != deployments * replicas:
        raise RuntimeError(f"only {running} of {deployments * replicas} Pods are ready")
    return seconds


def _raw_deployments(cluster: Cluster) -> list[dict[str, Any]]:
    return list(cluster.client.raw("GET", Deployment.resource.path("default"))["items"])


def _create(cluster: Cluster, count: int, name: str = "web") -> None:
    labels = {"app": name}
    container = {"name": "web", "image": "registry.k8s.io/e2e-test-images/agnhost:2.39"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    cluster.client.create(Deployment, body, "default")


def _check(cluster: Cluster, count: int) -> None:
    running = sum(pod.status.phase == "Running" for pod in cluster.client.list(Pod, "default"))
    if running != count:
        raise RuntimeError(f"only {running} of {count} Pods are Running")
