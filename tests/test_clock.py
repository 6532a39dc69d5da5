from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.clock import EPOCH, NEVER, SkewedClock, VirtualClock


def skewed(after: float = 0.0, **wrong: float) -> tuple[VirtualClock, SkewedClock]:
    right = VirtualClock()
    clock = SkewedClock(right, **wrong)
    right.advance_to(EPOCH + after)
    return right, clock


@pytest.mark.parametrize(
    ("wrong", "shows"),
    [({"ahead": 5.0}, 15.0), ({"ahead": -5.0}, 5.0), ({"rate": 2.0}, 20.0), ({"rate": 0.5, "ahead": 1.0}, 6.0)],
)
def test_a_clock_can_be_wrong_in_two_ways(wrong, shows):
    assert skewed(after=10, **wrong)[1].now() == EPOCH + shows


def test_never_is_never_on_any_clock():
    clock = skewed(rate=0.5)[1]
    assert (clock.moment(NEVER), clock.shown(NEVER), clock.deadline(NEVER)) == (NEVER,) * 3


@given(
    rate=st.floats(0.1, 10), ahead=st.integers(-400 * 1024, 400 * 1024).map(lambda n: n / 1024),
    seconds=st.floats(0, 1e6), after=st.floats(0, 1e6),
)  # fmt: skip
def test_a_deadline_on_a_wrong_clock_has_come_when_the_right_one_says_so(rate, ahead, seconds, after):
    right, clock = skewed(after, rate=rate, ahead=ahead)
    deadline = clock.now() + seconds
    right.advance_to(clock.moment(deadline))
    assert clock.now() >= deadline, "else its owner would ask for the same moment again and again"
    assert clock.moment(clock.deadline(EPOCH + seconds)) >= EPOCH + seconds
