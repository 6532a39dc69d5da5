"""From a scenario that fails to the simplest one that still does.

Four ways to make a scenario simpler, again and again until none helps: fewer faults, shorter ones, milder arguments, rounder
times. Two faults may be needed only because one delays the work into the other: so each is tried alone, too, from the beginning
to the end. Each candidate is played; if it still fails it takes the scenario's place. Every change that is kept goes one way, so
there is an end; and candidates come in a fixed order, so it is the same end every time. The number of plays is bounded.

Only faults are touched: a workload without its steps would fail for another reason. The result is minimal in the sense of
delta debugging: no single change of these kinds keeps it failing. It need not be the smallest of all.

Models: A. Zeller, R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from k8slab.lab.scenario import Scenario, Step

DURATIONS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""How long faults last, in seconds."""
ROUND = (10.0, 5.0, 1.0)

Fails = Callable[[Scenario], str]
"""Why a scenario fails; empty if it does not."""
Values = Mapping[str, Mapping[str, Sequence[Any]]]
"""Fault -> argument -> what it may be, the mildest first."""
Candidates = Callable[[Step], Iterator[Step]]


@dataclass(frozen=True)
class Shrunk:
    """The simplest scenario that was found to fail."""

    scenario: Scenario
    why: str
    plays: int
    complete: bool
    """Whether no single change would make it simpler; else the plays had run out."""

    def __str__(self) -> str:
        end = "nothing can be left out" if self.complete else "the plays had run out"
        return f"{self.scenario}\n\n{self.why}\n({self.plays} plays; {end})"


def shrink(scenario: Scenario, fails: Fails, values: Values, plays: int) -> Shrunk:
    """Simplify a scenario as long as it fails. Raises ValueError for one that does not fail to begin with."""
    trials = _Trials(fails, plays)
    if not trials.fails(scenario):
        raise ValueError("this scenario does not fail: there is nothing to shrink")
    before = None
    while scenario != before:
        before = scenario
        scenario = _alone(_fewer(scenario, trials), trials)
        for simpler in (_shorter, lambda step: _milder(step, values), _rounder):
            scenario = _each(scenario, simpler, trials)
    return Shrunk(scenario, trials.why[scenario.yaml()], trials.played, not trials.exhausted)


def with_steps(scenario: Scenario, steps: Sequence[Step]) -> Scenario | None:
    """The scenario with other steps; None if they do not go together."""
    values = {name: getattr(scenario, name) for name in scenario.model_fields_set}
    try:
        return Scenario.model_validate({**values, "steps": list(steps)})
    except ValidationError:
        return None


def overlaps_nothing(scenario: Scenario, faults: Sequence[Step]) -> bool:
    """Whether these faults could be added to a scenario."""
    return with_steps(scenario, [*scenario.steps, *faults]) is not None


class _Trials:
    """Plays candidates, each once, and not more than so many."""

    def __init__(self, fails: Fails, plays: int) -> None:
        self._fails, self._plays = fails, plays
        self.why: dict[str, str] = {}
        """Why each of those that were played fails, by its text."""
        self.exhausted = False

    @property
    def played(self) -> int:
        """How many were played."""
        return len(self.why)

    def fails(self, candidate: Scenario | None) -> bool:
        """Whether it fails; what cannot be played does not."""
        if candidate is None:
            return False
        text = candidate.yaml()
        if text not in self.why:
            if self.played >= self._plays:
                self.exhausted = True
                return False
            self.why[text] = self._fails(candidate)
        return bool(self.why[text])


def _fewer(scenario: Scenario, trials: _Trials) -> Scenario:
    """Leave faults out: half of them at once, then fewer, then one by one."""
    faults = [step for step in scenario.steps if step.fault]
    size = max(1, len(faults) // 2)
    while size:
        place = 0
        while place < len(faults):
            without = faults[:place] + faults[place + size :]
            kept = [step for step in scenario.steps if not step.fault or any(step is each for each in without)]
            candidate = with_steps(scenario, kept)
            if candidate is not None and trials.fails(candidate):
                scenario, faults = candidate, [step for step in candidate.steps if step.fault]
            else:
                place += size
        size //= 2
    return scenario


def _alone(scenario: Scenario, trials: _Trials) -> Scenario:
    """One fault instead of several, if it is enough that it lasts all the time."""
    faults = [step for step in scenario.steps if step.fault]
    for only in faults if len(faults) > 1 else ():
        always = only.model_copy(update={"at": 0.0} | ({"lasts": scenario.length} if only.lasts is not None else {}))
        steps = [always if step is only else step for step in scenario.steps if step is only or not step.fault]
        candidate = with_steps(scenario, steps)
        if candidate is not None and trials.fails(candidate):
            return candidate
    return scenario


def _each(scenario: Scenario, simpler: Candidates, trials: _Trials) -> Scenario:
    """Of each fault the simplest form with which the scenario still fails."""
    for place in range(len(scenario.steps)):
        for step in simpler(scenario.steps[place]) if scenario.steps[place].fault else ():
            candidate = with_steps(scenario, [*scenario.steps[:place], step, *scenario.steps[place + 1 :]])
            if candidate is not None and trials.fails(candidate):
                scenario = candidate
                break
    return scenario


def _shorter(step: Step) -> Iterator[Step]:
    if step.lasts is not None:
        for seconds in DURATIONS:
            if seconds < step.lasts:
                yield step.model_copy(update={"lasts": seconds})


def _milder(step: Step, values: Values) -> Iterator[Step]:
    for name, choices in values.get(step.fault, {}).items():
        now = step.arguments.get(name)
        if name == next(iter(values[step.fault])) and len(choices) > 1 and not _graded(choices):
            continue  # another component is not a milder one
        for value in choices[: choices.index(now)] if now in choices else ():
            yield step.model_copy(update={"arguments": {**step.arguments, name: value}})


def _graded(choices: Sequence[Any]) -> bool:
    return all(isinstance(each, (int, float)) for each in choices)


def _rounder(step: Step) -> Iterator[Step]:
    """At the beginning, or at a rounder moment near by."""
    times = [0.0] + [step.at // unit * unit for unit in ROUND if step.at % unit]
    for when in dict.fromkeys(times):
        if when < step.at:
            yield step.model_copy(update={"at": when})
