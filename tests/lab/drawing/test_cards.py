from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.lab.drawing.cards import card, heading, row_font
from k8slab.lab.drawing.model import Node
from k8slab.lab.drawing.words import measure


def rows(node: Node) -> list[tuple[str, str]]:
    return [(row.role, row.text) for row in card(node).rows]


def test_a_card_says_kind_name_lines_and_state():
    node = Node("Pod/web", ("web", "nginx"), "Pod", "Running")
    assert rows(node) == [("tag", "Pod"), ("heading", "web"), ("line", "nginx"), ("state", "Running")]


def test_what_is_called_like_its_kind_is_said_once():
    assert rows(Node("d", ("Deployment",), "Deployment")) == [("tag", "Deployment")]


def test_without_a_kind_there_is_no_band():
    assert card(Node("a", ("a",))).band == 0


def test_the_state_of_a_lit_box_is_bold():
    assert rows(Node("a", ("a",), state="now", lit=True))[-1] == ("lit", "now")


def test_a_node_without_lines_is_called_by_its_id():
    assert heading(Node("Pod/web", ())) == "Pod/web"
    assert heading(Node("", ("", " "))) == "?"


@given(st.lists(st.text(), max_size=4), st.text(), st.text(), st.booleans())
def test_no_text_is_wider_than_its_box(lines, kind, state, lit):
    box = card(Node("id", tuple(lines), kind, state, lit=lit))
    for row in box.rows:
        assert measure(row.text, *row_font(row.role)) <= row.width + 0.1
        assert row.x + row.width < box.width
        assert row.y < box.height
