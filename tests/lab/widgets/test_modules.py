"""The browser's files, read as text: that they need nothing else, make no markup of data, and can be read."""

from __future__ import annotations

import re

import pytest

from k8slab.lab.drawing.palette import contrast
from k8slab.lab.widgets.modules import MODULES, STATIC, javascript, stylesheet

FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bimport\b|https?://(?!www\.w3)"
)
THEMES = re.findall(r'^\.k8slab(?:\[data-theme="dark"\])? \{(.*?)^\}', stylesheet(), re.DOTALL | re.MULTILINE)[:2]


@pytest.mark.parametrize("piece", sorted(path.name for path in STATIC.glob("*.js")))
def test_a_piece_makes_no_markup_and_loads_nothing(piece):
    assert FORBIDDEN.findall((STATIC / piece).read_text()) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_one_text_with_one_export(name):
    assert re.findall(r"^export .*", javascript(name), re.MULTILINE) == [
        f"export default {{ render: {MODULES[name].render} }};"
    ]
    assert f"function {MODULES[name].render}(" in javascript(name)


def test_every_piece_is_in_a_module():
    used = {piece for module in MODULES.values() for piece in module.pieces}
    assert used == {path.name for path in STATIC.glob("*.js")}


def test_every_rule_is_for_the_widgets_alone():
    rules = re.sub(r"/\*.*?\*/|@keyframes.*?\}\s*\}", "", stylesheet(), flags=re.DOTALL)
    selectors = [each for line in re.findall(r"^\s*([^@{}]+)\{", rules, re.MULTILINE) for each in line.split(",")]
    assert [each for each in selectors if not each.strip().startswith(".k8slab")] == []


def test_no_text_is_smaller_than_12_pixels():
    sizes = re.findall(r"font(?:-size)?: (?:\w+ )*(\d+)px", stylesheet())
    assert min(map(int, sizes)) >= 12


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
def test_text_can_be_read_in_a_page_without_a_theme(theme):
    colour = {name: value for name, _, value in re.findall(r"--k-([\w-]+): (var\(.*?, )?(#\w{6})\)?;", theme)}
    for ink, paper in [
        ("ink", "bg"), ("ink", "sunk"), ("ink", "wash"), ("muted", "bg"), ("muted", "sunk"), ("bad", "bad-wash"),
    ]:  # fmt: skip
        assert contrast(colour[ink], colour[paper]) >= 4.5, (ink, paper)
    assert contrast(colour["accent"], colour["bg"]) >= 3
