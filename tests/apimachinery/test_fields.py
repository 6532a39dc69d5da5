import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.fields import FieldSelector, Requirement, escape, parse_field_selector, unescape

values = st.text(alphabet="ab,=\\ .", max_size=6)
requirements = st.builds(
    Requirement, st.sampled_from(["metadata.name", "spec.x"]), st.sampled_from(["=", "!="]), values
)


@given(values)
def test_escaping_is_undone(value):
    assert unescape(escape(value)) == value


@given(st.lists(requirements, max_size=3))
def test_a_selector_survives_being_printed_and_parsed(found):
    selector = FieldSelector(tuple(found))
    assert sorted(map(str, parse_field_selector(str(selector)).requirements)) == sorted(map(str, found))


@given(st.text(alphabet="a,=!\\", max_size=8))
def test_any_text_is_a_selector_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        parse_field_selector(text)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("status.phase=Running", True), ("status.phase==Running,spec.nodeName=", True), ("spec.nodeName!=", False)],
)
def test_a_missing_field_is_the_empty_string(text, chosen):
    pod = {"status.phase": "Running"}
    assert parse_field_selector(text).matches(lambda field: pod.get(field, "")) is chosen


def test_tells_the_value_that_a_field_must_have():
    selector = parse_field_selector("metadata.name=web,spec.nodeName!=n1")
    assert (selector.exact("metadata.name"), selector.exact("spec.nodeName")) == ("web", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("b=1,a", "invalid selector: 'b=1,a'; can't understand 'a'"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ],
)
def test_says_what_is_wrong_in_upstreams_words(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_field_selector(text)
