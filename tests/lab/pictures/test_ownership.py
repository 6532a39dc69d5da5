from __future__ import annotations

from xml.etree import ElementTree

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.lab import OwnershipGraph, ownership_graph
from k8slab.lab.pictures.ownership import ownership_model
from tests.lab.worlds import create

SVG = "{http://www.w3.org/2000/svg}"


def test_the_text_is_a_tree_without_a_title(young):
    lines = str(ownership_graph(young, "deploy", "web")).splitlines()
    assert lines[0] == "Deployment/web  (3/3 ready)"
    assert lines[1].startswith("└─ ReplicaSet/web-")
    assert lines[2].startswith("   ├─ Pod/web-")
    assert lines[4].startswith("   └─ Pod/web-")
    assert lines[4].endswith("  (Running)")


def test_the_picture_says_the_same_to_those_who_cannot_see_it(young):
    root = ElementTree.fromstring(ownership_graph(young, "Deployment", "web").svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Ownership graph of Deployment web"
    assert root.findtext(f"{SVG}desc", "").startswith("Deployment/web")


def test_the_table_names_each_owner(young):
    rows = ownership_graph(young, "deployment", "web").table.rows
    assert [(row[0], row[3]) for row in rows[:2]] == [("Deployment", "3/3 ready"), ("ReplicaSet", "3/3 ready")]
    assert rows[1][4] == "web"


def test_a_notebook_gets_the_tree_and_a_drawing(young):
    graph = ownership_graph(young, "deployment", "web")
    assert graph._repr_mimebundle_() == {"text/plain": str(graph), "image/svg+xml": graph.svg}


def test_it_works_through_a_client_too(young):
    assert str(ownership_graph(young.client, "deploy", "web")) == str(ownership_graph(young, "deploy", "web"))


def test_without_a_kind_it_is_the_whole_namespace(young):
    lines = str(ownership_graph(young)).splitlines()
    assert lines[0] == "Deployment/web  (3/3 ready)"
    assert lines[-1] == "Service/kubernetes"


def test_what_is_not_there_is_named(young):
    with pytest.raises(ValueError, match="there is no Deployment 'shop' in the namespace 'default'"):
        ownership_graph(young, "deployment", "shop")
    with pytest.raises(ValueError, match="no kind 'thing' is served"):
        ownership_graph(young, "thing", "shop")


def test_an_owner_that_is_gone_is_drawn_dashed():
    left = {"kind": "Pod", "metadata": {"name": "left", "uid": "2", "ownerReferences": [owner("1", "gone")]}}
    graph = ownership_model("who", [left])
    assert [(node.lines[0], node.state) for node in graph.nodes] == [("gone", "absent"), ("left", "Pending")]
    assert graph.edges[0].kind == "dashed"


def owner(uid: str, name: str) -> dict:
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": uid}


def test_many_siblings_are_one_box_that_can_be_opened():
    pods = [
        {"kind": "Pod", "metadata": {"name": f"pod-{n:03}", "uid": str(n), "ownerReferences": [owner("rs", "web")]}}
        for n in range(100)
    ]
    rs = {"kind": "ReplicaSet", "metadata": {"name": "web", "uid": "rs"}}
    graph = OwnershipGraph(ownership_model("who", [rs, *pods]))
    assert "100 Pods" in str(graph)
    assert "Pod/pod-099" in str(graph.expand("Pod of ReplicaSet/web"))


def test_objects_that_own_each_other_are_named_again_where_the_circle_closes():
    with Cluster(nodes=0, seed=1) as cluster:
        create(cluster, "a", 0)
        create(cluster, "b", 0)
        uids = {name: cluster.client.get(Deployment, name, "default").uid for name in "ab"}
        for name, other in (("a", "b"), ("b", "a")):
            body = {"metadata": {"ownerReferences": [{**owner(uids[other], other), "kind": "Deployment"}]}}
            cluster.client.patch(Deployment, name, "default", body)
        text = str(ownership_graph(cluster, "deployment", "a"))
    assert (
        text == "Deployment/a  (0/0 ready)\n└─ Deployment/b  (0/0 ready)\n   └─ Deployment/a  (0/0 ready)  (see above)"
    )
