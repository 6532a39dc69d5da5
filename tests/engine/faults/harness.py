"""What the tests of faults make, and look at."""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.cri.api import ContainerState
from tests.engine.harness import pod

SCHEDULER, KUBELET = "kube-scheduler", "kubelet-node-1"
CRASHING = pod(image="busybox:1.36", command=["sh", "-c", "exit 1"])


def create(cluster, name="web", **more):
    cluster.client.create(Pod, pod(name, **more), "default")


def node_of(cluster, name="web"):
    return cluster.client.get(Pod, name, "default").spec.node_name


def running(cluster, node="node-1"):
    return [each for each in cluster._engine.runtimes[node].list_containers() if each.state is ContainerState.RUNNING]
