"""How wide words are, without asking a font.

A picture must come out the same on every machine, so its boxes cannot depend on the fonts of the machine that draws them.
Here a character has one width, the larger of what it has in Helvetica and in DejaVu Sans, rounded up: text in any of the
fonts of `FONTS` is as wide as computed or narrower, never wider. Boxes are therefore a little roomy in Arial.

Words come from clusters and from learners, so anything can be in them: `clean` makes them one line that XML allows.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
BOLD = 1.12

# Hundredths of the font size.
_CLASSES = {
    30: " 'Iijl",
    35: ",./:;\\|",
    40: "()-[]ft",
    45: "!r",
    50: '"*J`',
    55: "csz",
    60: "?L_kvxy",
    65: "$0123456789FTabdeghnopqu{}",
    70: "ABEKPSVXYZ",
    75: "CNRU",
    80: "&DGHOQ",
    85: "#+<=>^w~",
    90: "M",
    100: "%Wm",
    105: "@",
}
_WIDTHS = {character: width / 100 for width, characters in _CLASSES.items() for character in characters}
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@lru_cache(maxsize=1024)
def _width(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if unicodedata.combining(character):
        return 0.0
    return 1.15 if unicodedata.east_asian_width(character) in "WF" else 1.1


def measure(text: str, size: float = 12, bold: bool = False) -> float:
    """The width in pixels that `text` does not exceed at a font size in pixels."""
    return sum(map(_width, text)) * size * (BOLD if bold else 1)


def legal(text: str) -> str:
    """The text without what XML does not allow: control characters, halves of surrogate pairs."""
    return _FORBIDDEN.sub("\ufffd", text)


def clean(text: str) -> str:
    """The text as one line that XML allows, with single spaces."""
    return legal(" ".join(text.split()))


def fit(text: str, room: float, size: float = 12, bold: bool = False) -> str:
    """The text, or as much of it as `room` pixels hold, with a `…`.

    A sentence loses its end. A name loses its middle: names in Kubernetes differ at their ends (`web-7c5ddbdf54-x8k2p`).
    """
    if measure(text, size, bold) <= room:
        return text
    keep = len(text) - 1
    while keep > 0:
        tail = 0 if " " in text else keep // 2
        short = text[: keep - tail].rstrip() + "…" + text[len(text) - tail :]
        wide = measure(short, size, bold)
        if wide <= room:
            return short
        # Leaps while it is far too long, steps when it is near.
        keep -= max(1, int((wide - room) / (size * 1.3)))
    return "…"


def wrap(text: str, room: float, lines: int, size: float = 12) -> tuple[str, ...]:
    """The text on at most so many lines of `room` pixels, broken between words; the last one is cut if it must be."""
    rows: list[str] = []
    for word in text.split():
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and (len(rows) == lines or measure(longer, size) <= room):
            rows[-1] = longer
        else:
            rows.append(word)
    return tuple(fit(row, room, size) for row in rows)


def plural(word: str) -> str:
    """`Pod` -> `Pods`, `delivery` -> `deliveries`, `Ingress` -> `Ingresses`."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
