from __future__ import annotations

from k8slab.lab.drawing.model import StateDiagram, Transition
from k8slab.lab.drawing.picture import draw
from k8slab.lab.drawing.states import state_graph, states_table, states_text

from .samples import life, words_in


def test_the_text_says_states_and_ways():
    assert states_text(life()).splitlines() == [
        "Waiting: The image is pulled, or the back-off has not ended yet, or a sandbox is being made for it.",
        "  -> Running: started",
        "Running  (now)",
        "  -> Terminated: exits",
        "Terminated",
        "  -> Waiting",
    ]


def test_the_current_state_is_lit_and_says_so():
    assert [(node.id, node.state) for node in state_graph(life()).nodes if node.lit] == [("Running", "now")]
    assert "now" in words_in(draw(life()).svg)


def test_a_long_meaning_is_wrapped_in_the_box_and_whole_in_the_table():
    lines = state_graph(life()).nodes[0].lines
    assert lines[0] == "Waiting"
    assert 2 < len(lines) <= 4
    assert states_table(life()).rows[0][-1].endswith("made for it.")


def test_the_table_has_a_row_for_each_way():
    assert states_table(life()).rows[1] == ("Running", "now", "exits", "Terminated", "")


def test_a_state_without_a_way_out_has_a_row_too():
    table = states_table(StateDiagram("s", ("a",), (Transition("a", "b"),)))
    assert [row[0] for row in table.rows] == ["a", "b"]


def test_boxes_of_states_have_no_band():
    assert {node["band"] for node in draw(life()).json()["nodes"]} == {0}
