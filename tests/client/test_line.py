"""The line between a component and the API server, and all that can be wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap
from k8slab.apimachinery.errors import ApiError, ServiceUnavailable, TooManyRequests
from k8slab.client.informer import Informer
from k8slab.client.line import ERRORS, Failing, Line
from k8slab.clock import NEVER, SkewedClock
from k8slab.names import Chance
from tests.client.fake_server import World, config_map


class Lined(World):
    """A world, a client over a line of its own, and the seconds that it was told to wait."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.waited: list[float] = []
        self.woken = 0
        self.mine = self.connect(self.lay)

    def lay(self, inner):
        self.line = Line(inner, self.clock, Chance(7), "mine", self.waited.append)
        return self.line

    def wake(self):
        self.woken += 1

    def watch(self):
        return self.mine.watch(ConfigMap, "default", resource_version=str(self.store.revision), wake=self.wake)

    def write(self, name="settings"):
        self.client.create(ConfigMap, config_map(name), "default")


@pytest.fixture
def world():
    return Lined()


def names(events):
    return [event.object["metadata"]["name"] for event in events if event.type != "BOOKMARK"]


def test_a_good_line_changes_nothing(world):
    watch = world.watch()
    world.write()
    assert names(watch.poll()) == ["settings"]
    assert (watch.next_release(), watch.closed, world.waited) == (NEVER, False, [])
    watch.close()
    assert watch.closed


def test_nothing_gets_through_a_cut_line_and_its_watches_fall_silent(world):
    watch = world.watch()
    world.line.cut_at("the sea")
    world.write()
    with pytest.raises(ServiceUnavailable, match="no route to host"):
        world.mine.list(ConfigMap)
    assert (watch.poll(), watch.closed) == ([], False)


def test_when_it_is_whole_again_its_watches_have_ended_and_their_readers_are_woken(world):
    watch = world.watch()
    world.line.cut_at("the sea")
    before = world.woken
    world.line.mend("the sea")
    assert (watch.poll(), watch.closed, world.woken) == ([], True, before + 1)
    assert world.mine.list(ConfigMap) == []


def test_a_line_is_whole_when_its_last_cut_is_mended(world):
    world.line.cut_at("the sea")
    world.line.cut_at("the sea")
    world.line.cut_at("the shore")
    world.line.mend("the sea")
    assert world.line.cut
    world.line.mend("the shore")
    assert not world.line.cut


def test_to_mend_what_is_not_cut_ends_no_watch(world):
    watch = world.watch()
    world.line.mend("the sea")
    assert not watch.closed


def test_dropped_watches_have_ended(world):
    first, second = world.watch(), world.watch()
    second.close()
    world.line.drop()
    world.line.drop()
    assert (first.closed, first.next_release()) == (True, NEVER)


def test_a_request_takes_its_time(world):
    world.line.latency = 2.0
    world.mine.list(ConfigMap)
    world.mine.list(ConfigMap)
    assert world.waited == [2.0, 2.0]


@pytest.mark.parametrize(("code", "error"), [(429, TooManyRequests), (503, ServiceUnavailable)])
def test_requests_fail_with_the_code_that_was_chosen(world, code, error):
    assert code in ERRORS
    world.line.failing = Failing(1.0, code)
    with pytest.raises(error):
        world.mine.list(ConfigMap)
    assert world.store.revision == Lined().store.revision


def test_which_of_them_fail_is_decided_by_the_seed():
    def answers():
        world = Lined()
        world.line.failing = Failing(0.5)
        return [succeeds(world) for _ in range(60)]

    assert answers() == answers()
    assert 15 < sum(answers()) < 45


def succeeds(world):
    try:
        world.mine.list(ConfigMap)
    except ApiError:
        return False
    return True


def test_a_watch_that_is_open_already_becomes_slow_too(world):
    watch = world.watch()
    world.line.slow_down(10, 0, 0)
    world.write()
    assert watch.poll() == []
    assert world.clock.now() < watch.next_release() <= world.clock.now() + 10


def test_a_worse_day_counts_for_open_watches(world):
    watch = world.watch()
    world.line.slow_down(0, 0, 0)
    world.line.slow_down(1000, 0, 0)
    world.write()
    world.clock.advance_to(world.clock.now() + 1)
    assert watch.poll() == []


def test_at_its_end_all_that_was_held_back_comes_first(world):
    watch = world.watch()
    world.line.slow_down(10, 0, 0)
    world.write("early")
    watch.poll()
    world.line.speed_up()
    world.write("late")
    assert world.line.slow is None
    assert names(watch.poll()) == ["early", "late"]


def test_a_watch_that_broke_on_a_bad_day_stays_broken(world):
    watch = world.watch()
    world.line.slow_down(0, 0, 1)
    world.write()
    assert watch.poll()[0].type == "ERROR"
    world.line.speed_up()
    assert (watch.closed, watch.poll()) == (True, [])


def test_behind_a_cut_nothing_is_let_go(world):
    watch = world.watch()
    world.line.slow_down(10, 0, 0)
    world.write()
    watch.poll()
    world.line.cut_at("the sea")
    world.clock.advance_to(world.clock.now() + 20)
    assert (watch.poll(), watch.next_release()) == ([], NEVER)


def test_who_has_a_wrong_clock_is_told_by_it_when_to_look(world):
    watch = world.watch()
    world.line.slow_down(10, 0, 0)
    world.write()
    watch.poll()
    right = watch.next_release()
    world.line.wrong_clock = SkewedClock(world.clock, 100.0)
    assert watch.next_release() == right + 100


def test_its_state_is_all_that_matters_for_what_comes(world):
    seen = {world.line.state}

    def is_new():
        before = len(seen)
        seen.add(world.line.state)
        return len(seen) == before + 1

    world.watch()
    assert is_new()
    world.line.cut_at("the sea")
    assert is_new()
    world.line.slow_down(1, 0, 0)
    assert is_new()
    world.line.slow_down(2, 0, 0)
    assert is_new()
    world.line.failing = Failing(0.5)
    assert is_new()


troubles = st.lists(
    st.sampled_from(["write", "delete", "look", "wait", "cut", "mend", "drop", "slow", "fast", "fail", "work"]),
    max_size=40,
)


@settings(max_examples=60)
@given(troubles)
def test_whatever_happens_to_the_line_an_informer_knows_what_is_there_in_the_end(steps):
    world = Lined()
    informer = Informer(world.mine, ConfigMap, namespace="default", wake=world.wake)
    number = 0
    for step in steps:
        there = world.client.list(ConfigMap, "default")
        match step:
            case "write":
                world.write(f"c{(number := number + 1)}")
            case "delete" if there:
                world.client.delete(ConfigMap, there[0].name, "default")
            case "look":
                look(informer)
            case "wait":
                world.clock.advance_to(world.clock.now() + 1)
            case "cut":
                world.line.cut_at("the sea")
            case "mend":
                world.line.mend("the sea")
            case "drop":
                world.line.drop()
            case "slow":
                world.line.slow_down(3, 0.3, 0.2)
            case "fast":
                world.line.speed_up()
            case "fail":
                world.line.failing = Failing(0.5)
            case "work":
                world.line.failing = None
    world.line.mend("the sea")
    world.line.failing = None
    while look(informer) or informer.release < NEVER:
        world.clock.advance_to(min(informer.release, world.clock.now() + 10))
    assert informer.list() == world.client.list(ConfigMap, "default")


def look(informer):
    try:
        return informer.drain()
    except ApiError:
        return False
