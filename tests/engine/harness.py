"""Small clusters without kubectl, what people do to them, and what has become of them."""

from __future__ import annotations

from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import AlreadyExists, NotFound
from k8slab.cluster import Cluster
from k8slab.cri.api import ContainerState

PATIENCE = "310s"
"""More than the five minutes after which a controller gives up waiting for news that a broken watch has lost."""


def deployment(name: str, replicas: int, image: str = "nginx:1.27") -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


def pod(name: str = "web", image: str = "nginx:1.27", command: list[str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image} | ({"command": command} if command else {})
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def act(cluster: Cluster, what: str, *details: Any) -> None:
    """Do one thing that people do; what does not fit is left out."""
    try:
        match what, details:
            case "create", (name, replicas):
                cluster.client.create(Deployment, deployment(name, replicas), "default")
            case "scale", (name, replicas):
                cluster.client.patch(Deployment, name, "default", {"spec": {"replicas": replicas}})
            case "image", (name, image):
                spec = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
                cluster.client.patch(Deployment, name, "default", {"spec": spec})
            case "delete", (name,):
                cluster.client.delete(Deployment, name, "default", propagation="Background")
            case "delete_pod", (number,):
                names = [each.name for each in cluster.client.list(Pod, "default")]
                if names:
                    cluster.client.delete(Pod, names[number % len(names)], "default")
            case "run", (seconds,):
                cluster.run_for(seconds)
            case "step", (times,):
                for _ in range(times):
                    cluster.step()
    except (AlreadyExists, NotFound):
        pass


def end_state(cluster: Cluster) -> dict[str, Any]:
    """What there is, as far as people care: without names, UIDs and times, and how often containers were started."""
    return {
        "deployments": [_numbers(each) for each in cluster.client.list(Deployment)],
        "sets": sorted(
            (rs.metadata.controller.name, _image(rs.spec.template), rs.spec.replicas, rs.status.ready_replicas)
            for rs in cluster.client.list(ReplicaSet)
            if rs.spec.replicas or rs.status.replicas
        ),
        "pods": sorted(
            (each.metadata.labels["app"], each.spec.containers[0].image, each.status.phase, each.ready, each.active)
            for each in cluster.client.list(Pod)
        ),
        "containers": sorted(
            each.labels["io.kubernetes.pod.name"].split("-")[0]
            for runtime in cluster._engine.runtimes.values()
            for each in runtime.list_containers()
            if each.state is ContainerState.RUNNING
        ),
    }


def _numbers(deployment: Deployment) -> tuple[Any, ...]:
    status = deployment.status
    said = sorted((each.type, each.status) for each in status.conditions)
    at_rest = status.observed_generation == deployment.metadata.generation
    counts = status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas
    return deployment.name, deployment.spec.replicas, counts, said, at_rest


def _image(template: dict[str, Any]) -> str:
    return template["spec"]["containers"][0]["image"]


def phase(cluster: Cluster, name: str = "web") -> str:
    return cluster.client.get(Pod, name, "default").status.phase


def restarts(cluster: Cluster, name: str = "web") -> int:
    return cluster.client.get(Pod, name, "default").status.container_statuses[0].restart_count
