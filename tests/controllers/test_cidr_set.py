from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.controllers.cidr_set import CidrSet, next_free


def all_of(cidrs):
    return list(iter(cidrs.allocate, None))


def test_parts_are_given_in_order():
    cidrs = CidrSet("10.244.0.0/16", 24)
    assert [cidrs.allocate() for _ in range(3)] == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]
    assert cidrs.count == 256


def test_what_is_taken_is_skipped_and_all_are_given_in_the_end():
    cidrs = CidrSet("10.0.0.0/30", 32)
    cidrs.occupy("10.0.0.1/32")
    assert all_of(cidrs) == ["10.0.0.0/32", "10.0.0.2/32", "10.0.0.3/32"]
    assert cidrs.allocate() is None


def test_one_that_was_given_back_waits_for_its_turn():
    cidrs = CidrSet("10.0.0.0/30", 32)
    cidrs.allocate()
    cidrs.release("10.0.0.0/32")
    assert all_of(cidrs) == ["10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.0/32"]


def test_other_ranges_are_no_business_of_ours():
    cidrs = CidrSet("10.0.0.0/30", 32)
    for other in ("10.0.0.4/32", "9.255.255.255/32", "fd00::/64"):
        cidrs.occupy(other)
        cidrs.release(other)
    assert len(all_of(cidrs)) == 4


def test_it_works_with_ipv6_too():
    cidrs = CidrSet("fd00::/62", 64)
    assert all_of(cidrs) == ["fd00::/64", "fd00:0:0:1::/64", "fd00:0:0:2::/64", "fd00:0:0:3::/64"]


@pytest.mark.parametrize(
    ("cidr", "mask", "wrong"),
    [("10.0.0.0/24", 16, "has no parts"), ("10.0.0.0/24", 33, "has no parts"), ("10.0.0.1/24", 28, "host bits"),
     ("x", 24, "does not appear")],
)  # fmt: skip
def test_a_range_that_makes_no_sense_is_refused(cidr, mask, wrong):
    with pytest.raises(ValueError, match=wrong):
        CidrSet(cidr, mask)


@given(st.sets(st.integers(0, 15)), st.integers(0, 15))
def test_the_next_free_one_is_the_first_behind_the_candidate(taken, candidate):
    found = next_free(taken, 16, candidate)
    if found is None:
        assert len(taken) == 16
        return
    assert found not in taken
    assert all((candidate + step) % 16 in taken for step in range((found - candidate) % 16))


@given(st.lists(st.one_of(st.none(), st.integers(0, 7)), max_size=60))
def test_no_part_is_ever_given_twice(plan):
    cidrs, held = CidrSet("10.0.0.0/29", 32), []
    for step in plan:
        if step is None or not held:
            if (given_now := cidrs.allocate()) is not None:
                assert given_now not in held
                held.append(given_now)
            else:
                assert len(held) == 8
        else:
            cidrs.release(held.pop(step % len(held)))
