"""A rollout in which a component's line to the API server is bad for five seconds ends as one with good lines."""

from __future__ import annotations

import pytest

from k8slab.engine.inputs import Fault
from k8slab.names import Chance
from tests.story.rollout import Rollout, ends_alike

FAULTS = {
    "api-errors": {"share": 1.0, "code": 503},
    "api-errors-of-haste": {"share": 0.7, "code": 429},
    "cut-off": {},
}
MOMENTS = 2


@pytest.fixture(scope="module")
def undisturbed():
    """(How many units of work the rollout takes, its end state.)"""
    life = Rollout()
    life.engine.loop.run_until_idle(600)
    return life.steps - life.began, life.end()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_line_that_is_bad_for_five_seconds_costs_nothing_but_time(undisturbed, kind):
    steps, end = undisturbed
    for component in sorted(Rollout().engine.processes.lines):
        for moment in range(MOMENTS):
            life = Rollout()
            step = Chance(7).integer("moments", f"{kind}/{component}/{moment}") % steps
            life.go(step)
            fault = "api-errors" if kind.startswith("api-errors") else kind
            arguments = {"component": component, **FAULTS[kind]}
            life.engine.take(Fault(fault, arguments))
            life.engine.loop.run_for(5.0)
            life.engine.take(Fault(fault, arguments, ends=True))
            ends_alike(life, end, kind, component, step)
