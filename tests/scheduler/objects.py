"""Nodes and Pods for the scheduler."""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.rest import JsonObject
from k8slab.scheduler.node_info import NodeInfo, PodInfo, Resident

ROOM = {"cpu": "4", "memory": "8Gi", "pods": "110"}


def node_body(name: str = "node-1", labels: Any = None, room: Any = None, **spec: Any) -> JsonObject:
    room = ROOM | (room or {})
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name} | (labels or {})},
        "spec": spec,
        "status": {"allocatable": room, "capacity": room},
    }


def pod_body(
    name: str = "web", cpu: str = "", memory: str = "", ports: Any = (), labels: Any = None, **spec: Any
) -> JsonObject:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    container: JsonObject = {"name": "main", "image": "nginx", "resources": {"requests": requests}}
    if ports:
        container["ports"] = [{"containerPort": port, "hostPort": port, "protocol": "TCP"} for port in ports]
    meta = {"name": name, "uid": name, "namespace": "default", "labels": labels or {}}
    return {"metadata": meta, "spec": {"containers": [container], **spec}}


def node(name: str = "node-1", pods: Any = (), **options: Any) -> NodeInfo:
    return NodeInfo.of(Node.of(node_body(name, **options)), [Resident.of(each.pod) for each in pods])


def pod(name: str = "web", **options: Any) -> PodInfo:
    return PodInfo.of(Pod.of(pod_body(name, **options)))
