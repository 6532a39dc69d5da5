import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.duplicates import find_duplicate_fields


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"a": 1, "b": 2}', []),
        (b'{"a": 1, "a": 2}', ['duplicate field "a"']),
        (b'{"spec": {"replicas": 1, "replicas": 1, "replicas": 2}}', ['duplicate field "spec.replicas"']),
        (b'{"l": [{}, {"x": 1, "x": 2}]}', ['duplicate field "l[1].x"']),
        (b"a: 1\nb: 2\n", []),
        (b"a: 1\nb: 2\na: 3\n", ['yaml: unmarshal errors:\n  line 3: key "a" already set in map']),
        (b"{", []),
        (b"a: [", []),
    ],
)
def test_names_each_key_that_is_given_twice(raw, found):
    assert find_duplicate_fields(raw) == found


def test_twice_the_same_value_is_twice_all_the_same():
    assert find_duplicate_fields(b'{"a": {"b": 1}, "a": {"b": 1}}') == ['duplicate field "a"']


@given(st.recursive(st.integers(), lambda inner: st.dictionaries(st.text(max_size=3), inner) | st.lists(inner)))
def test_what_python_writes_repeats_nothing(value):
    assert find_duplicate_fields(json.dumps(value).encode()) == []


@given(st.binary(max_size=60) | st.text(alphabet="{}[]:,\"'ab \n-&*!", max_size=40).map(str.encode))
def test_any_bytes_are_no_exception(raw):
    assert isinstance(find_duplicate_fields(raw), list)
