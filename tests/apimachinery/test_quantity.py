import contextlib
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import quantity as upstream

from k8slab.apimachinery.quantity import canonical, millis, parse_quantity, value

suffixes = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "e3", "E-2"])
quantities = st.builds("{}{}{}".format, st.sampled_from(["", "-"]), st.decimals(0, 10**6, places=3), suffixes)


@given(quantities)
def test_the_canonical_text_is_the_same_quantity_and_is_final(text):
    assert parse_quantity(canonical(text)) == parse_quantity(text)
    assert canonical(canonical(text)) == canonical(text)


@given(quantities)
def test_rounding_goes_away_from_zero_and_by_less_than_one(text):
    exact = parse_quantity(text)
    assert 0 <= abs(value(text)) - abs(exact) < 1
    assert 0 <= abs(millis(text)) - abs(exact * 1000) < 1


@given(st.integers(-(10**9), 10**9))
def test_millis_survive_being_printed(number):
    assert millis(canonical(f"{number}m")) == number


@given(st.text(alphabet="0159.-+eEinumkKMGTPx", max_size=9))
def test_any_text_is_a_quantity_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0.5", "500m"), ("1500m", "1500m"), ("1e3", "1e3"), ("1000", "1k"), ("1Ki", "1Ki"), ("1024", "1024"),
        ("0.5Gi", "512Mi"), ("1.5Gi", "1536Mi"), ("100000", "100k"), ("131072Ki", "128Mi"), ("1000000Ki", "1000000Ki"),
        ("1E", "1E"), ("-1", "-1"), (".", "0"), ("m", "0"), ("0.0000000001", "1n"), ("1.0", "1"), ("1e-3", "1e-3"),
        ("12345678901234567890", "12345678901234567890"), ("0.5Ki", "512"), ("1.5", "1500m"),
    ],
)  # fmt: skip
def test_prints_as_upstream(text, printed):
    """The right column is what `kubectl create quota --hard=cpu=... --dry-run=client` prints."""
    assert canonical(text) == printed


def test_json_numbers_are_quantities():
    assert (millis(2), millis(0.5), value("1Gi")) == (2000, 500, 2**30)
    assert parse_quantity("100m") == Decimal("0.1")


@pytest.mark.parametrize("text", ["", "abc", "5x", "1 Gi", "1.2.3", "1e3.5"])
def test_what_is_no_quantity_is_refused_in_upstreams_words(text):
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["1e", "--1", "1Kii", "5mm", "1ki"])
def test_an_unknown_suffix_is_refused(text):
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        parse_quantity(text)


SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ei": 2**60, "e3": 1000}
SMALL = {"m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}


@given(st.integers(-(10**6), 10**6), st.sampled_from(sorted({**SUFFIXES, **SMALL})))
def test_a_quantity_is_its_number_times_its_suffix(number, suffix):
    exact = number * Fraction({**SUFFIXES, **SMALL}[suffix])
    assert Fraction(parse_quantity(f"{number}{suffix}")) == exact
    away_from_zero = math.ceil(exact) if exact > 0 else math.floor(exact)
    assert value(f"{number}{suffix}") == away_from_zero


# Upstream's own client reads quantities too. It knows no exponents, and does not round: so nothing here is below a nano.

NUMBERS = st.integers(-(10**12), 10**12).map(lambda number: Decimal(number).scaleb(-3))


@given(NUMBERS, st.sampled_from(["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]))
def test_the_official_client_reads_the_same_number(number, suffix):
    assert parse_quantity(f"{number}{suffix}") == upstream.parse_quantity(f"{number}{suffix}")
    assert upstream.parse_quantity(canonical(f"{number}{suffix}")) == parse_quantity(f"{number}{suffix}")


@given(st.integers(-(10**9), 10**9), st.sampled_from(["n", "u"]))
def test_and_the_same_small_one(number, suffix):
    assert parse_quantity(f"{number}{suffix}") == upstream.parse_quantity(f"{number}{suffix}")


@pytest.mark.parametrize("text", ["", "abc", "5x", "1.2.3", "--1", "1Kii", "5mm", "1ki", "Ki", "1e3.5"])
def test_what_the_official_client_refuses_is_refused_here_too(text):
    for parse in (parse_quantity, upstream.parse_quantity):
        if (parse, text) != (parse_quantity, "Ki"):  # upstream's Go takes a suffix alone for zero
            with pytest.raises(ValueError, match=r"."):
                parse(text)
