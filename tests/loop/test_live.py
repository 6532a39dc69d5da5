from __future__ import annotations

import threading

import pytest

from k8slab.clock import RealClock
from k8slab.loop.live import LiveLoop
from tests.eventually import eventually
from tests.loop.worker import Worker


@pytest.fixture
def clock():
    return RealClock()


@pytest.fixture
def loop(clock):
    loop = LiveLoop(clock)
    yield loop
    loop.close()


def test_each_component_works_in_a_thread_of_its_own(loop, clock):
    workers = [Worker(name, clock, todo=3) for name in "ab"]
    for worker in workers:
        loop.add(worker)
    assert eventually(lambda: all(len(worker.log) == 3 for worker in workers))


def test_a_woken_component_works_again(loop, clock):
    worker = Worker("a", clock)
    loop.add(worker)
    worker.todo = 1
    loop.wake("a")
    assert eventually(lambda: worker.log)


def test_a_deadline_wakes_a_component(loop, clock):
    worker = Worker("a", clock, alarms=[0.05])
    loop.add(worker)
    loop.run_until(lambda: worker.log, 20)
    assert worker.log[0] >= worker.log[0] - 0.05


def test_idle_means_that_nobody_has_work_in_progress(loop, clock):
    worker = Worker("puller", clock, alarms=[0.2])
    loop.add(worker)
    loop.add(Worker("heart", clock, alarms=[3600], work=False))
    loop.run_until_idle(20)
    assert len(worker.log) == 1


def test_the_timeout_names_who_is_busy(loop, clock):
    loop.add(Worker("puller", clock, alarms=[3600]))
    with pytest.raises(TimeoutError, match=r"still busy after 0\.05s: puller"):
        loop.run_until_idle(0.05)


def test_a_paused_loop_begins_nothing(loop, clock):
    worker = Worker("a", clock)
    loop.add(worker)
    loop.pause()
    worker.todo = 1
    loop.wake("a")
    loop.run_for(0.05)
    assert worker.log == []
    loop.play(1.0)
    assert eventually(lambda: worker.log)


def test_a_component_that_raises_is_logged_and_goes_on(loop, clock, caplog, monkeypatch):
    monkeypatch.setattr("k8slab.loop.live.PAUSE_AFTER_A_FAULT", 0.01)
    worker = Faulty("a", clock, todo=2)
    loop.add(worker)
    assert eventually(lambda: worker.log)
    assert "a failed, and goes on" in caplog.text


def test_closing_leaves_no_thread(loop, clock):
    before = threading.active_count()
    worker = Worker("a", clock)
    loop.add(worker)
    loop.close()
    assert worker.closed
    assert threading.active_count() == before


def test_a_live_loop_cannot_be_stepped_nor_played_faster(loop):
    with pytest.raises(RuntimeError, match="make a stepped one"):
        loop.step()
    with pytest.raises(ValueError, match="play a stepped one faster"):
        loop.play(2.0)


class Faulty(Worker):
    def step(self) -> bool:
        if self.todo == 2:
            self.todo = 1
            raise ZeroDivisionError
        return super().step()
