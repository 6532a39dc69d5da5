from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.lab.drawing.model import Bar, Mark, Timeline
from k8slab.lab.drawing.picture import draw
from k8slab.lab.drawing.timeline import timeline_table, timeline_text
from k8slab.lab.drawing.timeline_scene import MOST_ROWS, WIDTH, Item, timeline_scene
from k8slab.lab.drawing.words import measure

from .samples import parsed, pull, words_in


def test_the_text_has_one_line_for_each_thing_in_order_of_time():
    assert timeline_text(pull()).splitlines() == [
        " +0.0s  kubectl         create deployment web",
        " +0.2s  kubelet-node-1  pull nginx  (2.3s)",
        " +2.5s  kubelet-node-1  nginx runs  (not ended)",
        "+10.0s  kubelet-node-2  back-off  (5m)",
    ]


def test_the_table_says_more():
    assert timeline_table(pull()).rows[1] == ("+0.2s", "kubelet-node-1", "pull nginx", "2.3s", "container", "Pod/web")


def test_a_lane_that_was_not_named_comes_last():
    assert [lane.name for lane in timeline_scene(pull()).lanes] == ["kubectl", "kubelet-node-1", "kubelet-node-2"]


def test_what_has_not_ended_reaches_the_right_edge():
    scene = timeline_scene(pull())
    open_bar = next(item for item in scene.items if item.end is None)
    assert open_bar.x + open_bar.w == scene.right
    assert open_bar.path.count("L") == 5  # a ragged end


def test_longer_bars_are_wider():
    short, long = timeline_scene(Timeline("t", ("a",), (Bar("a", 0, 1), Bar("a", 0, 2)))).items[::-1]
    assert abs(long.w - 2 * short.w) < 0.2


def reach(item: Item) -> tuple[float, float]:
    """From where to where an item and its words are drawn."""
    ends = [item.x - 5, item.x + 5] if item.is_mark else [item.x, item.x + item.w]
    if item.shown:
        ends += [item.label_at[0], item.label_at[0] + measure(item.shown)]
    return min(ends), max(ends)


times = st.floats(0, 1000, allow_nan=False)
marks = st.builds(Mark, st.sampled_from("ab"), times, st.text("abc ", max_size=60), st.just("Event"))


@given(st.lists(marks, max_size=MOST_ROWS))
def test_words_do_not_lie_on_each_other(found):
    items = timeline_scene(Timeline("t", ("a", "b"), (), tuple(found))).items
    for one, other in combinations(items, 2):
        if one.y == other.y:
            assert reach(one)[1] <= reach(other)[0] or reach(other)[1] <= reach(one)[0]


@given(st.lists(marks, max_size=40))
def test_everything_stays_on_the_sheet(found):
    scene = timeline_scene(Timeline("t", (), (), tuple(found)))
    assert all(item.y < scene.height for item in scene.items)
    assert all(reach(item)[0] >= 0 and reach(item)[1] <= WIDTH for item in scene.items)


def test_a_crowded_lane_keeps_its_marks_and_loses_words():
    marks = (Mark("a", number / 1000, f"event {number}") for number in range(50))
    crowd = Timeline("t", ("a",), (Bar("b", 0, 1000),), tuple(marks))
    scene = timeline_scene(crowd)
    assert len({item.y for item in scene.items if item.is_mark}) == MOST_ROWS
    assert sum(bool(item.shown) for item in scene.items) == MOST_ROWS
    assert len(timeline_table(crowd).rows) == 51


def test_a_long_label_is_cut_in_the_picture_only():
    model = Timeline("t", ("a",), (), (Mark("a", 0, "a very long label " * 9),))
    assert timeline_scene(model).items[0].shown.endswith("…")
    assert timeline_table(model).rows[0][2] == ("a very long label " * 9).strip()


def test_the_legend_names_the_kinds_where_there_is_more_than_one():
    assert [kind for _, _, kind in timeline_scene(pull()).legend] == ["container", "fault", "input"]
    assert timeline_scene(Timeline("t", (), (), (Mark("a", 0, "x", "Event"),))).legend == ()


def test_ids_stay_apart():
    twice = Timeline("t", (), (), (Mark("a", 0, "x"), Mark("a", 0, "x")))
    assert [item.id for item in timeline_scene(twice).items] == ["a/x/+0.0s", "a/x/+0.0s (2)"]


def test_the_picture_names_lanes_labels_and_times():
    assert {"kubectl", "kubelet-node-1", "pull nginx", "create deployment web", "0s", "1m"} <= set(
        words_in(draw(pull()).svg)
    )


def test_an_empty_timeline_can_be_drawn():
    empty = draw(Timeline("t", ()))
    assert parsed(empty.svg).get("role") == "img"
    assert empty.text == "(nothing)"
