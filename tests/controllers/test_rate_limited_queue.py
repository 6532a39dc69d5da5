from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from k8slab.clock import NEVER
from k8slab.controllers.rate_limited_queue import RateLimitedQueue


def queue(*names, rate=0.1):
    made = RateLimitedQueue(rate)
    for name in names:
        made.add(name)
    return made


def test_the_first_goes_at_once_and_the_next_when_the_token_is_back():
    nodes = queue("a", "b")
    assert nodes.let_out(100.0) == "a"
    assert nodes.let_out(109.0) is None
    assert nodes.next_ready() == 110.0
    assert nodes.let_out(110.0) == "b"
    assert nodes.next_ready() == NEVER


def test_who_was_let_out_is_not_queued_again_before_it_is_removed():
    nodes = queue("a")
    nodes.let_out(0.0)
    nodes.add("a")
    assert nodes.let_out(1000.0) is None
    nodes.remove("a")
    nodes.add("a")
    assert nodes.let_out(1000.0) == "a"


def test_at_rate_0_nobody_goes():
    nodes = queue("a", rate=0.0)
    assert nodes.next_ready() == NEVER
    assert nodes.let_out(1e9) is None


def test_who_waits_when_the_rate_changes_waits_as_long_as_the_new_one_says():
    nodes = queue("a", "b")
    nodes.let_out(0.0)
    nodes.swap_rate(0.01, 5.0)
    assert nodes.next_ready() == 105.0
    stopped = queue("a", rate=0.0)
    stopped.swap_rate(0.1, 50.0)
    assert stopped.next_ready() == 60.0


def test_a_token_that_is_there_stays_there():
    nodes = queue("a")
    nodes.swap_rate(0.01, 50.0)
    assert nodes.let_out(50.0) == "a"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_never_more_than_the_rate_and_one(moments):
    nodes = queue(*(f"node-{number}" for number in range(100)))
    let_out = [when for when in sorted(moments) if nodes.let_out(when)]
    for first, second in itertools.pairwise(let_out):
        assert second - first >= 10
