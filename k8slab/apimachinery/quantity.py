"""Quantities: `500m`, `128Mi`, `1.5`, `2e3`.

A fixed-point number with a suffix, either decimal (n u m k M G T P E), binary (Ki Mi Gi Ti Pi Ei) or an exponent (e3).
Nothing smaller than a nano exists: what is smaller is rounded up, away from zero, because who asks for some should get
some. Each quantity has one canonical text: no fraction, the largest suffix that loses nothing, the family in which it
was written. Two texts may thus be equal quantities: compare values, not texts.

Arithmetic is exact (Decimal). The scheduler counts in whole numbers: `millis` for CPU, `value` for everything else.

Models: k8s.io/apimachinery/pkg/api/resource/quantity.go, suffix.go.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"

DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY_SUFFIXES = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL, BINARY, EXPONENT = "decimal", "binary", "exponent"
"""The family of suffixes that a quantity was written with."""

NANO = Decimal("1e-9")
_EXACT = Context(prec=200)
_DECIMAL_BY_EXPONENT = {exponent: suffix for suffix, exponent in DECIMAL_SUFFIXES.items()}
_BINARY_BY_POWER = {0: "", **{power: suffix for suffix, power in BINARY_SUFFIXES.items()}}

# Looser than the expression in the message, as upstream's hand-written scanner is: `.5`, `5.` and `.` pass.
_QUANTITY = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,4})", re.ASCII)


@lru_cache(maxsize=8192)
def _parse(text: str) -> tuple[Decimal, str]:
    """Value and family of a quantity."""
    match = _QUANTITY.fullmatch(text)
    if match is None or not text:
        raise ValueError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    family, factor = DECIMAL, Decimal(1)
    if suffix in BINARY_SUFFIXES:
        family, factor = BINARY, Decimal(1024 ** BINARY_SUFFIXES[suffix])
    elif suffix in DECIMAL_SUFFIXES:
        factor = Decimal(1).scaleb(DECIMAL_SUFFIXES[suffix])
    elif exponent := _EXPONENT.fullmatch(suffix):
        family, factor = EXPONENT, Decimal(1).scaleb(int(exponent[1]))
    else:
        raise ValueError(SUFFIX_WRONG)
    number = _EXACT.multiply(Decimal(f"{sign}{whole or 0}.{fraction or 0}"), factor)
    if number.adjusted() < 150 and number != number.quantize(NANO, ROUND_UP, _EXACT):
        number = number.quantize(NANO, ROUND_UP, _EXACT)
    return number, family


def parse_quantity(text: str | int | float) -> Decimal:
    """The number that a quantity stands for; ValueError with upstream's sentence where it is not one.

    JSON numbers are quantities too.
    """
    return _parse(str(text))[0]


@lru_cache(maxsize=8192)
def value(text: str | int | float) -> int:
    """A quantity in whole units, rounded away from zero: bytes of memory, number of Pods."""
    return int(parse_quantity(text).to_integral_value(ROUND_UP, _EXACT))


@lru_cache(maxsize=8192)
def millis(text: str | int | float) -> int:
    """A quantity in thousandths, rounded away from zero: `1500m` is 1500."""
    return int(_EXACT.multiply(parse_quantity(text), Decimal(1000)).to_integral_value(ROUND_UP, _EXACT))


def quantity_family(text: str | int | float) -> str:
    """The family of suffixes that a quantity is written with: DECIMAL, BINARY or EXPONENT."""
    return _parse(str(text))[1]


def canonical(text: str | int | float) -> str:
    """The one text by which upstream prints a quantity: `0.5` is `500m`, `0.5Gi` is `512Mi`."""
    number, family = _parse(str(text))
    return format_quantity(number, family)


def format_quantity(number: Decimal | int, family: str = DECIMAL) -> str:
    """A number as a canonical quantity of a family (DECIMAL, BINARY or EXPONENT)."""
    number = Decimal(number)
    if not number:
        return "0"
    if family == BINARY and abs(number) >= 1024 and number == number.to_integral_value():
        whole, power = int(number), 0
        while whole % 1024 == 0 and power < 6:
            whole, power = whole // 1024, power + 1
        return f"{whole}{_BINARY_BY_POWER[power]}"
    # Thousands, as many as lose nothing.
    sign, digits, exponent = number.normalize(_EXACT).as_tuple()
    assert isinstance(exponent, int)  # neither NaN nor infinite
    thousands = exponent - exponent % 3
    whole = int("".join(map(str, digits))) * 10 ** (exponent - thousands) * (-1 if sign else 1)
    if family == EXPONENT or thousands not in _DECIMAL_BY_EXPONENT:
        return f"{whole}e{thousands}" if thousands else str(whole)
    return f"{whole}{_DECIMAL_BY_EXPONENT[thousands]}"
