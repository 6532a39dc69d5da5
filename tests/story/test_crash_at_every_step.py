"""A rollout in which something is killed ends as one in which nothing is.

A component is crash-only: all that matters is in etcd. So whatever is killed, whenever, the end state is the same, apart from
what chance and time decide (`rollout.LEFT_OUT`); and no revision on the way breaks a fence of the rollout.

A component that does nothing does not change, so killing it between two of its turns is one case, wherever it happens
between them: the first test has all of these. Within a turn what can be seen of it from outside are its writes: the
second test has all of those, by turns just before and just after. The third lets each component stay away for a while, and
the fourth takes all of them at once.
"""

from __future__ import annotations

import pytest

from tests.story.rollout import Rollout, ends_alike

STRIDE = 40


@pytest.fixture(scope="module")
def undisturbed():
    """(How many units of work the rollout takes, its end state.)"""
    life = Rollout()
    life.engine.loop.run_until_idle(600)
    return life.steps - life.began, life.end()


def test_the_end_is_a_rollout_that_is_done(undisturbed):
    steps, end = undisturbed
    assert steps > 100
    pods = [line for line in end.elements() if line.startswith('{"apiVersion":"v1","kind":"Pod",')]
    assert len(pods) == 2
    assert all("2.40" in line and '"phase":"Running"' in line and '"restartCount":0' in line for line in pods)
    assert [line.rpartition(":")[2] for line in end.elements() if line.startswith("main runs ")] == ["2.40", "2.40"]


@pytest.mark.slow
def test_whoever_has_just_worked_is_killed(undisturbed):
    steps, end = undisturbed
    for step in range(1, steps + 1):
        life = Rollout()
        worked = life.go(step)
        life.crash(worked)
        ends_alike(life, end, step, worked)


@pytest.mark.slow
def test_whoever_writes_is_killed_just_before_it_gets_through_or_just_after(undisturbed):
    _, end = undisturbed
    number, killed = 0, ("somebody", "something")
    while any(killed):
        number += 1
        life = Rollout()
        killed = life.kill_in_a_write(number, late=bool(number % 2))
        # A container that was made and not yet started is made again, and upstream's kubelet counts that as a restart, too.
        may_restart = killed[0].startswith("kubelet-") and killed[1].endswith("/events")
        ends_alike(life, end, number, *killed, restarts=may_restart)
    assert number > 60


@pytest.mark.slow
def test_each_stays_away_for_a_while(undisturbed):
    steps, end = undisturbed
    for place, component in enumerate(sorted(Rollout().engine.processes.components)):
        for step in range(1 + place % STRIDE, steps + 1, STRIDE):
            life = Rollout()
            life.go(step)
            life.crash(component, down=3.0)
            ends_alike(life, end, step, component)


@pytest.mark.slow
def test_all_are_killed_at_once(undisturbed):
    steps, end = undisturbed
    for step in range(1, steps + 1, 6):
        life = Rollout()
        life.go(step)
        life.crash(*life.engine.processes.components)
        ends_alike(life, end, step)
