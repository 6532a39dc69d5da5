"""Colours: which, on what, and never alone.

Eight hues, Okabe and Ito's, which the colour-blind can tell apart. A kind has a hue and a glyph, and no two kinds share
both; its word is written beside them wherever it is drawn, so nobody needs the colour. A hue is used in three strengths:
the *band* is the hue itself, the *fill* is a breath of it behind text, the *stroke* is the hue pulled away from the
background until a line can be seen.

What is promised, and computed in the tests: text on whatever it stands on has a contrast of 4.5 or more, lines and
borders of 3 or more (WCAG 2.2, 1.4.3 and 1.4.11), in both themes. What is not: that a hue means good or bad.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of one hue in one theme."""

    fill: str
    """Behind text."""
    stroke: str
    """Borders."""
    text: str
    """On the fill."""
    band: str
    """The hue at full strength: headers and glyphs."""
    on_band: str
    """Text on the band."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind looks: `hue` is a key of `BANDS`, `glyph` of `GLYPHS`."""

    hue: str
    glyph: str


@dataclass(frozen=True)
class Theme:
    """All colours on one background."""

    background: str
    shade: str
    """Every other lane."""
    ink: str
    muted: str
    line: str
    """Arrows, axes, lifelines."""
    tints: dict[str, tuple[str, str]]
    """hue -> (fill, stroke)"""

    def paint(self, hue: str) -> Paint:
        """The colours of a hue, a key of `BANDS`."""
        return Paint(*self.tints[hue], self.ink, *BANDS[hue])


BLACK, WHITE = "#111111", "#ffffff"

BANDS = {
    "blue": ("#0072b2", WHITE),
    "sky": ("#56b4e9", BLACK),
    "green": ("#009e73", BLACK),
    "yellow": ("#f0e442", BLACK),
    "orange": ("#e69f00", BLACK),
    "vermillion": ("#d55e00", BLACK),
    "purple": ("#cc79a7", BLACK),
    "grey": ("#bbbbbb", BLACK),
}
"""hue -> (the hue, the text on it); the same in both themes."""

THEMES = {
    "light": Theme(
        background="#ffffff",
        shade="#f5f7f9",
        ink="#1f2328",
        muted="#57606a",
        line="#6b7480",
        tints={
            "blue": ("#e0eef6", "#0072b2"),
            "sky": ("#ebf6fc", "#4590ba"),
            "green": ("#e0f3ee", "#00956c"),
            "yellow": ("#fdfce8", "#958d29"),
            "orange": ("#fcf3e0", "#b37c00"),
            "vermillion": ("#faece0", "#d55e00"),
            "purple": ("#f9eff4", "#b86d96"),
            "grey": ("#f5f6f7", "#858a90"),
        },
    ),
    "dark": Theme(
        background="#14171c",
        shade="#1b1f26",
        ink="#e8eaed",
        muted="#a9b2bc",
        line="#8b949e",
        tints={
            "blue": ("#112431", "#2f8fc9"),
            "sky": ("#1d2d39", "#56b4e9"),
            "green": ("#112a28", "#009e73"),
            "yellow": ("#333421", "#c9bf3c"),
            "orange": ("#312a18", "#e69f00"),
            "vermillion": ("#2f2118", "#d55e00"),
            "purple": ("#2e252f", "#cc79a7"),
            "grey": ("#252a31", "#9aa3ad"),
        },
    ),
}

# Paths about (0, 0) that fit a circle of radius 5.
GLYPHS = {
    "circle": "M-4.5 0A4.5 4.5 0 1 1 4.5 0A4.5 4.5 0 1 1 -4.5 0Z",
    "ring": "M-4.5 0A4.5 4.5 0 1 1 4.5 0A4.5 4.5 0 1 1 -4.5 0ZM-2.2 0A2.2 2.2 0 1 0 2.2 0A2.2 2.2 0 1 0 -2.2 0Z",
    "square": "M-4 -4H4V4H-4Z",
    "diamond": "M0 -5L5 0L0 5L-5 0Z",
    "hexagon": "M-5 0L-2.5 -4.3H2.5L5 0L2.5 4.3H-2.5Z",
    "up": "M0 -4.5L4.8 4H-4.8Z",
    "down": "M0 4.5L4.8 -4H-4.8Z",
    "right": "M5 0L-3.5 4.8V-4.8Z",
    "cross": "M-4.5 -2.5L-2.5 -4.5L0 -2L2.5 -4.5L4.5 -2.5L2 0L4.5 2.5L2.5 4.5L0 2L-2.5 4.5L-4.5 2.5L-2 0Z",
    "plus": "M-1.6 -4.8H1.6V-1.6H4.8V1.6H1.6V4.8H-1.6V1.6H-4.8V-1.6H-1.6Z",
}

OTHER = Look("grey", "circle")
KINDS = {
    "Deployment": Look("blue", "hexagon"),
    "ReplicaSet": Look("orange", "square"),
    "Pod": Look("green", "circle"),
    "Node": Look("yellow", "square"),
    "Namespace": Look("grey", "hexagon"),
    "Event": Look("sky", "diamond"),
    "Lease": Look("purple", "ring"),
    "Service": Look("purple", "up"),
    "ConfigMap": Look("grey", "square"),
    "input": Look("sky", "right"),
    "clock": Look("yellow", "ring"),
    "reconcile": Look("blue", "ring"),
    "write": Look("orange", "diamond"),
    "delivery": Look("green", "right"),
    "request": Look("purple", "right"),
    "component": Look("blue", "square"),
    "container": Look("green", "square"),
    "pull": Look("yellow", "down"),
    "rollout": Look("sky", "hexagon"),
    "fault": Look("vermillion", "cross"),
    "state": Look("sky", "circle"),
    "unknown": Look("grey", "down"),
    "store": Look("orange", "hexagon"),
    "not here": Look("grey", "ring"),
    "answer": Look("green", "diamond"),
    "refused": Look("vermillion", "down"),
}


def look(kind: str) -> Look:
    """How a kind looks; kinds that are not in `KINDS` look alike, and their word tells them apart."""
    return KINDS.get(kind, OTHER)


def theme(name: str) -> Theme:
    """A theme by name. Raises ValueError for one that there is not."""
    if name not in THEMES:
        raise ValueError(f"there is no theme {name!r}; there are: {', '.join(THEMES)}")
    return THEMES[name]


def palette_json(kinds: Iterable[str]) -> dict[str, Any]:
    """What a widget needs to draw these kinds: the colours per theme, and a glyph per kind."""
    looks = {kind: look(kind) for kind in sorted(set(kinds))}
    return {
        "glyphs": {kind: GLYPHS[each.glyph] for kind, each in looks.items()},
        "themes": {
            name: {
                "background": each.background,
                "shade": each.shade,
                "ink": each.ink,
                "muted": each.muted,
                "line": each.line,
                "kinds": {kind: asdict(each.paint(look.hue)) for kind, look in looks.items()},
            }
            for name, each in THEMES.items()
        },
    }


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, from 1 (none) to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
