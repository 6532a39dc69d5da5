"""What the tests of pictures share: the parts of a cluster that pictures are made of, and lives with a purpose."""

from __future__ import annotations

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.engine.engine import Engine
from k8slab.lab.trace import Trace


def parts(cluster: Cluster) -> tuple[Engine, Trace]:
    return cluster._engine, cluster.trace


def pods(cluster: Cluster) -> list[str]:
    return [pod.name for pod in cluster.client.list(Pod, "default")]


def pod(name: str, *command: str, image: str = "busybox:1.36", **spec: object) -> dict:
    """A Pod's manifest. Its image is pulled once."""
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent"}
    if command:
        container["command"] = list(command)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container | spec.pop("container", {})], **spec},
    }


def make(cluster: Cluster, manifest: dict) -> None:
    cluster.client.create(Pod, manifest, "default")
