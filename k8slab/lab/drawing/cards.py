"""What is written in a box, and how large the box is for it.

A card has a band with its kind (glyph and word), then its heading, its lines, its state. A box's size follows from its
words alone, by `words.py`; lines that are too long lose their middle, and the table has them whole. Nothing here knows
where a box will stand: the rows' places are relative to the box's upper left corner, so a box can be moved as one.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.lab.drawing.model import Node
from k8slab.lab.drawing.pen import HEADING_SIZE, TEXT_SIZE
from k8slab.lab.drawing.words import clean, fit, measure

PADDING = 10.0
GLYPH_ROOM = 15.0
BAND_HEIGHT = 20.0
LONGEST_LINE = 290.0
LEAST_WIDTH = 72.0
UNTAGGED = ("state",)
"""Kinds of pictures in which everything is of that kind, so that nobody needs to be told."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of text in a box. `role`: `tag`, `heading`, `line`, `state`, or `lit` for the state of a box that is lit."""

    text: str
    role: str
    x: float
    y: float
    """The baseline."""
    width: float
    """What it does not exceed."""


@dataclass(frozen=True, slots=True)
class Card:
    """A box without a place. `band` is the height of its header, 0 for none."""

    width: float
    height: float
    band: float
    rows: tuple[Row, ...]


def heading(node: Node) -> str:
    """A node's first line, or what stands for it where there is none."""
    return next((text for text in map(clean, node.lines) if text), "") or clean(node.id) or "?"


def details(node: Node) -> tuple[str, ...]:
    """A node's lines after the heading."""
    return tuple(text for text in map(clean, node.lines) if text)[1:]


def card(node: Node) -> Card:
    """The box of a node."""
    tag, head = "" if node.kind in UNTAGGED else clean(node.kind), heading(node)
    rows: list[Row] = []
    if tag:
        rows.append(_row(tag, "tag", PADDING + GLYPH_ROOM, 14.5))
    y = BAND_HEIGHT + 4 if tag else 6.0
    # A Deployment that is called "Deployment" is said once.
    body = [(head, "heading")] if head.casefold() != tag.casefold() else []
    body += [(text, "line") for text in details(node)] + [(clean(node.state), "lit" if node.lit else "state")]
    for text, role in body:
        if text:
            y += 18 if role == "heading" else 16
            rows.append(_row(text, role, PADDING, y - 4))
    width = max([LEAST_WIDTH, *(row.x + row.width + PADDING for row in rows)])
    only_band = len(rows) == 1 and bool(tag)
    return Card(float(round(width)), BAND_HEIGHT if only_band else y + 6, BAND_HEIGHT if tag else 0.0, tuple(rows))


def _row(text: str, role: str, x: float, y: float) -> Row:
    size, bold = row_font(role)
    text = fit(text, LONGEST_LINE - x, size, bold)
    return Row(text, role, x, y, round(measure(text, size, bold), 1))


def row_font(role: str) -> tuple[float, bool]:
    """(size in pixels, whether bold) of a row."""
    return (HEADING_SIZE if role == "heading" else TEXT_SIZE, role in ("heading", "tag", "lit"))
