from __future__ import annotations

import pytest

from k8slab.clock import EPOCH, VirtualClock
from k8slab.loop.stepped import SteppedLoop
from k8slab.names import Chance
from tests.eventually import eventually
from tests.loop.worker import Worker


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def loop(clock):
    return SteppedLoop(clock, Chance(1), lambda: 0)


def test_settling_works_everything_off_and_no_time_passes(loop, clock):
    workers = [Worker("a", clock, todo=3), Worker("b", clock, todo=2)]
    for worker in workers:
        loop.add(worker)
    loop.settle()
    assert [len(worker.log) for worker in workers] == [3, 2]
    assert clock.now() == EPOCH


def test_a_turn_lasts_until_the_component_has_nothing_left(loop, clock):
    for name in "abc":
        loop.add(Worker(name, clock, todo=3))
    turns = [loop.turn() for _ in range(9)]
    assert turns[0:3] == turns[0:1] * 3
    assert turns[3:6] == turns[3:4] * 3


def test_the_order_of_turns_depends_on_the_seed_and_the_revision_only(clock):
    def first_with(seed: int, revision: int) -> str:
        loop = SteppedLoop(clock, Chance(seed), lambda: revision)
        for name in "abcdefgh":
            loop.add(Worker(name, clock, todo=1))
        return loop.turn()

    assert first_with(1, 5) == first_with(1, 5)
    assert len({first_with(seed, 5) for seed in range(20)}) > 1
    assert len({first_with(1, revision) for revision in range(20)}) > 1


def test_run_for_stops_at_each_deadline_and_ends_on_time(loop, clock):
    worker = Worker("a", clock, alarms=[10, 20, 90])
    loop.add(worker)
    loop.run_for(60)
    assert [when - EPOCH for when in worker.log] == [10, 20]
    assert clock.now() == EPOCH + 60


def test_run_until_idle_waits_for_work_and_not_for_heartbeats(loop, clock):
    loop.add(Worker("puller", clock, alarms=[3]))
    heart = Worker("heart", clock, alarms=[2, 100], work=False)
    loop.add(heart)
    loop.run_until_idle(60)
    assert clock.now() == EPOCH + 3
    assert [when - EPOCH for when in heart.log] == [2]


def test_run_until_idle_names_who_is_busy_at_the_timeout(loop, clock):
    loop.add(Worker("slow-puller", clock, alarms=[100]))
    with pytest.raises(TimeoutError, match=r"still busy after 60s of virtual time: slow-puller"):
        loop.run_until_idle(60)
    assert clock.now() == EPOCH + 60


def test_run_until_stops_when_the_predicate_holds(loop, clock):
    worker = Worker("a", clock, alarms=[10, 20, 30])
    loop.add(worker)
    loop.run_until(lambda: len(worker.log) == 2, 60)
    assert clock.now() == EPOCH + 20


def test_run_until_says_how_long_it_waited(loop, clock):
    loop.add(Worker("a", clock, alarms=[10]))
    with pytest.raises(TimeoutError, match=r"still not so after 60s of virtual time, at 2026-01-01T00:01:00Z"):
        loop.run_until(lambda: False, 60)


def test_a_step_is_one_unit_and_moves_time_only_when_nobody_has_work(loop, clock):
    loop.add(Worker("a", clock, todo=1, alarms=[10]))
    assert (loop.step(), clock.now()) == ("a", EPOCH)
    assert (loop.step(), clock.now()) == ("a", EPOCH + 10)
    assert loop.step() == ""


def test_a_woken_component_gets_a_turn_and_a_removed_one_never(loop, clock):
    worker = Worker("a", clock)
    loop.add(worker)
    loop.settle()
    worker.todo = 1
    loop.wake("a")
    assert loop.turn() == "a"
    loop.remove("a")
    loop.wake("a")
    assert worker.closed
    assert loop.turn() == ""


def test_playing_lets_time_pass_by_itself_until_the_pause(loop, clock):
    worker = Worker("a", clock, alarms=[60])
    loop.add(worker)
    loop.play(speed=3600)
    assert eventually(lambda: worker.log)
    loop.pause()
    paused_at = clock.now()
    assert clock.now() == paused_at


def test_playing_at_no_speed_is_refused(loop):
    with pytest.raises(ValueError, match="use a positive number"):
        loop.play(0)
