"""SVG, written by hand: elements, words, arrows, and the sheet they stand on.

The same picture is the same bytes, on every machine and in every process: notebooks are compared byte for byte. So there
are no ids (two pictures on one page would share them; arrowheads are polygons for that reason, not markers), no times, no
fonts that are measured; attributes stand in the order of the code, numbers have at most one decimal.

A sheet has its own background, since a notebook's may be dark or light, and says what it shows twice more: a title and a
description, for people who hear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, hypot

from k8slab.lab.drawing.palette import GLYPHS, Look, Theme
from k8slab.lab.drawing.words import FONTS, clean, fit, legal, measure

Point = tuple[float, float]

MARGIN = 16.0
TITLE_HEIGHT = 28.0
LEAST_WIDTH = 240.0
WIDEST_FOR_TITLE = 640.0
PAGE_WIDTH = 800.0
"""What a notebook has room for in a window of 1280 pixels with the list of files open, or of 1000 without."""
TEXT_SIZE = 12.0
HEADING_SIZE = 13.0
TITLE_SIZE = 15.0
ARROW_LENGTH = 8.0
ARROW_WIDTH = 7.0


def number(value: float) -> str:
    """A coordinate as text: one decimal at most, and no negative zero."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def element(name: str, *inner: str, **attributes: str | float | None) -> str:
    """One element. `stroke_width=2` becomes `stroke-width="2"`; None leaves an attribute out; `inner` is SVG already."""
    written = "".join(
        f' {key.replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inner)}</{name}>" if inner else f"<{name}{written}/>"


def words(
    at: Point, text: str, fill: str, size: float = TEXT_SIZE, bold: bool = False, anchor: str | None = None
) -> str:
    """One line of text; `at` is on its baseline, at its start unless `anchor` says `middle` or `end`."""
    return element(
        "text",
        escape(clean(text), quote=False),
        x=at[0],
        y=at[1],
        fill=fill,
        font_size=size if size != TEXT_SIZE else None,
        font_weight="bold" if bold else None,
        text_anchor=anchor,
    )


def glyph(at: Point, look: Look, theme: Theme, on_band: bool = False) -> str:
    """A kind's glyph around a point: in the colour of its hue, or of the text on a band of that hue."""
    paint = theme.paint(look.hue)
    return element(
        "path",
        d=GLYPHS[look.glyph],
        transform=f"translate({number(at[0])} {number(at[1])})",
        fill=paint.on_band if on_band else paint.band,
        stroke=None if on_band else paint.stroke,
        stroke_width=None if on_band else 0.8,
    )


def curve(points: Sequence[Point]) -> str:
    """The path of a chain of Bézier curves: a start, then three points for each curve."""
    start, *others = (f"{number(x)} {number(y)}" for x, y in points)
    return f"M{start}C{' '.join(others)}"


def arrowhead(points: Sequence[Point]) -> tuple[tuple[Point, ...], str]:
    """For a line that ends at its last point: the line made shorter, and the corners of a head whose tip is that point."""
    tip = points[-1]
    before = next((each for each in reversed(points) if hypot(tip[0] - each[0], tip[1] - each[1]) > 0.5), None)
    if before is None:
        return tuple(points), ""
    length = hypot(tip[0] - before[0], tip[1] - before[1])
    along = ((tip[0] - before[0]) / length, (tip[1] - before[1]) / length)
    back = (tip[0] - along[0] * ARROW_LENGTH, tip[1] - along[1] * ARROW_LENGTH)
    across = (-along[1] * ARROW_WIDTH / 2, along[0] * ARROW_WIDTH / 2)
    corners = (tip, (back[0] + across[0], back[1] + across[1]), (back[0] - across[0], back[1] - across[1]))
    # A pixel inside the head, so that no gap shows between the two.
    short = (*points[:-1], (back[0] + along[0], back[1] + along[1]))
    return short, " ".join(f"{number(x)},{number(y)}" for x, y in corners)


def label(middle: Point, text: str, width: float, theme: Theme) -> str:
    """A line's label, on a patch of background so that the line does not run through it."""
    x, y = middle
    patch = element("rect", x=x - width / 2, y=y - 8, width=width, height=16, rx=3, fill=theme.background)
    return patch + words((x, y + 4), text, theme.ink, anchor="middle")


def sheet(title: str, spoken: str, width: float, height: float, theme: Theme, parts: Sequence[str]) -> str:
    """The whole SVG: a background, a title, and the parts, which begin below the title.

    A sheet is as wide as its parts need, and where its title needs more, as wide as that, up to 640 pixels. It is
    shown no wider than a notebook's page: JupyterLab would cut off the rest.
    """
    title = clean(title)
    top = TITLE_HEIGHT if title else 0.0
    for_title = min(ceil(measure(title, TITLE_SIZE, bold=True)) + 2 * MARGIN, WIDEST_FOR_TITLE)
    width, height = max(width, LEAST_WIDTH, for_title if title else 0.0), height + top
    shown = fit(title, width - 2 * MARGIN, TITLE_SIZE, bold=True)
    described = "\n".join(map(legal, spoken.split("\n")))
    scale = min(1.0, PAGE_WIDTH / width)
    return element(
        "svg",
        element("title", escape(title or "Picture", quote=False)),
        element("desc", escape(described or "(nothing)", quote=False)),
        element("rect", width=width, height=height, rx=6, fill=theme.background),
        words((MARGIN, MARGIN + 11), shown, theme.ink, TITLE_SIZE, bold=True) if title else "",
        element("g", *parts, transform=f"translate(0 {number(top)})") if parts else "",
        xmlns="http://www.w3.org/2000/svg",
        width=width * scale,
        height=height * scale,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_label=title or "Picture",
        style="max-width:100%;height:auto",
        font_family=FONTS,
        font_size=TEXT_SIZE,
    )
