"""The scheduler, as kubectl shows it."""

from __future__ import annotations

from functools import partial

import pytest
import yaml

from k8slab.api.core import Node, Pod
from k8slab.client.controller import Controller
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


class Alphabetical(Controller):
    """A scheduler that somebody writes in a quarter of an hour: every Pod goes to the first node by name."""

    name = "kube-scheduler"

    def __init__(self, client, clock, chance, *, wake=lambda: None):
        super().__init__(client, clock, chance, wake=wake)
        self.nodes = self.informer(Node, on_change=lambda old, new: None)
        self.pods = self.informer(Pod, on_change=lambda old, new: self.queue.add((new or old).key))

    def reconcile(self, key):
        pod = self.pods.get(key)
        if pod is not None and not pod.spec.node_name:
            self.client.bind(pod, min(node.name for node in self.nodes.list()))


def test_a_learners_whole_scheduler_decides():
    with Cluster(nodes=3, replace={"scheduler": Alphabetical}) as cluster:
        apply(cluster, deployment("web", 3))
        assert "successfully rolled out" in str(cluster.kubectl("rollout status deployment/web"))
        assert nodes_of(cluster, "web") == ["node-1"] * 3


def pod(name, cpu="0", ports=(), **spec):
    container = {"name": "main", "image": "registry.k8s.io/e2e-test-images/agnhost:2.39", "ports": list(ports)}
    if cpu != "0":
        container["resources"] = {"requests": {"cpu": cpu}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def required(kind, *terms):
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


HOST = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
PORT = {"containerPort": 80, "hostPort": 80}
SPREAD = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": HOST["labelSelector"]}
NO_HELP, NO_VICTIMS = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"
REFUSALS = [
    (pod("too-large", cpu="5"), "Insufficient cpu", NO_HELP),
    (pod("elsewhere", nodeSelector={"disk": "ssd"}), "node(s) didn't match Pod's node affinity/selector", NO_HELP),
    (pod("near", **required("podAffinity", HOST)), "node(s) didn't match pod affinity rules", NO_HELP),
    (pod("port", ports=[PORT]), "node(s) didn't have free ports for the requested pod ports", NO_VICTIMS),
    (
        pod("unlabelled", topologySpreadConstraints=[{**SPREAD, "topologyKey": "zone"}]),
        "node(s) didn't match pod topology spread constraints (missing required label)",
        NO_HELP,
    ),
]


def test_each_consideration_says_no_in_upstreams_words(cluster):
    cluster.kubectl("taint node node-1 dedicated=db:NoSchedule").check()
    cluster.kubectl("cordon node-2").check()
    apply(cluster, pod("holder", ports=[PORT]), *(each for each, *_ in REFUSALS))
    cluster.run_for(5)
    for each, reason, afterwards in REFUSALS:
        name = each["metadata"]["name"]
        told = cluster.kubectl(
            f"get events --field-selector involvedObject.name={name} -o jsonpath={{.items[*].message}}"
        )
        others = "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"
        reasons = ", ".join(sorted([f"1 {reason}", *others.split(", ")]))
        rest = f"3 {NO_HELP}" if afterwards == NO_HELP else f"1 {NO_VICTIMS}, 2 {NO_HELP}"
        assert told.stdout == (
            f"0/3 nodes are available: {reasons}. "
            f"no new claims to deallocate, preemption: 0/3 nodes are available: {rest}."
        )


def test_whoever_waits_for_room_has_a_nominated_node_that_kubectl_shows(cluster):
    importance = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}}
    crowd = [pod(f"crowd-{number}", cpu="3") for number in range(3)]
    apply(cluster, importance | {"value": 1000}, *crowd)
    cluster.run_until_idle()
    apply(cluster, pod("vip", cpu="3", priorityClassName="urgent"))
    row = cluster.kubectl("get pod vip -o wide --no-headers").check().stdout.split()
    status, nominated = row[2], row[7]
    assert (status, nominated in cluster.nodes) == ("Pending", True)
    assert f"NominatedNodeName:    {nominated}\n" in cluster.kubectl("describe pod vip").stdout
    uid = cluster.kubectl("get pod vip -o jsonpath={.metadata.uid}").stdout
    told = cluster.kubectl("get events --field-selector reason=Preempted -o jsonpath={.items[*].message}").stdout
    assert told == f"Preempted by pod {uid} on node {nominated}"
    cluster.run_until_idle()
    row = cluster.kubectl("get pod vip -o wide --no-headers").check().stdout.split()
    assert (row[2], row[6], row[7]) == ("Running", nominated, "<none>")
