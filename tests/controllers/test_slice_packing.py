from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.controllers.slice_packing import pack, plan

HTTP, DNS = (("", 80, "TCP", None),), (("", 53, "UDP", None),)


def endpoints(*names, ready=True):
    return [{"addresses": [name], "conditions": {"ready": ready}, "targetRef": {"uid": name}} for name in names]


def names(content):
    return [each["targetRef"]["uid"] for each in content]


def test_new_endpoints_make_new_slices_of_a_hundred():
    _, _, new = pack({}, endpoints(*(f"p{number}" for number in range(250))))
    assert [len(each) for each in new] == [100, 100, 50]


def test_what_is_there_and_wanted_is_left_alone():
    assert pack({"s": endpoints("a", "b")}, endpoints("b", "a")) == ({}, [], [])


def test_what_has_changed_is_put_in_its_place():
    changed, _, _ = pack({"s": endpoints("a", "b")}, [*endpoints("a", ready=False), *endpoints("b")])
    assert [each["conditions"]["ready"] for each in changed["s"]] == [False, True]


def test_who_comes_goes_where_something_changes_anyway():
    changed, empty, new = pack({"x": endpoints("a"), "y": endpoints("b", "c")}, endpoints("a", "c", "d"), most=5)
    assert ({name: names(content) for name, content in changed.items()}, empty, new) == ({"y": ["c", "d"]}, [], [])


def test_else_all_go_into_the_fullest_slice_with_room_for_them():
    changed, _, new = pack({"x": endpoints("a"), "y": endpoints("b", "c")}, endpoints("a", "b", "c", "d"), most=3)
    assert ({name: names(content) for name, content in changed.items()}, new) == ({"y": ["b", "c", "d"]}, [])


def test_a_slice_that_runs_empty_is_to_go():
    assert pack({"s": endpoints("a")}, []) == ({}, ["s"], [])


def test_what_would_go_is_filled_anew():
    made = plan({"s": (DNS, endpoints("a"))}, {HTTP: endpoints("a")})
    assert (made.change, made.create, made.delete) == ({"s": (HTTP, endpoints("a"))}, [], [])


def test_without_endpoints_one_empty_slice_stays():
    assert plan({}, {}).create == [((), [])]
    made = plan({"x": (HTTP, endpoints("a")), "y": (HTTP, endpoints("b"))}, {})
    assert (made.change, made.delete) == ({"x": ((), [])}, ["y"])
    assert plan({"x": ((), [])}, {}).change == {}


contents = st.lists(st.integers(0, 30), unique=True).map(lambda numbers: [str(each) for each in numbers])


@given(st.lists(contents, max_size=5), contents, st.integers(1, 8))
def test_every_endpoint_is_in_exactly_one_slice_and_none_is_too_full(before, wanted, most):
    seen, existing = set(), {}
    for number, content in enumerate(before):
        fresh = [each for each in content if each not in seen][:most]
        seen.update(fresh)
        existing[f"s{number}"] = (HTTP, endpoints(*fresh))
    made = plan(existing, {HTTP: endpoints(*wanted)} if wanted else {}, most)
    after = {name: content for name, content in existing.items() if name not in made.delete} | made.change
    slices = [content for _, content in [*after.values(), *made.create]]
    assert sorted(names([each for content in slices for each in content])) == sorted(wanted)
    assert all(len(content) <= most for content in slices)
