"""The scheduler, as kubectl shows it."""

from __future__ import annotations

from functools import partial

import pytest
import yaml

from k8slab.cluster import Cluster
from k8slab.scheduler.framework import Plugin
from k8slab.scheduler.plugins import PLUGINS
from k8slab.scheduler.scheduler import Scheduler


def deployment(name, replicas, cpu="100m", **spec):
    labels = {"app": name}
    container = {
        "name": "web",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.39",
        "resources": {"requests": {"cpu": cpu}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def apply(cluster, *objects):
    return cluster.kubectl("apply -f -", stdin=yaml.safe_dump_all(objects))


def nodes_of(cluster, app):
    found = cluster.kubectl(f"get pods -l app={app} -o jsonpath={{.items[*].spec.nodeName}}")
    return sorted(str(found).split())


@pytest.fixture
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        yield cluster


def test_an_urgent_pod_pushes_others_aside_and_takes_their_place(cluster):
    importance = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}}
    apply(cluster, importance | {"value": 1000}, deployment("crowd", 3, cpu="3"))
    cluster.run_until_idle()
    apply(cluster, deployment("vip", 1, cpu="3", priorityClassName="urgent"))
    cluster.run_until_idle()
    assert len(nodes_of(cluster, "vip")) == 1
    events = str(cluster.kubectl("get events"))
    assert "Preempted by pod" in events
    pending = str(cluster.kubectl("get pods -l app=crowd --field-selector status.phase=Pending -o name"))
    assert len(pending.split()) == 1


def test_spread_over_hosts_no_two_are_together(cluster):
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    apply(cluster, deployment("web", 6, topologySpreadConstraints=[constraint]))
    cluster.run_until_idle()
    assert [nodes_of(cluster, "web").count(node) for node in cluster.nodes] == [2, 2, 2]


def test_a_fourth_pod_that_wants_to_be_alone_on_its_host_finds_none_of_three(cluster):
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
    alone = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    apply(cluster, deployment("db", 4, affinity=alone))
    cluster.run_until_idle()
    assert len(set(nodes_of(cluster, "db"))) == 3
    events = str(cluster.kubectl("get events --field-selector reason=FailedScheduling"))
    assert "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules." in events


def test_a_learners_plugin_decides():
    class OnTheLast(Plugin):
        name = "OnTheLast"

        def filter(self, state, pod, node):
            return () if node.name.endswith("3") else ("node(s) were not the last",)

    with Cluster(nodes=3, replace={"scheduler": partial(Scheduler, plugins=(OnTheLast(), *PLUGINS))}) as cluster:
        apply(cluster, deployment("web", 3))
        cluster.run_until_idle()
        assert len(set(nodes_of(cluster, "web"))) == 1
