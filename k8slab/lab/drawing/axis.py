"""A time axis: where its ticks stand, and how spans of time are said.

Ticks stand at multiples of a step that people count in (1, 2, 5, 10, 15, 30 seconds, minutes, hours), the smallest one
that leaves room for the labels. Times are seconds after the picture's origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

DAY = 86400.0
STEPS = (
    *(base * scale for scale in (0.001, 0.01, 0.1) for base in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 10800.0, 21600.0, 43200.0),
)
UNITS = (("d", DAY), ("h", 3600.0), ("m", 60.0))


def ticks(low: float, high: float, most: int) -> Iterator[float]:
    """The multiples of a round step between two times, `most` of them at most."""
    wanted = (high - low) / max(most - 1, 1)
    step = next((step for step in STEPS if step >= wanted), DAY * max(1, ceil(wanted / DAY)))
    # The hair's breadth: 0.3 / 0.1 is not 3.
    for count in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1):
        yield count * step


def span(seconds: float) -> str:
    """`0s`, `0.25s`, `2.3s`, `1m30s`, `1h5m`, `2d3h`: two units at most, and milliseconds at best."""
    if seconds < 0:
        return "-" + span(-seconds)
    if seconds < 59.9995:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    left, parts = round(seconds), list[str]()
    for unit, size in UNITS:
        count, left = divmod(left, int(size))
        if count or parts:
            parts.append(f"{count}{unit}")
    parts.append(f"{left}s")
    return "".join(part for part in parts[:2] if part[:-1] != "0")


def moment(seconds: float) -> str:
    """A time after the origin: `+0.0s`, `+12.25s`, `-3.0s`."""
    text = f"{round(seconds, 3) + 0.0:+.3f}"
    return text.rstrip("0") + ("0s" if text.rstrip("0").endswith(".") else "s")
