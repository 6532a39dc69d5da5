from __future__ import annotations

from collections import Counter

import pytest

from k8slab.lab.drawing.collapse import collapse, complete
from k8slab.lab.drawing.model import Edge, Graph, Node

from .samples import owners, thousand


def test_a_small_graph_is_left_alone():
    assert collapse(owners()).graph == owners()


def test_a_thousand_boxes_become_thirty():
    found = collapse(thousand())
    assert len(found.graph.nodes) == 30
    assert Counter(node.kind for node in found.graph.nodes) == {"Deployment": 10, "ReplicaSet": 10, "Pod": 10}


def test_a_box_of_many_says_how_many_and_how_they_are():
    box = next(node for node in collapse(thousand()).graph.nodes if node.id == "group:app3")
    assert box.lines == ("98 Pods", "app3")
    assert box.state == "97 Running, 1 Pending"


def test_its_arrows_become_one_with_a_count():
    assert Edge("R3", "group:app3", "owns ×98") in collapse(thousand()).graph.edges  # noqa: RUF001


def test_its_members_are_known():
    found = collapse(thousand())
    assert found.members["group:app3"][:2] == ("P3.0", "P3.1")
    assert sum(map(len, found.members.values())) == 980


@pytest.mark.parametrize("name", ["app3", "group:app3"])
def test_a_group_can_be_left_open(name):
    found = collapse(thousand(), expand=[name])
    assert len(found.graph.nodes) == 29 + 98
    assert Edge("R3", "P3.7", "owns") in found.graph.edges


def test_siblings_are_found_without_groups():
    found = collapse(thousand(groups=False))
    assert len(found.graph.nodes) == 30
    assert len(found.members["group:Pod of R3"]) == 98


def test_opening_siblings_closes_nothing_else():
    closed = {node.id for node in collapse(thousand(groups=False)).graph.nodes}
    opened = {node.id for node in collapse(thousand(groups=False), expand=["Pod of R3"]).graph.nodes}
    assert closed - opened == {"group:Pod of R3"}
    assert len(opened - closed) == 98


def test_the_most_frequent_kinds_go_when_siblings_are_too_many():
    found = collapse(thousand(groups=False), limit=25)
    kinds = Counter(node.kind for node in found.graph.nodes)
    assert kinds == {"Deployment": 10, "ReplicaSet": 10, "Pod": 1}
    assert len(found.members["group:every Pod"]) == 980


@pytest.mark.parametrize("limit", [1, 2, 7, 60])
def test_there_are_never_more_boxes_than_the_limit(limit):
    nodes = tuple(Node(str(number), (), kind=str(number)) for number in range(200))
    edges = tuple(Edge(str(number), str(number * 7 % 200)) for number in range(200))
    found = collapse(Graph("g", nodes, edges), limit)
    assert len(found.graph.nodes) <= limit
    assert sum(map(len, found.members.values())) + len(found.graph.nodes) - len(found.members) == 200


def test_two_sets_of_siblings_that_would_be_called_the_same_are_numbered():
    pods = [Node(f"p{number}", (), "Pod") for number in range(4)]
    nodes = (Node("a", (), "A"), Node("b", (), "B"), *pods)
    edges = (*(Edge("a", pod.id) for pod in pods), *(Edge(pod.id, "b") for pod in pods[2:]))
    assert list(collapse(Graph("g", nodes, edges), limit=4).members) == ["group:Pod of a", "group:Pod of a (2)"]


def test_a_box_with_the_lit_one_in_it_is_lit():
    nodes = tuple(Node(str(number), (), group="g", lit=number == 5) for number in range(9))
    assert collapse(Graph("g", nodes), limit=3).graph.nodes[0].lit


def test_an_arrow_to_nothing_gets_something_to_point_to():
    found = complete(Graph("g", (Node("a", ("a",)),), (Edge("a", "b"),)))
    assert found.nodes[1] == Node("b", ("b",), kind="unknown")


def test_an_id_that_comes_twice_is_drawn_once():
    assert complete(Graph("g", (Node("a", ("first",)), Node("a", ("second",))))).nodes == (Node("a", ("first",)),)
