"""Words as a picture: what stands in a notebook where a widget without a drawing of its own cannot run.

GitHub, nbconvert and nbval show it. The bytes depend on the words alone. k8slab's own.
"""

from __future__ import annotations

from k8slab.lab.drawing.palette import theme
from k8slab.lab.drawing.pen import MARGIN, sheet, words
from k8slab.lab.drawing.words import clean, measure

LINE = 18.0
MOST_LINES = 40
GAP = 24.0


def rows_svg(title: str, rows: list[tuple[str, ...]]) -> str:
    """Rows with their cells in columns. Beyond 40 rows it says how many more there are."""
    shown = rows[:MOST_LINES]
    if len(rows) > MOST_LINES:
        shown.append((f"... and {len(rows) - MOST_LINES} more",))
    widths = [0.0] * max((len(row) for row in shown), default=0)
    for row in shown:
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], measure(clean(cell)))
    starts = [MARGIN + sum(widths[:column]) + GAP * column for column in range(len(widths))]
    ink = theme("light").ink
    parts = [
        words((starts[column], 14 + LINE * line), cell, ink)
        for line, row in enumerate(shown)
        for column, cell in enumerate(row)
    ]
    width = sum(widths) + GAP * max(len(widths) - 1, 0) + 2 * MARGIN
    return sheet(
        title, "\n".join("  ".join(row) for row in shown), width, LINE * len(shown) + MARGIN, theme("light"), parts
    )
