from __future__ import annotations

from k8slab.lab.drawing.palette import THEMES
from k8slab.lab.drawing.pen import arrowhead, curve, element, number, sheet

from .samples import NASTY, SVG, parsed


def test_numbers_have_one_decimal_at_most():
    assert [number(each) for each in (1, 1.25, 2.0, -0.01, 123456.78, -3.5)] == [
        "1",
        "1.2",
        "2",
        "0",
        "123456.8",
        "-3.5",
    ]


def test_attributes_are_escaped_and_none_is_left_out():
    assert (
        element("path", d='"<&>', fill=None, stroke_width=1.5) == '<path d="&quot;&lt;&amp;&gt;" stroke-width="1.5"/>'
    )


def test_an_arrow_ends_at_its_tip():
    line, corners = arrowhead(((0, 0), (10, 0), (20, 0), (100, 0)))
    assert line[-1] == (93, 0)
    assert corners.startswith("100,0 ")


def test_a_line_without_a_direction_has_no_head():
    assert arrowhead(((5, 5), (5, 5), (5, 5), (5, 5)))[1] == ""


def test_a_curve_is_one_path():
    assert curve(((0, 0), (1, 1), (2, 1), (3.14, 0))) == "M0 0C1 1 2 1 3.1 0"


def test_a_sheet_says_what_it_is():
    root = parsed(sheet(NASTY, f"a\n  b {NASTY}", 100, 50, THEMES["dark"], []))
    assert root.get("role") == "img"
    assert root.get("aria-label", "").startswith("<b a='1'")
    assert root.findtext(f"{SVG}title") == root.get("aria-label")
    assert root.findtext(f"{SVG}desc", "").splitlines()[1].startswith("  b <b")


def test_a_sheet_has_a_background_of_its_own():
    root = parsed(sheet("x", "x", 100, 50, THEMES["dark"], []))
    first = root.find(f"{SVG}rect")
    assert first is not None
    assert (first.get("fill"), first.get("width")) == (THEMES["dark"].background, root.get("width"))


def test_a_sheet_is_as_wide_as_its_title_needs_but_not_wider_than_a_notebook():
    short, middle, long = (float(parsed(sheet(each, "x", 100, 50, THEMES["light"], [])).get("width"))
                           for each in ("x", "What came of: kubectl create deployment", "x" * 500))  # fmt: skip
    assert (short, long) == (240, 640)
    assert 240 < middle < 640
    assert (
        "What came of: kubectl create deployment<"
        in sheet("What came of: kubectl create deployment", "x", 100, 50, THEMES["light"], []).partition("<text")[2]
    )
