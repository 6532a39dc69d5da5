from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from k8slab.lab.drawing import layout
from k8slab.lab.drawing.layout import components, lay_out
from k8slab.lab.drawing.model import Edge, Graph, Node
from k8slab.lab.drawing.pen import MARGIN
from k8slab.lab.drawing.places import Box, Layout

from .samples import owners


def sizes(graph: Graph) -> dict[str, tuple[float, float]]:
    return {node.id: (100.0, 40.0) for node in graph.nodes}


def laid_out(graph: Graph) -> Layout:
    return lay_out(graph, sizes(graph))


def graph(*edges: tuple[str, str], alone: str = "", **options: bool) -> Graph:
    names = dict.fromkeys([name for edge in edges for name in edge] + list(alone))
    return Graph("g", tuple(Node(name, (name,)) for name in names), tuple(Edge(*edge) for edge in edges), **options)


def overlap(one: Box, other: Box) -> bool:
    return abs(one.x - other.x) < max(one.w, other.w) and abs(one.y - other.y) < max(one.h, other.h)


def touches(point: tuple[float, float], box: Box, reach: float = 8) -> bool:
    return box.x - reach <= point[0] <= box.x + box.w + reach and box.y - reach <= point[1] <= box.y + box.h + reach


@pytest.fixture
def no_graphviz(monkeypatch):
    def program() -> str:
        raise RuntimeError("there is no Graphviz on this machine")

    monkeypatch.setattr(layout, "_program", program)


@pytest.fixture
def slow_graphviz(monkeypatch, tmp_path):
    program = tmp_path / "graphviz-pure"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    program.chmod(0o755)
    monkeypatch.setattr(layout, "_program", lambda: str(program))
    monkeypatch.setattr(layout, "LAYOUT_SECONDS", 0.2)


def test_graphviz_lays_out():
    found = laid_out(owners())
    assert (found.by, found.problem) == ("graphviz", "")


def test_arrows_begin_and_end_at_their_boxes():
    model = owners()
    found = laid_out(model)
    for edge, route in zip(model.edges, found.routes, strict=True):
        assert touches(route.points[0], found.boxes[edge.source])
        assert touches(route.points[-1], found.boxes[edge.target])


def test_only_arrows_with_a_label_have_a_place_for_it():
    assert [route.label_at is not None for route in laid_out(owners()).routes] == [True, False, False]


def test_arrows_side_by_side_are_not_mixed_up():
    model = Graph(
        "g", (Node("a", ("a",)), Node("b", ("b",))), (Edge("a", "b"), Edge("a", "b", "second"), Edge("b", "a"))
    )
    assert [route.label_at is not None for route in laid_out(model).routes] == [False, True, False]


def test_boxes_do_not_lie_on_each_other():
    boxes = laid_out(graph("ab", "ac", "bd", "cd", "da", alone="xyz")).boxes
    assert not any(overlap(*pair) for pair in combinations(boxes.values(), 2))


def test_downward_puts_the_target_below():
    boxes = laid_out(graph("ab", downward=True)).boxes
    assert boxes["b"].y > boxes["a"].y + boxes["a"].h


def test_parts_stand_in_the_order_of_the_graph():
    boxes = laid_out(graph("ab", "cd", "ef")).boxes
    assert boxes["a"].y < boxes["c"].y < boxes["e"].y


def test_what_has_no_arrows_stands_in_rows_below():
    boxes = laid_out(graph("ab", alone="xyz")).boxes
    assert boxes["x"].y == boxes["y"].y == boxes["z"].y > boxes["a"].y
    assert boxes["x"].x < boxes["y"].x < boxes["z"].x


def test_components_hang_together():
    assert components(graph("ab", "cd", "eb", alone="x")) == [["a", "b", "e"], ["c", "d"], ["x"]]


def test_without_graphviz_there_is_a_grid(no_graphviz):
    found = laid_out(owners())
    assert found.by == "grid"
    assert "no Graphviz" in found.problem


def test_when_graphviz_takes_too_long_there_is_a_grid(slow_graphviz):
    found = laid_out(owners())
    assert (found.by, found.problem) == ("grid", "Graphviz took more than 0.2s")


def test_when_graphviz_fails_there_is_a_grid(monkeypatch):
    monkeypatch.setattr(layout, "_program", lambda: "/bin/false")
    assert laid_out(owners()).problem.startswith("Graphviz failed")


def test_when_graphviz_cannot_be_run_there_is_a_grid(monkeypatch):
    monkeypatch.setattr(layout, "_program", lambda: "/nowhere/dot")
    assert laid_out(owners()).problem.startswith("Graphviz cannot be run")


def test_an_answer_that_lacks_something_is_not_believed(monkeypatch):
    monkeypatch.setattr(layout, "_plain", lambda *_: "graph 1 2 2\nstop\n")
    assert laid_out(owners()).problem == "Graphviz left something out"


def test_the_same_question_is_asked_once(monkeypatch):
    laid_out(owners())
    monkeypatch.setattr(subprocess, "run", None)
    assert laid_out(owners()).by == "graphviz"


def test_without_a_wheel_an_installed_graphviz_is_taken(monkeypatch):
    monkeypatch.setattr(layout.sysconfig, "get_path", lambda _: "/nowhere")
    monkeypatch.setattr(layout.shutil, "which", {"dot": "/usr/bin/dot"}.get)
    assert layout._program() == "/usr/bin/dot"
    monkeypatch.setattr(layout.shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        layout._program()


@pytest.mark.parametrize("downward", [False, True])
def test_the_grid_holds_everything(no_graphviz, downward):
    model = graph("ab", "bc", "ca", "ad", "dd", alone="xy", downward=downward)
    found = laid_out(model)
    assert not any(overlap(*pair) for pair in combinations(found.boxes.values(), 2))
    corners = [(box.x + box.w, box.y + box.h) for box in found.boxes.values()]
    corners += [point for route in found.routes for point in route.points]
    assert max(x for x, _ in corners) <= found.width - MARGIN + 0.1
    assert max(y for _, y in corners) <= found.height


def test_in_the_grid_a_node_stands_after_those_that_point_to_it(no_graphviz):
    boxes = laid_out(graph("ab", "bc", "ac")).boxes
    assert boxes["a"].x < boxes["b"].x < boxes["c"].x


def test_nothing_at_all_has_a_layout():
    assert laid_out(Graph("g", ())).boxes == {}


def test_an_edge_laid_out_against_its_direction_ends_at_its_target_on_the_other_side():
    graph = Graph("", (Node("a", ("a",)), Node("b", ("b",))), (Edge("a", "b", against=True),))
    layout = lay_out(graph, {"a": (80.0, 40.0), "b": (80.0, 40.0)})
    assert layout.boxes["b"].x < layout.boxes["a"].x
    first, last = layout.routes[0].points[0], layout.routes[0].points[-1]
    assert first[0] > last[0]
