from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.lab.drawing.words import clean, fit, measure, plural, wrap


def test_wide_letters_are_wider_than_narrow_ones():
    assert measure("iii") < measure("nnn") < measure("WWW") < measure("中中中")


def test_bold_is_wider():
    assert measure("web", bold=True) > measure("web")


def test_marks_that_stand_on_a_letter_take_no_room():
    assert measure("e\u0301") == measure("e")


def test_a_name_loses_its_middle():
    short = fit("kubernetes-bootcamp-9bc58d867-2lzhm", 120)
    assert short.startswith("kubern")
    assert short.endswith("lzhm")
    assert "…" in short


def test_a_sentence_loses_its_end():
    assert fit("the image is pulled from a registry", 120).endswith("…")


@given(st.text(), st.integers(15, 300))
def test_what_fits_is_never_wider_than_the_room(text, room):
    assert measure(fit(text, room)) <= room


@given(st.text())
def test_what_has_room_is_not_changed(text):
    assert fit(text, measure(text)) == text


def test_words_are_wrapped_and_the_rest_is_cut():
    rows = wrap("one two three four five six seven eight nine ten", 60, 3)
    assert len(rows) == 3
    assert rows[0] == "one two"
    assert rows[-1].endswith("…")


def test_nothing_wraps_to_nothing():
    assert wrap("", 100, 3) == ()


@given(st.text(st.characters()))
def test_what_is_clean_stays_clean(text):
    assert clean(clean(text)) == clean(text)
    assert "\n" not in clean(text)


def test_plurals():
    assert [plural(word) for word in ("Pod", "Ingress", "delivery", "Gateway")] == [
        "Pods",
        "Ingresses",
        "deliveries",
        "Gateways",
    ]
