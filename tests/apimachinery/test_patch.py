import contextlib
import copy

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from k8slab.apimachinery.patch import json_patch, merge_patch

keys = st.sampled_from(["a", "b", "c", "~", "/"])
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", ""])
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=3), max_leaves=8)
documents = st.dictionaries(keys, values, max_size=3)
pointers = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-", "-1", "~0", "~1"]), max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "spin"]), "path": pointers},
    optional={"value": values, "from": pointers},
)


@given(documents, documents)
def test_a_merge_patch_applied_twice_is_applied_once(document, patch):
    once = merge_patch(document, patch)
    assert merge_patch(once, patch) == once


@given(documents, values)
def test_a_merge_patch_changes_neither_document_nor_patch(document, patch):
    before = copy.deepcopy((document, patch))
    try:
        merge_patch(document, patch)
    except BadRequest:
        assert not isinstance(patch, dict)
    assert (document, patch) == before


@given(documents, st.lists(operations, max_size=4) | values)
def test_a_json_patch_is_applied_whole_or_is_an_api_error(document, patch):
    before = copy.deepcopy((document, patch))
    with contextlib.suppress(BadRequest, Invalid):
        assert isinstance(json_patch(document, patch), dict)
    assert (document, patch) == before


@given(documents, documents)
def test_json_patch_agrees_with_another_implementation(document, other):
    assert json_patch(document, jsonpatch.make_patch(document, other).patch) == other


def test_merge_patch_removes_by_null_and_replaces_lists():
    assert merge_patch({"a": {"b": 1, "c": [1, 2]}}, {"a": {"b": None, "c": [3]}}) == {"a": {"c": [3]}}


def test_a_patch_that_cannot_be_applied_is_422_without_a_reason():
    for patch in (
        [{"op": "test", "path": "/a", "value": 1}],
        [{"op": "remove", "path": "/none"}],
        [{"op": "replace", "path": "/a/0", "value": 1}],
        [{"op": "spin", "path": "/a"}],
        [{"op": "add", "path": "/b/2", "value": 1}],
    ):
        with pytest.raises(Invalid) as error:
            json_patch({"a": True, "b": []}, patch)
        assert error.value.message == "the server rejected our request due to an error in our request"


def test_negative_indexes_count_from_the_end_as_upstream():
    assert json_patch({"a": [1, 2]}, [{"op": "remove", "path": "/a/-1"}]) == {"a": [1]}


def test_what_is_missing_tests_equal_to_null():
    assert json_patch({}, [{"op": "test", "path": "/a", "value": None}]) == {}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({}, "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ([1], "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ([{"op": 1}], "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
    ],
)
def test_an_unreadable_json_patch_is_400(patch, message):
    with pytest.raises(BadRequest) as error:
        json_patch({}, patch)
    assert error.value.message == message


def test_an_unreadable_merge_patch_is_400():
    with pytest.raises(BadRequest, match="json: cannot unmarshal array into Go value of type map"):
        merge_patch({}, [])


def test_too_many_operations_are_413():
    with pytest.raises(
        RequestEntityTooLarge, match="The allowed maximum operations in a JSON patch is 10000, got 10001"
    ):
        json_patch({}, [{"op": "add", "path": "/a", "value": 1}] * 10_001)


def test_copies_of_copies_are_stopped():
    with pytest.raises(Invalid):
        json_patch({"a": ["x" * 1000]}, [{"op": "copy", "from": "/a", "path": "/a/-"}] * 64)


def test_a_patch_too_deep_to_store_is_400():
    deep: dict = {}
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(BadRequest, match="exceeded max depth"):
        merge_patch({}, deep)
