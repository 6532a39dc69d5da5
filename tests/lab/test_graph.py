from __future__ import annotations

from xml.etree import ElementTree

import pytest

from k8slab import Cluster
from k8slab.lab import ownership_graph
from k8slab.lab.graph import OwnedNode, OwnershipGraph, render

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2")
        cluster.run_until_idle()
        yield cluster


def test_a_deployment_owns_a_replica_set_that_owns_pods(cluster):
    graph = ownership_graph(cluster, "deployment", "web")
    kinds = [(depth, node.kind, node.state) for depth, node in graph.root.walk()]
    assert kinds == [
        (0, "Deployment", "2/2 ready"),
        (1, "ReplicaSet", "2/2 ready"),
        (2, "Pod", "Running"),
        (2, "Pod", "Running"),
    ]


def test_the_text_is_a_tree(cluster):
    lines = str(ownership_graph(cluster, "deploy", "web")).splitlines()
    assert lines[0] == "Deployment/web  (2/2 ready)"
    assert lines[1].startswith("└─ ReplicaSet/web-")
    assert lines[2].startswith("   ├─ Pod/web-")
    assert lines[3].startswith("   └─ Pod/web-")


def test_the_picture_says_the_same_to_those_who_cannot_see_it(cluster):
    root = ElementTree.fromstring(ownership_graph(cluster, "Deployment", "web").svg)
    assert root.get("role") == "img"
    assert [each for each in root.iter() if each.get("id")] == []
    assert root.get("aria-label") == "Ownership graph of Deployment web"
    assert root.findtext(f"{SVG}desc", "").startswith("Deployment/web")


def test_the_same_graph_is_the_same_picture(cluster):
    first, second = (ownership_graph(cluster, "deployment", "web") for _ in range(2))
    assert first.dot == second.dot
    assert first.svg == second.svg


def test_the_table_names_each_owner(cluster):
    table = ownership_graph(cluster, "deployment", "web").table
    assert table[0] == ("Deployment", "web", "2/2 ready", "")
    assert table[1][3] == "web"


def test_a_notebook_gets_text_and_picture(cluster):
    bundle = ownership_graph(cluster, "deployment", "web")._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "image/svg+xml"]


def test_it_works_through_a_client_too(cluster):
    assert str(ownership_graph(cluster.client, "deploy", "web")).startswith("Deployment/web")


def test_what_is_not_there_is_named(cluster):
    with pytest.raises(ValueError, match="there is no Deployment 'shop' in the namespace 'default'"):
        ownership_graph(cluster, "deployment", "shop")
    with pytest.raises(ValueError, match="no kind 'thing' is served; see: kubectl api-resources"):
        ownership_graph(cluster, "thing", "shop")


def test_names_with_quotes_do_no_harm():
    graph = OwnershipGraph(OwnedNode("Pod", 'we"b', "Run\\ning"))
    assert ElementTree.fromstring(graph.svg) is not None


def test_a_graph_that_cannot_be_drawn_is_an_error_in_a_sentence():
    with pytest.raises(RuntimeError, match="Graphviz failed"):
        render("digraph {")


def test_objects_that_own_each_other_are_cut_where_the_circle_closes():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment a --image=nginx --replicas=0")
        cluster.kubectl("create deployment b --image=nginx --replicas=0")
        for name, owner in (("a", "b"), ("b", "a")):
            uid = cluster.kubectl(f"get deployment {owner} -o json").json()["metadata"]["uid"]
            reference = f'{{"apiVersion": "apps/v1", "kind": "Deployment", "name": "{owner}", "uid": "{uid}"}}'
            patch = f'{{"metadata": {{"ownerReferences": [{reference}]}}}}'
            cluster.kubectl(["patch", "deployment", name, "--type=merge", "-p", patch])
        graph = ownership_graph(cluster, "deployment", "a")
    assert [(row[1], row[3]) for row in graph.table if row[0] == "Deployment"] == [("a", ""), ("b", "a")]


def test_without_a_working_graphviz_the_text_stays(monkeypatch):
    def broken(*_args, **_options):
        raise PermissionError("not allowed")

    monkeypatch.setattr("k8slab.lab.graph.subprocess.run", broken)
    assert OwnershipGraph(OwnedNode("Pod", "web"))._repr_mimebundle_() == {"text/plain": "Pod/web"}
