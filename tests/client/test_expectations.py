from __future__ import annotations

import pytest

from k8slab.client.expectations import TIMEOUT, Expectations
from k8slab.clock import VirtualClock

KEY = "default/web"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def expectations(clock):
    return Expectations(clock)


def test_who_expects_nothing_is_satisfied(expectations):
    assert expectations.satisfied(KEY)


def test_all_creations_must_be_seen(expectations):
    expectations.expect_creations(KEY, 2)
    expectations.creation_observed(KEY)
    assert not expectations.satisfied(KEY)
    expectations.creation_observed(KEY)
    assert expectations.satisfied(KEY)


def test_more_creations_than_expected_do_not_count_in_advance(expectations):
    expectations.expect_creations(KEY, 1)
    for _ in range(3):
        expectations.creation_observed(KEY)
    expectations.expect_creations(KEY, 1)
    assert not expectations.satisfied(KEY)


def test_a_deletion_that_is_seen_twice_counts_once(expectations):
    expectations.expect_deletions(KEY, ["1", "2"])
    expectations.deletion_observed(KEY, "1")
    expectations.deletion_observed(KEY, "1")
    assert not expectations.satisfied(KEY)
    expectations.deletion_observed(KEY, "2")
    assert expectations.satisfied(KEY)


def test_the_deletion_of_another_object_does_not_count(expectations):
    expectations.expect_deletions(KEY, ["1"])
    expectations.deletion_observed(KEY, "3")
    assert not expectations.satisfied(KEY)


def test_after_five_minutes_it_acts_anyway(expectations, clock):
    expectations.expect_creations(KEY, 1)
    clock.advance_to(clock.now() + TIMEOUT)
    assert not expectations.satisfied(KEY)
    clock.advance_to(clock.now() + 1)
    assert expectations.satisfied(KEY)


def test_a_namesake_inherits_no_expectations(expectations):
    expectations.expect_creations(KEY, 1)
    expectations.forget(KEY)
    assert expectations.satisfied(KEY)


def test_owners_do_not_share_expectations(expectations):
    expectations.expect_creations(KEY, 1)
    assert expectations.satisfied("default/db")
