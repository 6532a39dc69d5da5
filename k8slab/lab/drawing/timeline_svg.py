"""A timeline, drawn: lanes, an axis, bars and marks at the places that `timeline_scene.py` gave them.

A kind is told by its glyph, by its word in the legend, and by its colour last. A bar that has not ended has a ragged end.
"""

from __future__ import annotations

from k8slab.lab.drawing.palette import Theme, look
from k8slab.lab.drawing.pen import MARGIN, element, glyph, number, sheet, words
from k8slab.lab.drawing.timeline_scene import AXIS_HEIGHT, GLYPH_ROOM, LONGEST_LABEL, Item, Lane, Tick, TimelineScene
from k8slab.lab.drawing.words import clean, fit


def timeline_svg(title: str, spoken: str, scene: TimelineScene, theme: Theme) -> str:
    """The scene as SVG; `spoken` is the text that says the same."""
    parts = [_lane(lane, row % 2 == 0, scene, theme) for row, lane in enumerate(scene.lanes)]
    bottom = scene.lanes[-1].y + scene.lanes[-1].h if scene.lanes else AXIS_HEIGHT
    parts += [_tick(tick, bottom, scene, theme) for tick in scene.ticks]
    parts += [_item(item, theme) for item in scene.items]
    for x, y, kind in scene.legend:
        name = fit(clean(kind), LONGEST_LABEL)
        parts += [glyph((x + 6, y), look(kind), theme), words((x + 17, y + 4), name, theme.muted)]
    return sheet(title, spoken, scene.width, scene.height, theme, parts)


def _lane(lane: Lane, shaded: bool, scene: TimelineScene, theme: Theme) -> str:
    name = words((MARGIN, lane.y + 4 + 13 + 4), lane.label, theme.ink, bold=True)
    if not shaded:
        return name
    width = scene.width - MARGIN
    return element("rect", x=MARGIN / 2, y=lane.y, width=width, height=lane.h, rx=4, fill=theme.shade) + name


def _tick(tick: Tick, bottom: float, scene: TimelineScene, theme: Theme) -> str:
    line = element(
        "path",
        d=f"M{number(tick.x)} {number(AXIS_HEIGHT - 4)}V{number(bottom)}",
        stroke=theme.line,
        stroke_width=0.6,
        stroke_dasharray="1 4",
    )
    anchor = "end" if tick.x > scene.right - 20 else "middle"  # the last label stays on the sheet
    return line + words((tick.x, AXIS_HEIGHT - 9), tick.label, theme.muted, anchor=anchor)


def _item(item: Item, theme: Theme) -> str:
    kind = look(item.kind)
    paint = theme.paint(kind.hue)
    if item.is_mark:
        drawn = glyph((item.x, item.y), kind, theme)
    else:
        drawn = element("path", d=item.path, fill=paint.fill, stroke=paint.stroke, stroke_width=1.4)
        if item.kind and item.w >= GLYPH_ROOM + 4:
            drawn += glyph((item.x + 11, item.y), kind, theme)
    return drawn + (words(item.label_at, item.shown, theme.ink) if item.shown else "")
