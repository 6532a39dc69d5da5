"""Clusters and random lives for the lab's tests: no kubectl, so that a life takes a moment."""

from __future__ import annotations

from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError

NAMES = ("web", "shop")


def deployment(name: str, replicas: int, image: str = "nginx") -> dict:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def create(cluster: Cluster, name: str, replicas: int) -> None:
    cluster.client.create(Deployment, deployment(name, replicas), "default")


def scale(cluster: Cluster, name: str, replicas: int) -> None:
    cluster.client.patch(Deployment, name, "default", {"spec": {"replicas": replicas}})


def update(cluster: Cluster, name: str, image: str) -> None:
    containers = [{"name": "main", "image": image}]
    cluster.client.patch(Deployment, name, "default", {"spec": {"template": {"spec": {"containers": containers}}}})


def delete(cluster: Cluster, name: str) -> None:
    cluster.client.delete(Deployment, name, "default")


def phases(cluster: Cluster) -> list[str]:
    return sorted(pod.status.phase for pod in cluster.client.list(Pod))


def a_day(cluster: Cluster) -> None:
    """Create, scale, roll, lose a node, delete; and a heartbeat or two."""
    create(cluster, "web", 3)
    cluster.run_until_idle()
    scale(cluster, "web", 5)
    cluster.run_for("20s")
    update(cluster, "web", "nginx:1.27")
    cluster.run_for("60s")
    with cluster.fault("node-lost", node="node-2"):
        cluster.run_for("90s")
    cluster.run_for("60s")
    cluster.fault("restart", component="replicaset-controller").start()
    with cluster.fault("slow-watch", component="replicaset-controller"):
        scale(cluster, "web", 2)
        cluster.run_for("30s")
    delete(cluster, "web")
    cluster.run_for("2m")


COMMANDS = st.one_of(
    st.tuples(st.just(create), st.sampled_from(NAMES), st.integers(0, 4)),
    st.tuples(st.just(scale), st.sampled_from(NAMES), st.integers(0, 5)),
    st.tuples(st.just(update), st.sampled_from(NAMES), st.sampled_from(["nginx:1.27", "nginx", "nowhere.example/x:1"])),
    st.tuples(st.just(delete), st.sampled_from(NAMES)),
)
PASSING = st.sampled_from(["0.5s", "3s", "12s", "40s"])
FAULTS = st.sampled_from(
    [
        ("restart", {"component": "kube-scheduler"}),
        ("restart", {"component": "kubelet-node-1"}),
        ("dropped-watch", {"component": "deployment-controller"}),
        ("node-lost", {"node": "node-1"}),
        ("cut-off", {"component": "replicaset-controller"}),
        ("slow-watch", {"component": "replicaset-controller"}),
        ("api-errors", {"component": "kubelet-node-2"}),
        ("api-latency", {"component": "deployment-controller"}),
        ("clock-skew", {"component": "kube-scheduler", "ahead": "7s"}),
    ]
)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("do"), COMMANDS),
        st.tuples(st.just("pass"), PASSING),
        st.tuples(st.just("steps"), st.integers(1, 12)),
        st.tuples(st.just("fault"), FAULTS),
        st.tuples(st.just("mend"), st.just(None)),
    ),
    min_size=2,
    max_size=8,
)
"""A random life, as data."""


def live(cluster: Cluster, deeds: list) -> None:
    """Do all that; what the API server refuses is part of life."""
    active = []
    for kind, what in deeds:
        if kind == "do":
            command, *arguments = what
            try:
                command(cluster, *arguments)
            except ApiError:
                continue
        elif kind == "pass":
            cluster.run_for(what)
        elif kind == "steps":
            cluster.step(what)
        elif kind == "fault":
            name, arguments = what
            if all(
                (each.name, each.arguments.get("component")) != (name, arguments.get("component")) for each in active
            ):
                fault = cluster.fault(name, **arguments).start()
                active += [fault] if fault.active else []
        elif active:
            active.pop().stop()
