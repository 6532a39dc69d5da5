import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.rest import Request, Response, copy_of

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_a_copy_is_equal(value):
    assert copy_of(value) == value


def test_a_copy_shares_nothing():
    original = {"spec": {"list": [1]}}
    copy_of(original)["spec"]["list"].append(2)
    assert original == {"spec": {"list": [1]}}


@pytest.mark.parametrize(
    ("query", "flag"),
    [
        ({}, False),
        ({"watch": []}, False),
        ({"watch": [""]}, True),
        ({"watch": ["1"]}, True),
        ({"watch": ["False"]}, False),
        ({"watch": ["0"]}, False),
        ({"watch": ["no"]}, True),
    ],
)
def test_a_flag_is_read_as_kubernetes_reads_it(query, flag):
    assert Request("GET", "/", query).flag("watch") is flag


def test_a_parameter_is_the_first_of_its_name():
    assert Request("GET", "/", {"a": ["1", "2"]}).param("a") == "1"
    assert Request("GET", "/").param("a", "none") == "none"


def test_the_payload_is_the_object_or_the_body():
    assert Response(200, object={"a": 1}).payload() == b'{"a":1}'
    assert Response(200, body=b"text").payload() == b"text"
