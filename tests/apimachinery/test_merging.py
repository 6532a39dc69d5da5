"""Merging a configuration, and taking fields out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.merging import merge, remove, with_structs
from k8slab.apimachinery.schema import definition_for

POD = definition_for("", "v1", "Pod").type


def named(names):
    return {"spec": {"containers": [{"name": name} for name in names]}}


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ("ab", "", "ab"),
        ("", "ab", "ab"),
        ("abc", "ca", "bca"),  # the configuration's order
        ("abc", "xb", "axbc"),  # what is new stands with its neighbour
        ("bac", "abx", "acbx"),
        ("abc", "d", "abcd"),
        ("axbyc", "abc", "axbyc"),  # what was among them stays there
    ],
)
def test_items_come_in_the_configurations_order_among_their_neighbours(live, config, merged):
    assert merge(POD, named(live), named(config)) == named(merged)


NAMES = st.lists(st.sampled_from("abcdefg"), unique=True)


@given(NAMES, NAMES)
def test_the_configurations_items_keep_their_order_and_so_do_the_others(live, config):
    merged = [each["name"] for each in merge(POD, named(live), named(config))["spec"]["containers"]]
    assert [name for name in merged if name in config] == config
    assert [name for name in merged if name not in config] == [name for name in live if name not in config]


@given(NAMES, st.sets(st.sampled_from("abcdefg")))
def test_who_names_some_items_in_the_order_in_which_they_are_moves_none(live, chosen):
    assert merge(POD, named(live), named([name for name in live if name in chosen])) == named(live)


def test_what_is_atomic_is_replaced_and_what_is_granular_merged():
    live = {"metadata": {"labels": {"a": "1"}}, "spec": {"nodeSelector": {"a": "1"}, "tolerations": [{"key": "a"}]}}
    config = {"metadata": {"labels": {"b": "2"}}, "spec": {"nodeSelector": {"b": "2"}, "tolerations": [{"key": "b"}]}}
    assert merge(POD, live, config) == {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": config["spec"]}


def test_an_empty_part_of_a_configuration_takes_nothing_away():
    live = named("a") | {"metadata": {"labels": {"a": "1"}}}
    assert merge(POD, live, {"metadata": {"labels": {}}, "spec": {"containers": None}}) == live


def test_removes_fields_and_items():
    live = {"spec": {"hostname": "h", "containers": [{"name": "a", "image": "x"}, {"name": "b"}]}}
    gone = {"f:hostname": {}, "f:containers": {'k:{"name":"a"}': {"f:image": {}}, 'k:{"name":"b"}': {}}}
    assert remove(POD, live, {"f:spec": gone}) == named("a")


def test_who_owned_a_field_of_a_struct_owned_the_struct():
    fields = {"f:spec": {"f:securityContext": {"f:runAsUser": {}}, "f:containers": {'k:{"name":"a"}': {"f:image": {}}}}}
    assert with_structs(POD, fields) == {
        "f:spec": {
            ".": {},
            "f:securityContext": {".": {}, "f:runAsUser": {}},
            "f:containers": {".": {}, 'k:{"name":"a"}': {"f:image": {}}},
        }
    }
