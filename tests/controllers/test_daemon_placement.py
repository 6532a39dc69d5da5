from __future__ import annotations

import pytest

from k8slab.api.apps import DaemonSet
from k8slab.api.core import Node, Pod
from k8slab.controllers.daemon_placement import daemon_pod, judge, model_of, node_of


def daemon(annotations=None, **spec):
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "main"}], **spec}}
    meta = {"name": "agent", "uid": "u1", "namespace": "default", "annotations": annotations or {}}
    return DaemonSet.of({"metadata": meta, "spec": {"template": template}})


def node(name="node-1", labels=None, **taints):
    marks = [{"key": key.replace("__", "/").replace("_", "-"), "effect": effect} for key, effect in taints.items()]
    return Node.of({"metadata": {"name": name, "labels": labels or {}}, "spec": {"taints": marks}})


@pytest.mark.parametrize(
    ("spec", "where", "expected"),
    [
        ({}, node(), (True, True)),
        ({"nodeSelector": {"disk": "ssd"}}, node(), (False, False)),
        ({"nodeSelector": {"disk": "ssd"}}, node(labels={"disk": "ssd"}), (True, True)),
        ({"nodeName": "node-2"}, node(), (False, False)),
        ({}, node(db="NoSchedule"), (False, True)),
        ({}, node(db="NoExecute"), (False, False)),
        ({}, node(db="PreferNoSchedule"), (True, True)),
        ({"tolerations": [{"operator": "Exists"}]}, node(db="NoExecute"), (True, True)),
        ({}, node(node_kubernetes_io__x="NoSchedule"), (False, True)),
    ],
)
def test_which_nodes_will_do(spec, where, expected):
    assert judge(model_of(daemon(**spec)), where) == expected


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
    ],
)  # fmt: skip
def test_a_node_that_is_not_well_keeps_its_daemons(name, effect):
    ill = Node.of(
        {"metadata": {"name": "n"}, "spec": {"taints": [{"key": f"node.kubernetes.io/{name}", "effect": effect}]}}
    )
    assert judge(model_of(daemon()), ill) == (True, True)


def test_only_a_daemon_in_the_hosts_network_does_without_a_network():
    taint = {"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}
    offline = Node.of({"metadata": {"name": "n"}, "spec": {"taints": [taint]}})
    assert not judge(model_of(daemon()), offline).run
    assert judge(model_of(daemon(hostNetwork=True)), offline).run


def test_a_pod_is_pinned_to_its_node_by_name_and_its_other_demands_are_dropped():
    preferred = [{"weight": 1, "preference": {}}]
    given = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]},
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        },
        "podAffinity": {},
    }
    body = daemon_pod(daemon(affinity=given), "abc", "node-7")
    name = {"key": "metadata.name", "operator": "In", "values": ["node-7"]}
    assert body["spec"]["affinity"] == {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [name]}]},
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        },
        "podAffinity": {},
    }
    assert node_of(Pod.of(body)) == "node-7"


def test_a_pod_says_its_version():
    made = daemon({"deprecated.daemonset.template.generation": "3"})
    labels = daemon_pod(made, "abc", "node-1")["metadata"]["labels"]
    assert labels == {"app": "agent", "controller-revision-hash": "abc", "pod-template-generation": "3"}


def test_where_a_pod_is_counts_more_than_where_it_should_be():
    body = daemon_pod(daemon(), "abc", "node-7")
    body["spec"]["nodeName"] = "node-8"
    assert node_of(Pod.of(body)) == "node-8"
    assert node_of(Pod.of({})) == ""
