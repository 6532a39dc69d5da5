from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from k8slab.client.workqueue import WorkQueue
from k8slab.clock import NEVER, VirtualClock


@pytest.fixture
def clock():
    return VirtualClock(0.0)


@pytest.fixture
def queue(clock):
    return WorkQueue(clock)


def take_all(queue):
    keys = []
    while (key := queue.get()) is not None:
        keys.append(key)
        queue.done(key)
    return keys


def test_keys_come_out_in_the_order_in_which_they_went_in(queue):
    for key in "bac":
        queue.add(key)
    assert take_all(queue) == ["b", "a", "c"]


def test_many_additions_of_a_key_are_one_piece_of_work(queue):
    for _ in range(3):
        queue.add("a")
    assert take_all(queue) == ["a"]


def test_a_key_that_is_worked_on_comes_back_when_the_work_is_done(queue):
    queue.add("a")
    queue.get()
    queue.add("a")
    assert queue.get() is None
    queue.done("a")
    assert queue.get() == "a"


def test_a_delayed_key_comes_when_its_time_has_come(queue, clock):
    queue.add_after("a", 5)
    assert (queue.get(), queue.next_ready()) == (None, 5.0)
    clock.advance_to(5)
    assert queue.get() == "a"


def test_of_several_delays_the_shortest_wins(queue, clock):
    for seconds in (9, 3, 6):
        queue.add_after("a", seconds)
    clock.advance_to(3)
    assert take_all(queue) == ["a"]
    clock.advance_to(9)
    assert take_all(queue) == []


def test_nobody_waits_for_the_background(queue):
    queue.add_after("a", 5, background=True)
    assert (queue.next_work(), queue.next_ready()) == (NEVER, 5.0)


def test_failures_wait_longer_and_longer_until_forgotten(queue):
    def delay():
        queue.add_rate_limited("a")
        return queue.next_ready()

    assert delay() == 0.005
    queue._due.clear()
    assert delay() == 0.010
    queue._due.clear()
    queue.forget("a")
    assert (queue.failures("a"), delay()) == (0, 0.005)


def test_no_failure_waits_longer_than_a_thousand_seconds(queue):
    for _ in range(60):
        queue.add_rate_limited("a")
    queue._due.clear()
    queue.add_rate_limited("a")
    assert queue.next_ready() == 1000.0


def test_all_keys_together_fail_at_most_ten_times_a_second_after_a_burst(queue):
    for number in range(120):
        queue.add_rate_limited(str(number))
    assert max(queue._due.values()) == pytest.approx(2.0)


@given(failures=st.integers(1, 40), again=st.integers(1, 5))
def test_each_failure_doubles_the_wait_and_a_success_forgets_them_all(failures, again):
    clock = VirtualClock(0.0)
    queue = WorkQueue(clock)

    def fail(times):
        for before in range(times):
            queue.add_rate_limited("a")
            wait = min(0.005 * 2**before, 1000.0)
            assert queue.next_ready() == clock.now() + wait
            clock.advance_to(clock.now() + wait)
            assert take_all(queue) == ["a"]

    fail(failures)
    queue.forget("a")
    fail(again)


class AnyUse(RuleBasedStateMachine):
    """However it is used: no key is lost, none is worked on twice at once, none is in the queue twice."""

    keys = st.sampled_from("abcd")

    def __init__(self):
        super().__init__()
        self.clock = VirtualClock(0.0)
        self.queue = WorkQueue(self.clock)
        self.ready: set[str] = set()
        self.delayed: dict[str, float] = {}
        self.working: set[str] = set()

    @rule(key=keys, seconds=st.sampled_from([0, 0, 1, 2, 5]))
    def add(self, key, seconds):
        self.queue.add_after(key, seconds)
        if seconds:
            self.delayed[key] = min(self.delayed.get(key, NEVER), self.clock.now() + seconds)
        else:
            self.ready.add(key)

    def collect(self):
        """What is due is ready; it may be due again later."""
        due = {key for key, when in self.delayed.items() if when <= self.clock.now()}
        self.ready |= due
        self.delayed = {key: when for key, when in self.delayed.items() if key not in due}

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds):
        self.clock.advance_to(self.clock.now() + seconds)
        self.collect()

    @rule()
    def get(self):
        key = self.queue.get()
        due = self.ready - self.working
        assert (key in due) if due else (key is None)
        if key is not None:
            self.working.add(key)
            self.ready.discard(key)

    @precondition(lambda self: self.working)
    @rule()
    def done(self):
        key = min(self.working)
        self.working.discard(key)
        self.queue.done(key)

    @invariant()
    def next_ready_is_when_the_next_key_is_due(self):
        if self.ready - self.working:
            assert self.queue.next_ready() <= self.clock.now()
        elif not self.ready:  # what is due and worked on may wake somebody for nothing
            assert self.queue.next_ready() == min(self.delayed.values(), default=NEVER)

    @invariant()
    def no_key_is_queued_twice(self):
        assert len(set(self.queue._queue)) == len(self.queue._queue)

    def teardown(self):
        for key in sorted(self.working):
            self.queue.done(key)
        self.clock.advance_to(1000)
        assert set(take_all(self.queue)) == self.ready | set(self.delayed)


AnyUse.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyUse = AnyUse.TestCase
