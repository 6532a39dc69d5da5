from __future__ import annotations

from itertools import pairwise

from k8slab.lab.drawing.model import Edge, Graph, Node
from k8slab.lab.drawing.tree import caption, graph_table, graph_text

from .samples import owners


def graph(*edges: str) -> Graph:
    names = dict.fromkeys("".join(edges))
    return Graph("g", tuple(Node(name, (name,)) for name in names), tuple(Edge(*edge) for edge in edges))


def test_a_graph_is_a_tree_from_its_roots():
    assert graph_text(owners()).splitlines() == [
        "Deployment web  (2/2 ready)  <- this one",
        "└─ [owns] ReplicaSet web-7c5d",
        "   ├┄ Pod web-7c5d-a: nginx  (Running)",
        "   └┄ Pod web-7c5d-b: nginx  (Running)",
    ]


def test_what_has_two_parents_is_told_once():
    assert graph_text(graph("ab", "ac", "bd", "cd")).splitlines() == [
        "a",
        "├─ b",
        "│  └─ d",
        "└─ c",
        "   └─ d  (see above)",
    ]


def test_a_circle_ends_where_it_closes():
    assert graph_text(graph("ab", "bc", "ca")).splitlines() == ["a", "└─ b", "   └─ c", "      └─ a  (see above)"]


def test_what_points_to_itself_is_a_root_all_the_same():
    assert graph_text(graph("aa", "ab")).splitlines() == ["a", "├─ a  (see above)", "└─ b"]


def test_a_chain_may_be_longer_than_pythons_stack():
    ids = [str(number) for number in range(3000)]
    nodes = tuple(Node(each, (each,)) for each in ids)
    chain = Graph("g", nodes, tuple(Edge(*pair) for pair in pairwise(ids)))
    assert len(graph_text(chain).splitlines()) == 3000


def test_an_empty_graph_says_so():
    assert graph_text(Graph("g", ())) == "(nothing)"


def test_a_kind_is_said_unless_the_heading_says_it():
    assert caption(Node("p", ("podinfo",), "Pod")) == "Pod podinfo"
    assert caption(Node("g", ("12 Pods", "web"), "Pod")) == "12 Pods: web"


def test_the_table_says_where_arrows_come_from():
    table = graph_table(owners())
    assert table.columns == ("Kind", "Name", "Details", "State", "From")
    assert table.rows[1] == ("ReplicaSet", "web-7c5d", "", "", "web (owns)")
    assert table.rows[2] == ("Pod", "web-7c5d-a", "nginx", "Running", "web-7c5d")
