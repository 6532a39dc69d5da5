"""Work that takes time, on a virtual clock."""

import pytest

from k8slab.clock import NEVER, VirtualClock
from k8slab.kubelet.jobs import InlineJobs, whole_tick


@pytest.fixture
def clock():
    return VirtualClock(100.0)


@pytest.mark.parametrize(("when", "tick"), [(1.0, 1.0), (1.01, 1.1), (1.1, 1.1), (1.1000001, 1.1), (1.19, 1.2)])
def test_a_whole_tick_is_never_before(when, tick):
    assert whole_tick(when) == tick


def test_what_takes_no_time_is_told_at_once(clock):
    jobs = InlineJobs(clock)
    jobs.start("a", lambda: ("done", 0.0))
    assert [outcome.result for outcome in jobs.finished()] == ["done"]


def test_what_takes_time_is_told_at_the_next_whole_tick(clock):
    jobs = InlineJobs(clock)
    jobs.start("a", lambda: ("done", 1.234))
    assert (jobs.finished(), jobs.running("a"), jobs.next_ready()) == ([], True, 101.3)
    clock.advance_to(101.3)
    assert [outcome.key for outcome in jobs.finished()] == ["a"]
    assert (jobs.busy, jobs.next_ready()) == (False, NEVER)


def test_an_error_is_an_outcome(clock):
    jobs = InlineJobs(clock)
    jobs.start("a", lambda: 1 / 0)
    [outcome] = jobs.finished()
    assert isinstance(outcome.error, ZeroDivisionError)
