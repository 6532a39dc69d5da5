from __future__ import annotations

import asyncio
import threading

import pytest

from k8slab.lab.widgets.throttle import INTERVAL, KernelTimer, Throttle
from tests.lab.widgets.seen import StillTimer


class Watch:
    seconds = 0.0

    def elapsed(self) -> float:
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def timer():
    return StillTimer()


@pytest.fixture
def calls():
    return []


@pytest.fixture
def throttle(calls, timer, watch):
    return Throttle(lambda: calls.append(watch.seconds), timer, watch.elapsed)


def test_the_first_change_is_passed_on_at_once(throttle, calls):
    throttle.poke()
    assert calls == [0.0]


def test_a_thousand_changes_in_an_instant_make_one_more_call(throttle, calls, timer, watch):
    for _ in range(1000):
        throttle.poke()
    assert len(timer.ordered) == 1
    watch.seconds = INTERVAL
    timer.ordered[0][1]()
    assert calls == [0.0, INTERVAL]


def test_while_the_loop_stands_still_whoever_pokes_late_enough_makes_the_call(throttle, calls, watch):
    for hundredth in range(101):
        watch.seconds = hundredth / 100
        throttle.poke()
    assert 9 <= len(calls) <= 11


def test_a_slow_call_is_made_less_often(timer, watch):
    def slow() -> None:
        watch.seconds += 1.0

    throttle = Throttle(slow, timer, watch.elapsed)
    throttle.poke()
    throttle.poke()
    assert timer.ordered[0][0] == pytest.approx(4.0)


def test_changes_on_another_thread_are_handed_over_once(throttle, calls, timer):
    timer.other_thread = True
    throttle.poke()
    throttle.poke()
    assert calls == []
    timer.other_thread = False
    timer.handed.pop()()
    assert calls == [0.0]
    assert timer.handed == []


def test_without_a_loop_nothing_is_ordered():
    assert not KernelTimer().later(0.1, list)


def test_the_kernels_loop_makes_the_last_call_and_takes_calls_from_threads():
    calls = []

    async def cell() -> None:
        throttle = Throttle(lambda: calls.append(threading.current_thread()))
        throttle.poke()
        throttle.poke()
        await asyncio.sleep(INTERVAL * 2)
        thread = threading.Thread(target=throttle.poke)
        thread.start()
        thread.join()
        await asyncio.sleep(INTERVAL * 2)

    asyncio.run(cell())
    assert calls == [threading.main_thread()] * 3
