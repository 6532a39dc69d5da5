from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from k8slab.api.core import Pod
from k8slab.clock import NEVER, VirtualClock
from k8slab.scheduler.queue import FLUSH_SECONDS, SchedulingQueue
from tests.scheduler.objects import pod_body


@pytest.fixture
def clock():
    return VirtualClock(0.0)


@pytest.fixture
def queue(clock):
    return SchedulingQueue(clock)


def make(name="web", **spec):
    return Pod.of(pod_body(name, **spec))


def names(queue):
    found = []
    while (waiting := queue.pop()) is not None:
        found.append(waiting.pod.name)
        queue.remove(waiting.pod.uid)
    return found


def fail(queue):
    waiting = queue.pop()
    queue.failed(waiting.pod.uid, queue.moves)
    return waiting


def test_who_comes_first_is_tried_first(queue):
    for name in "bac":
        queue.add(make(name))
    assert names(queue) == ["b", "a", "c"]


def test_priority_goes_before_age(queue):
    queue.add(make("old"))
    queue.add(make("urgent", priority=1000))
    assert names(queue) == ["urgent", "old"]


def test_a_pod_that_has_gone_is_not_tried(queue):
    queue.add(make())
    queue.remove("web")
    assert (queue.pop(), queue.next_ready()) == (None, NEVER)


def test_a_pod_that_failed_waits_until_something_changes(queue, clock):
    queue.add(make())
    fail(queue)
    clock.advance_to(100)
    assert (queue.pop(), queue.next_backoff()) == (None, NEVER)
    queue.move_all()
    assert queue.pop().attempts == 2


def test_or_until_five_minutes_have_passed(queue, clock):
    queue.add(make())
    fail(queue)
    assert queue.next_ready() == FLUSH_SECONDS
    clock.advance_to(FLUSH_SECONDS)
    assert queue.pop() is not None


def test_each_failure_backs_off_twice_as_long_up_to_ten_seconds(queue, clock):
    queue.add(make())
    waits = []
    for _ in range(6):
        fail(queue)
        queue.move_all()
        waits.append(queue.next_backoff() - clock.now())
        clock.advance_to(queue.next_backoff())
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_change_during_the_attempt_is_not_missed(queue):
    queue.add(make())
    waiting, moves = queue.pop(), queue.moves
    queue.move_all()
    queue.failed(waiting.pod.uid, moves)
    assert queue.next_backoff() == 1.0


def test_a_pod_that_was_changed_is_worth_another_try(queue):
    queue.add(make())
    fail(queue)
    queue.add(make())
    assert queue.next_backoff() == NEVER
    queue.add(make(tolerations=[{"operator": "Exists"}]))
    assert queue.next_backoff() == 1.0


class AnyUse(RuleBasedStateMachine):
    """Every Pod that was added and not removed is tried, and none that was removed."""

    uids = st.sampled_from("abc")

    def __init__(self):
        super().__init__()
        self.clock = VirtualClock(0.0)
        self.queue = SchedulingQueue(self.clock)
        self.there = set()
        self.trying = None

    @rule(uid=uids, priority=st.integers(0, 2))
    def add(self, uid, priority):
        self.queue.add(make(uid, priority=priority))
        self.there.add(uid)

    @rule(uid=uids)
    def remove(self, uid):
        self.queue.remove(uid)
        self.there.discard(uid)

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds):
        self.clock.advance_to(self.clock.now() + seconds)

    @rule()
    def something_changes(self):
        self.queue.move_all()

    @precondition(lambda self: self.trying is None)
    @rule()
    def pop(self):
        waiting = self.queue.pop()
        if waiting is not None:
            assert waiting.pod.uid in self.there
            self.trying = (waiting.pod.uid, self.queue.moves)

    @precondition(lambda self: self.trying is not None)
    @rule(broken=st.booleans())
    def no_node_will_do(self, broken):
        if broken:
            self.queue.retry_later(self.trying[0])
        else:
            self.queue.failed(*self.trying)
        self.trying = None

    def teardown(self):
        if self.trying:
            self.queue.failed(*self.trying)
        self.clock.advance_to(self.clock.now() + 10_000)
        assert sorted(names(self.queue)) == sorted(self.there)


AnyUse.TestCase.settings = settings(max_examples=80, stateful_step_count=30)
TestAnyUse = AnyUse.TestCase
