"""The algebra of field sets, and their one form in JSON."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.fieldset import (
    contains,
    difference,
    intersection,
    item_of_keys,
    of_paths,
    path_text,
    paths,
    read,
    union,
    without,
)

STEPS = st.sampled_from(["f:a", "f:b", "f:c", 'k:{"name":"x"}', 'v:"y"', "i:0"])
PATHS = st.lists(st.lists(STEPS, min_size=1, max_size=4).map(tuple), max_size=8)
SETS = PATHS.map(of_paths)


def members(fields):
    return set(paths(fields))


@given(PATHS)
def test_a_set_has_the_paths_that_it_was_made_of(some):
    assert members(of_paths(some)) == set(some)
    assert all(contains(of_paths(some), path) for path in some)


@given(SETS, SETS)
def test_the_algebra_is_that_of_sets(a, b):
    assert members(union(a, b)) == members(a) | members(b)
    assert members(intersection(a, b)) == members(a) & members(b)
    assert members(difference(a, b)) == members(a) - members(b)


@given(SETS, SETS)
def test_without_takes_what_is_below_too(a, b):
    gone = members(b)
    kept = {path for path in members(a) if not any(path[:end] in gone for end in range(1, len(path) + 1))}
    assert members(without(a, b)) == kept


@given(SETS, SETS)
def test_one_set_has_one_form(a, b):
    assert union(a, b) == union(b, a) == of_paths([*paths(a), *paths(b)])
    assert difference(union(a, b), b) == difference(a, b)


@given(SETS, SETS)
def test_what_changes_nothing_gives_back_the_same_object(a, b):
    assert union(a, intersection(a, b)) is a
    assert difference(a, difference(b, a)) is a


@given(SETS)
def test_a_set_is_read_back_from_its_json(fields):
    assert read(orjson.loads(orjson.dumps(fields))) == fields


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({'k:{"protocol": "TCP", "port": 80}': {}}, {'k:{"port":80,"protocol":"TCP"}': {}}),
        ({"f:a": {".": {}}}, {"f:a": {}}),
        ({"x:later": {}, "f:a": {}}, {"f:a": {}}),
    ],
)
def test_what_clients_send_is_brought_into_that_form(sent, found):
    assert read(sent) == found


@pytest.mark.parametrize("sent", [[], "f:a", {"a": {}}, {"k:1": {}}, {"k:{": {}}, {"v:": {}}, {"i:x": {}}, {"f:a": 1}])
def test_nonsense_is_refused(sent):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is nobody's to read
        read(sent)


def test_paths_are_named_as_upstream_names_them():
    steps = ("f:spec", "f:ports", item_of_keys({"protocol": "TCP", "port": 80}), "f:tags", 'v:"x"', "i:3")
    assert path_text(steps) == '.spec.ports[port=80,protocol="TCP"].tags[="x"][3]'
