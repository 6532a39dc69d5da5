from __future__ import annotations

import json

import pytest
from ipywidgets import Widget

from k8slab.lab.widgets import Controls, GraphView, ObjectsView, Selection, TimelineView, WhyView, selection_of
from k8slab.lab.widgets.base import sentence
from k8slab.lab.widgets.patches import apply
from tests.lab.widgets.fakes import Line, Many, World
from tests.lab.widgets.seen import Browser, StillTimer

VIEW = "application/vnd.jupyter.widget-view+json"
MAKERS = {
    "graph": GraphView,
    "timeline": lambda world: TimelineView(Line(world), selection=selection_of(world)),
    "objects": ObjectsView,
    "controls": Controls,
    "why": lambda world: WhyView(ask=world.why),
}


@pytest.fixture(autouse=True)
def _closed():
    yield
    Widget.close_all()


@pytest.fixture
def world():
    return World()


@pytest.fixture(params=MAKERS)
def widget(request, world):
    return MAKERS[request.param](world)


@pytest.fixture
def graph(world):
    return GraphView(world, timer=StillTimer())


def test_a_widget_says_the_same_as_text_and_as_a_drawing(widget):
    data, _ = widget._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/svg+xml", VIEW}
    assert data["text/plain"] == widget.text == repr(widget)
    assert data["image/svg+xml"].startswith("<svg ")


def test_what_it_says_without_a_kernel_is_the_same_bytes_each_time(widget):
    first, _ = widget._repr_mimebundle_()
    second, _ = widget._repr_mimebundle_()
    assert first == second


def test_the_state_is_plain_data(widget, world):
    widget.selection.selected = "Pod/default/web-a"
    assert json.loads(json.dumps(widget.state))["selected"] == "Pod/default/web-a"


def test_patches_lead_from_the_first_state_to_the_last(widget, world):
    seen = json.loads(json.dumps(widget.state))
    browser = Browser(widget)
    for step in (1, 2, 5):
        world.goto(step)
        widget.selection.selected = f"Pod/default/web-{'abc'[step % 3]}"
        widget.show_now()
    for patch in browser.patches:
        assert patch["from"] == seen["rev"]
        seen = apply(seen, patch) | {"rev": patch["rev"]}
    assert json.loads(json.dumps(seen)) == json.loads(json.dumps(widget.state))


def test_nothing_is_sent_when_nothing_changed(widget):
    browser = Browser(widget)
    widget.show_now()
    assert browser.sent == []


def test_a_view_that_has_the_newest_state_is_not_sent_it_again(graph):
    browser = Browser(graph)
    assert browser.says("hello", rev=graph.state["rev"]) == {"type": "done", "n": 1}
    assert browser.whole_states == 0


def test_a_view_that_missed_a_patch_gets_the_whole_state(graph, world):
    browser = Browser(graph)
    world.step()
    graph.show_now()
    browser.says("hello", rev=0)
    browser.says("resync")
    assert browser.whole_states == 2


def test_the_saved_state_is_the_newest_one(graph, world):
    world.step()
    graph.show_now()
    assert graph.get_state("state")["state"]["rev"] == 1


def test_a_thousand_changes_are_few_patches(world):
    timer = StillTimer()
    graph = GraphView(world, timer=timer)
    browser = Browser(graph)
    for _ in range(200):
        world.step()
    assert len(browser.patches) < 30
    assert len(timer.ordered) >= 1


def test_one_box_of_a_thousand_is_one_box_sent():
    many = Many()
    graph = GraphView(many)
    browser = Browser(graph)
    many.touch(1)
    graph.show_now()
    assert len(browser.patches[0]["lists"]["nodes"]["put"]) == 1
    assert len(json.dumps(browser.patches[0])) < 2_000


def test_choosing_in_one_widget_chooses_in_the_others_both_ways(world):
    graph, objects = GraphView(world), ObjectsView(world)
    Browser(graph).says("select", id="Pod/default/web-b")
    assert objects.state["selected"] == "Pod/default/web-b"
    assert objects.state["details"]["text"].startswith("kind: Pod")
    Browser(objects).says("select", id="")
    assert graph.state["selected"] == ""


def test_widgets_of_two_worlds_do_not_share_a_selection(world):
    assert GraphView(world).selection is not GraphView(World()).selection


def test_a_source_may_bring_its_own_selection(world):
    world.selection = Selection()
    assert Controls(world).selection is world.selection


def test_a_closed_widget_listens_no_more(graph, world):
    browser = Browser(graph)
    graph.close()
    world.step()
    graph.selection.selected = "Pod/default/web-a"
    graph.close()
    assert browser.patches == []


@pytest.mark.parametrize(
    "message", [{"type": "fly"}, {}, None, 7, "x", {"type": ["a"]}, {"type": "select"}, {"type": "select", "id": 3}]
)
def test_a_message_that_makes_no_sense_is_answered_with_a_sentence(graph, message, capfd):
    browser = Browser(graph)
    graph._handle_custom_msg(message, [])
    assert browser.sent[-1]["type"] == "error"
    assert browser.sent[-1]["say"].startswith("The widget ")
    assert capfd.readouterr() == ("", "")


def test_a_source_that_fails_is_a_sentence_and_the_last_picture_stays(graph, world, capfd):
    browser = Browser(graph)
    world.picture = lambda: 1 / 0
    graph.show_now()
    assert browser.patches[-1]["set"]["problem"] == "Division by zero."
    assert len(graph.state["nodes"]) == 5
    assert repr(graph) == "Division by zero."
    assert VIEW in graph._repr_mimebundle_()[0]
    assert capfd.readouterr() == ("", "")
    del world.picture
    graph.show_now()
    assert graph.state["problem"] == ""


def test_a_source_that_fails_from_the_start_is_a_sentence_too(world):
    world.picture = lambda: {}["pods"]
    assert GraphView(world).state["problem"] == "Something went wrong inside: KeyError: 'pods'."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("there is no step 7"), "There is no step 7."),
        (RuntimeError("Really?"), "Really?"),
        (ValueError(), "Something went wrong inside: ValueError."),
        (AttributeError("x"), "Something went wrong inside: AttributeError: x."),
        (KeyboardInterrupt(), "Interrupted: what was asked for may be half done."),
    ],
)
def test_errors_are_sentences(error, said):
    assert sentence(error) == said
