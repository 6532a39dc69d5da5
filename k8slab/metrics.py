"""Numbers for Prometheus: how they are counted, and how they are written down.

What is counted on the way of a request or a key is an addition to a number; all else is looked up when somebody asks. So
nothing is paid for by those who never ask. A family has a name, a kind, a sentence, and its samples, by labels; the page is
the families in the order of their names, as Go's client writes it (text format 0.0.4).

Durations are of the cluster's clock: on a virtual clock the page is the same each time the same life is lived.

Models: github.com/prometheus/common/expfmt (text_create.go), k8s.io/component-base/metrics.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


class Histogram:
    """How often a number was at most so large."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds, self._counts, self._sum = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[tuple[str, Labels, float]]:
        """(suffix, labels, value) of each line: a bucket holds all that is not larger."""
        seen = 0
        for bound, count in zip((*self._bounds, math.inf), self._counts, strict=True):
            seen += count
            yield "_bucket", {"le": written(bound)}, seen
        yield "_sum", {}, self._sum
        yield "_count", {}, seen


@dataclass(slots=True)
class Family:
    """All samples of one name."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    help: str
    samples: list[tuple[Labels, float | Histogram]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """As text; nothing where there is no sample."""
        if not self.samples:
            return
        yield f"# HELP {self.name} {_escaped(self.help)}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in sorted(self.samples, key=lambda sample: tuple(sorted(sample[0].items()))):
            if isinstance(value, Histogram):
                for suffix, extra, number in value.samples():
                    yield f"{self.name}{suffix}{_shown(labels, extra)} {written(number)}"
            else:
                yield f"{self.name}{_shown(labels, {})} {written(value)}"


def page(families: Iterable[Family]) -> bytes:
    """What a scrape is answered with."""
    lines = [line for each in sorted(families, key=lambda each: each.name) for line in each.lines()]
    return "".join(line + "\n" for line in lines).encode()


def written(value: float) -> str:
    """A number as Go writes it: `1`, `0.005`, `1.5e+06`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, exponent = _digits(value)
    if not digits:
        return "0"
    sign = "-" if value < 0 else ""
    # The place of the first digit: from here on Go writes the exponent out.
    place = len(digits) + exponent - 1
    if -5 < place < 6:
        plain = format(Decimal(repr(abs(float(value)))), "f")
        return sign + (plain.rstrip("0").rstrip(".") if "." in plain else plain)
    mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
    return f"{sign}{mantissa}e{'-' if place < 0 else '+'}{abs(place):02}"


def _digits(value: float) -> tuple[str, int]:
    """The digits that matter, and the power of ten by which they are to be taken."""
    _, digits, exponent = Decimal(repr(float(value))).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    return short, int(exponent) + len(text) - len(short)


def _shown(labels: Labels, extra: Labels) -> str:
    pairs = [*sorted(labels.items()), *extra.items()]
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in pairs) + "}"


def _escaped(text: str, quoted: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quoted else text
