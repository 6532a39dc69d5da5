from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.lab.drawing import Edge, Graph, GraphPicture, Node, Table, draw, picture
from k8slab.lab.drawing.cards import heading
from k8slab.lab.drawing.palette import THEMES
from k8slab.lab.drawing.pen import number

from .samples import SVG, create, life, nasty, owners, parsed, pull, thousand

ROOT = Path(__file__).parents[3]
MODELS = [owners(), pull(), create(), life()]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@every_model
@pytest.mark.parametrize("theme", THEMES)
def test_every_picture_is_an_image_with_a_name_and_a_text(model, theme):
    root = parsed(draw(model).svg_for(theme))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == model.title
    assert root.findtext(f"{SVG}desc") == draw(model).text


@every_model
def test_two_pictures_on_one_page_share_nothing(model):
    svg = draw(model).svg
    assert "url(" not in svg
    assert [each for each in parsed(svg).iter() if each.get("id")] == []


@every_model
def test_no_text_is_smaller_than_12_pixels(model):
    sizes = [each.get("font-size") for each in parsed(draw(model).svg).iter() if each.get("font-size")]
    assert min(map(float, sizes)) >= 12


@pytest.mark.parametrize("model", nasty(), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("theme", THEMES)
def test_no_label_breaks_the_picture(model, theme):
    assert parsed(draw(model).svg_for(theme)).get("role") == "img"


@every_model
def test_a_notebook_gets_text_and_a_drawing(model):
    bundle = draw(model)._repr_mimebundle_()
    assert bundle == {"text/plain": str(draw(model)), "image/svg+xml": draw(model).svg}
    assert bundle["text/plain"].splitlines()[0] == model.title


@every_model
def test_what_cannot_be_drawn_is_shown_as_text(model, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    for name in ("graph_scene", "timeline_scene", "sequence_scene"):
        monkeypatch.setattr(picture, name, fail)
    broken = draw(model)
    assert broken._repr_mimebundle_() == {"text/plain": str(broken)}
    assert broken.problem == "KeyError: 'a bug'"
    assert broken.json()["text"] == broken.text
    with pytest.raises(RuntimeError, match="a bug"):
        _ = broken.svg


@every_model
def test_a_widget_gets_plain_data(model):
    data = draw(model).json()
    assert json.loads(json.dumps(data))["title"] == model.title
    assert set(data["palette"]["themes"]) == set(THEMES)
    assert len(data["table"]["rows"][0]) == len(data["table"]["columns"])


def test_a_widget_and_the_drawing_have_the_same_coordinates():
    drawn = draw(owners())
    for node in drawn.json()["nodes"]:
        assert f'transform="translate({number(node["x"])} {number(node["y"])})"' in drawn.svg
    for edge in drawn.json()["edges"]:
        assert f'd="{edge["path"]}"' in drawn.svg
        assert f'points="{edge["arrow"]}"' in drawn.svg


def test_an_edge_has_an_id_even_where_there_are_two():
    model = Graph("g", (Node("a", ()), Node("b", ())), (Edge("a", "b"), Edge("a", "b")))
    assert [edge["id"] for edge in draw(model).json()["edges"]] == ["a->b", "a->b (2)"]


def test_a_thousand_nodes_are_drawn_as_thirty_and_listed_in_full():
    drawn = GraphPicture(thousand())
    assert len(drawn.json()["nodes"]) == 30
    assert len(drawn.text.splitlines()) == 30
    assert len(drawn.table.rows) == 1000


def test_a_box_of_many_opens():
    data = GraphPicture(thousand()).expand("group:app3").json()
    assert {node["id"] for node in data["nodes"]} >= {"P3.0", "P3.97", "group:app4"}
    assert next(node["members"] for node in data["nodes"] if node["id"] == "group:app4") == 98


def test_the_lit_box_has_a_second_border():
    model = owners()
    dark = Graph(model.title, tuple(Node(n.id, n.lines, n.kind, n.state) for n in model.nodes), model.edges)
    assert draw(model).svg.count("<rect") == draw(dark).svg.count("<rect") + 1


def test_a_box_stays_where_it_is_when_it_is_lit():
    model = owners()
    dark = Graph(model.title, tuple(Node(n.id, n.lines, n.kind, n.state) for n in model.nodes), model.edges)
    assert [node["y"] for node in draw(model).json()["nodes"]] == [node["y"] for node in draw(dark).json()["nodes"]]


def test_the_same_model_is_the_same_bytes_in_every_process():
    code = (
        "from tests.lab.drawing.samples import *; from k8slab.lab.drawing import draw; import json\n"
        "for model in (owners(), thousand(), thousand(False), pull(), create(), life(), *nasty()):\n"
        "    print(draw(model).svg, json.dumps(draw(model).json()), ascii(str(draw(model))))\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 10_000


def test_the_library_knows_no_cluster():
    imports = [
        line
        for path in sorted((ROOT / "k8slab/lab/drawing").glob("*.py"))
        for line in path.read_text().splitlines()
        if line.startswith(("from k8slab", "import k8slab"))
    ]
    assert imports
    assert [line for line in imports if not line.startswith("from k8slab.lab.drawing")] == []


def test_a_table_is_aligned_text_and_html():
    table = Table(("Kind", "Name"), (("Pod", "<web>"), ("Deployment", "x")))
    assert str(table).splitlines() == ["KIND         NAME", "Pod          <web>", "Deployment   x"]
    assert ">Kind</th>" in table._repr_html_()
    assert ">&lt;web&gt;</td>" in table._repr_html_()


ids = st.text(max_size=8)
nodes = st.builds(
    Node,
    id=ids,
    lines=st.lists(st.text(max_size=40), max_size=3).map(tuple),
    kind=st.sampled_from(["", "Pod", "input", "CronJob"]) | st.text(max_size=5),
    state=st.text(max_size=10),
    group=st.sampled_from(["", "g"]),
    lit=st.booleans(),
)


@st.composite
def graphs(example: st.DrawFn) -> Graph:
    boxes = example(st.lists(nodes, max_size=8, unique_by=lambda node: node.id))
    ends = st.sampled_from([node.id for node in boxes]) | ids if boxes else ids
    edges = example(
        st.lists(st.builds(Edge, ends, ends, st.text(max_size=12), st.sampled_from(["", "dashed"])), max_size=12)
    )
    return Graph(example(st.text(max_size=20)), tuple(boxes), tuple(edges), example(st.booleans()))


@settings(max_examples=60)
@given(graphs(), st.sampled_from(sorted(THEMES)))
def test_any_graph_can_be_drawn_read_and_looked_up(model, theme):
    drawn = draw(model)
    assert parsed(drawn.svg_for(theme)).get("role") == "img"
    assert drawn.problem == ""
    names = [row[1] for row in drawn.table.rows]
    for node in model.nodes:
        assert heading(node) in drawn.text
        assert heading(node) in names


def test_what_is_broken_or_absent_is_not_told_by_colour_alone():
    plain, broken, absent = (
        draw(Graph("g", (Node("a", ("a",), "component", style=style),))).svg for style in ("", "broken", "absent")
    )
    assert "stroke-dasharray" not in plain
    assert "stroke-dasharray" in absent
    assert "<circle" not in absent
    assert "stroke-dasharray" in broken
    assert "<circle" in broken
