from __future__ import annotations

import pytest

from k8slab.lab.dashboard.linked import Linked, machine, object_called, owned_in
from k8slab.lab.pictures.architecture import architecture
from k8slab.lab.pictures.ownership import ownership_graph
from k8slab.lab.pictures.timeline import timeline


def ids(linked: Linked) -> set[str]:
    return {node["id"] for node in linked.json()["nodes"]}


def names_of(cluster, kind: str) -> list[str]:
    return [row["metadata"]["name"] for row in cluster.kubectl(f"get {kind} -o json").json()["items"]]


def test_owners_and_owned_are_called_as_objects_are(cluster):
    linked = Linked(ownership_graph(cluster.client), owned_in("default"))
    (pod,) = names_of(cluster, "pods")
    assert {"Deployment/default/web", f"Pod/default/{pod}"} <= ids(linked)
    assert {edge["target"] for edge in linked.json()["edges"]} <= ids(linked)


def test_a_machine_is_its_node_and_a_component_is_itself(cluster):
    assert {"Node/node-1", "kubelet-node-1", "etcd"} <= ids(
        Linked(architecture(cluster.engine, cluster.trace), machine)
    )


def test_what_is_on_a_timeline_is_about_objects(cluster):
    items = Linked(timeline(cluster.engine, cluster.trace)).json()["items"]
    assert "Deployment/default/web" in {item["object"] for item in items}
    assert not any("pods/" in item["object"] for item in items)


@pytest.mark.parametrize(
    ("what", "name"), [("pods/default/web", "Pod/default/web"), ("nodes/n", "Node/n"), ("web", "")]
)
def test_the_traces_names_are_translated(what, name):
    assert object_called(what) == name


def test_boxes_that_would_get_one_name_keep_their_own(cluster):
    linked = Linked(ownership_graph(cluster.client), lambda box: "Pod/default/same")
    assert "Pod/default/same" not in ids(linked)
