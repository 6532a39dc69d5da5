from __future__ import annotations

from itertools import pairwise

from k8slab.lab.drawing.model import Message, Sequence
from k8slab.lab.drawing.picture import draw
from k8slab.lab.drawing.sequence import sequence_scene, sequence_table, sequence_text

from .samples import create, words_in


def test_the_text_is_numbered_lines():
    assert sequence_text(create()).splitlines() == [
        "1. kubectl -> API server: POST deployments  [as admin]",
        "2. API server -> API server: admit",
        "3. API server --> kubectl: 201",
    ]


def test_the_table_says_the_same():
    assert sequence_table(create()).rows[2] == ("3", "API server", "kubectl", "201", "reply", "")


def test_messages_go_from_lifeline_to_lifeline():
    scene = sequence_scene(create())
    first = scene.messages[0]
    assert first.path.startswith(f"M{scene.lifelines[0].x:.0f} ")
    assert first.arrow.startswith(f"{scene.lifelines[1].x:.0f},")


def test_messages_go_downward_within_the_lifelines():
    scene = sequence_scene(create())
    assert all(one.y < other.y for one, other in pairwise(scene.messages))
    assert scene.top < scene.messages[0].y < scene.messages[-1].y < scene.bottom


def test_heads_do_not_touch():
    names = ("a", "a participant with a long name", "kube-controller-manager", "b")
    lines = sequence_scene(Sequence("s", names, ())).lifelines
    assert all(one.x + one.w / 2 < other.x - other.w / 2 for one, other in pairwise(lines))


def test_there_is_room_for_what_is_said():
    long = Sequence(
        "s", ("a", "b", "c"), (Message("a", "b", "x" * 30), Message("a", "c", "y" * 60), Message("c", "c", "z" * 30))
    )
    scene = sequence_scene(long)
    between, across, loop = scene.messages
    a, b, c = (line.x for line in scene.lifelines)
    assert between.label_width < b - a
    assert across.label_width < c - a
    assert loop.label_at[0] + loop.label_width / 2 < scene.width


def test_who_only_speaks_is_a_participant():
    assert [line.name for line in sequence_scene(Sequence("s", ("a",), (Message("b", "a", "x"),))).lifelines] == [
        "a",
        "b",
    ]


def test_the_picture_has_the_same_numbers():
    assert {"1. POST deployments", "as admin", "2. admit", "3. 201"} <= set(words_in(draw(create()).svg))


def test_a_reply_is_dashed():
    assert draw(create()).svg.count('stroke-dasharray="5 4"') == 1


def test_a_long_name_stands_on_two_lines_in_its_head():
    lines = sequence_scene(Sequence("s", ("etcd", "garbage-collector-controller"), ())).lifelines
    assert [line.rows for line in lines] == [("etcd",), ("garbage-collector-", "controller")]


def test_what_is_long_is_written_on_two_lines():
    said = "creates ReplicaSet web-7957885594 in production"
    scene = sequence_scene(Sequence("s", ("a", "b"), (Message("a", "b", said), Message("b", "a", "no"))))
    first, second = scene.messages
    assert len(first.shown) == 2
    assert first.label == said
    assert second.shown == ("2. no",)
    assert scene.top < first.label_at[1] < first.y
