from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Pod
from k8slab.controllers.job.indexes import INDEX, format_indexes, index_of, parse_indexes, pending_indexes, surplus_of


@pytest.mark.parametrize(
    ("indexes", "text"), [([], ""), ([1], "1"), ([1, 2], "1,2"), ([1, 2, 3], "1-3"), ([0, 2, 3, 4, 7, 8], "0,2-4,7,8")]
)
def test_three_in_a_row_make_a_range(indexes, text):
    assert format_indexes(indexes) == text


@given(st.sets(st.integers(0, 40)))
def test_what_was_written_is_read_again(indexes):
    assert parse_indexes(format_indexes(indexes), 41) == indexes


def test_indexes_out_of_range_are_left_out():
    assert parse_indexes("0-9", 3) == {0, 1, 2}
    assert parse_indexes(None, 3) == frozenset()


def test_the_first_that_are_free():
    assert pending_indexes(6, {0, 2}, 3) == [1, 3, 4]


def pod(name, index):
    meta = {"name": name, "creationTimestamp": f"2026-01-01T00:00:0{name[-1]}Z"}
    return Pod.of({"metadata": meta | ({"annotations": {INDEX: str(index)}} if index is not None else {})})


def test_twins_strangers_and_those_out_of_range_are_too_many():
    pods = [pod("b2", 0), pod("a1", 0), pod("c3", 7), pod("d4", None), pod("e5", 1)]
    surplus, kept = surplus_of(pods, 3)
    assert ([each.name for each in surplus], [each.name for each in kept]) == (["b2", "c3", "d4"], ["a1", "e5"])
    assert index_of(pods[3]) is None
