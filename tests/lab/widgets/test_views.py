"""What each widget answers."""

from __future__ import annotations

import pytest
from ipywidgets import Widget

from k8slab.lab.drawing import Graph, Node, draw
from k8slab.lab.widgets import Controls, GraphView, ObjectsView, TimelineView, WhyView
from tests.lab.widgets.fakes import Line, World
from tests.lab.widgets.seen import Browser, StillTimer


@pytest.fixture(autouse=True)
def _closed():
    yield
    Widget.close_all()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def controls(world):
    return Controls(world)


def ids(widget):
    return [node["id"] for node in widget.state["nodes"]]


def test_a_picture_that_stays_can_be_shown():
    picture = draw(Graph("One", (Node("a", ("a",)),)))
    assert ids(GraphView(picture)) == ["a"]
    assert GraphView(picture).text == str(picture)


def test_a_group_is_opened_and_stays_open_and_is_closed():
    world = World(pods=20)
    graph = GraphView(world)
    browser = Browser(graph)
    assert "group:web pods" in ids(graph)
    browser.says("expand", id="group:web pods")
    world.step()
    graph.show_now()
    assert len(ids(graph)) == 22
    assert graph.state["opened"] == ["group:web pods"]
    browser.says("collapse")
    assert "group:web pods" in ids(graph)


def test_a_timeline_is_the_drawing_librarys_scene(world):
    timeline = TimelineView(Line(world))
    assert [lane["name"] for lane in timeline.state["lanes"]] == ["you", "web-a", "web-b", "web-c"]
    assert len(timeline.state["items"]) == 4


@pytest.mark.parametrize(
    ("type", "content", "asked"),
    [
        ("step", {}, "step"),
        ("forward", {}, "forward"),
        ("goto", {"step": 3}, "goto 3"),
        ("run_for", {"duration": "10s"}, "run_for 10s"),
        ("pause", {}, "pause"),
        ("fault_on", {"name": "node-lost", "arguments": {"node": "node-1"}}, "fault_on node-lost {'node': 'node-1'}"),
    ],
)
def test_every_control_is_one_method(controls, world, type, content, asked):
    assert Browser(controls).says(type, **content) == {"type": "done", "n": 1}
    assert world.asked == [asked]


def test_what_cannot_be_done_is_said(controls):
    assert Browser(controls).says("back") == {"type": "error", "n": 1, "say": "Nothing was done before step 0."}


@pytest.mark.parametrize("step", ["3", None, 1.5, True])
def test_a_step_is_a_whole_number(controls, step):
    assert "whole number" in Browser(controls).says("goto", step=step)["say"]


def test_playing_as_fast_as_possible(world):
    class Player(World):
        def play(self, speed: float) -> None:
            self.playing, self.speed = True, speed

    player = Player()
    controls = Controls(player)
    Browser(controls).says("play", speed="fastest")
    assert player.speed == float("inf")
    assert (controls.state["playing"], controls.state["speed"]) == (True, "fastest")


def test_an_unknown_speed_is_refused(controls):
    assert Browser(controls).says("play", speed="warp")["say"].startswith("There is no speed 'warp'; there are: 0.1,")


def test_a_fault_is_ended_by_the_id_that_began_it(controls, world):
    browser = Browser(controls)
    browser.says("fault_on", name="node-lost", arguments={"node": "node-1"})
    assert [each["active"] for each in controls.state["faults"]] == [True, False, False]
    browser.says("fault_off", name="node-lost")
    assert world.broken == {}


def test_a_fault_that_nobody_here_began_is_ended_by_the_id_in_its_row(controls, world):
    world.fault_on("slow-watch", {})
    rows = [dict(row) | {"id": "fault-slow-watch"} if row["active"] else row for row in world.faults()]
    world.faults = lambda: rows
    Browser(controls).says("fault_off", name="slow-watch")
    assert world.broken == {}


def test_a_fault_that_is_not_active_cannot_be_ended(controls):
    assert "is not active" in Browser(controls).says("fault_off", name="node-lost")["say"]


def test_a_source_that_says_nothing_is_looked_at_while_it_plays(world):
    timer = StillTimer()
    world.subscribe = None
    world.playing = True
    silent = type("Silent", (), {"__getattr__": lambda self, name: _no_subscribe(world, name)})()
    controls = Controls(silent, timer=timer)
    controls.show_now()
    assert len(timer.ordered) == 1


def _no_subscribe(world, name):
    if name == "subscribe":
        raise AttributeError(name)
    return getattr(world, name)


def test_the_details_follow_the_selection_and_the_tab(world):
    objects = ObjectsView(world)
    browser = Browser(objects)
    browser.says("select", id="Pod/default/web-a")
    browser.says("tab", tab="events")
    assert "Pulled" in objects.state["details"]["text"]
    browser.says("tab", tab="why")
    assert objects.state["details"]["text"].startswith("Why: Pod/default/web-a")
    assert browser.says("tab", tab="logs")["say"] == "There is no tab 'logs'; there are: yaml, events, why."


def test_an_object_that_is_gone_is_a_sentence_beside_the_table(world):
    objects = ObjectsView(world)
    objects.selection.selected = "Service/shop/cart"
    assert objects.state["details"]["problem"] == "Service/shop/cart is not there any more."
    assert len(objects.state["rows"]) == 6


def test_rows_know_their_kind_and_namespace(world):
    rows = {row["id"]: (row["kind"], row["namespace"]) for row in ObjectsView(world).state["rows"]}
    assert rows["Node/node-1"] == ("Node", "")
    assert rows["Pod/default/web-a"] == ("Pod", "default")


def test_why_asks_about_what_is_chosen(world):
    why = WhyView(ask=world.why)
    assert why.state["hint"].startswith("Choose an object")
    why.selection.selected = "Pod/default/web-a"
    assert why.state["lines"][0] == "Why: Pod/default/web-a"
    assert "hint" not in why.state


def test_why_shows_one_answer_or_asks_but_not_both(world):
    assert WhyView(world.why("Pod/default/web-a")).state["lines"]
    with pytest.raises(ValueError, match="one answer, or asks"):
        WhyView()
