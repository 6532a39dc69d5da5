"""Chaos: what goes wrong when things go wrong, found by trying, and made small.

A workload, a predicate that should hold afterwards, and faults that may happen. From a seed a schedule of faults is drawn and
played while the workload goes on; when all faults have ended and some quiet time has passed, the predicate is asked. Many seeds
are tried, and the first schedule after which it does not hold is shrunk (`shrink.py`) until nothing can be left out of it.

    chaos = Chaos(workload, holds, faults=["slow-watch", "crash"])
    found = chaos.hunt(range(100))
    found.scenario.save("it-breaks.yaml")
    chaos.trial(Scenario.load("it-breaks.yaml")).why

The same seed draws the same schedule, and the same schedule has the same end: what fails once fails always.
k8slab's own; the ideas are Jepsen's nemesis and Zeller's delta debugging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from k8slab.clock import parse_duration
from k8slab.cluster import Cluster
from k8slab.engine.faults import FAULTS, Argument
from k8slab.engine.spec import MakeComponent
from k8slab.lab.played import Played, play
from k8slab.lab.scenario import ClusterSpec, Scenario, Step
from k8slab.lab.shrink import DURATIONS, Shrunk, overlaps_nothing, shrink, with_steps
from k8slab.names import Chance

VALUES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "slow-watch": {"delay": (1.0, 2.0, 5.0, 20.0), "repeat": (0.0, 0.1, 0.5), "lose": (0.0, 0.02, 0.2)},
    "clock-rate": {"rate": (1.1, 0.9, 2.0, 0.5)},
    "clock-skew": {"ahead": (1.0, -1.0, 20.0, -20.0, 400.0, -400.0)},
    "api-latency": {"seconds": (0.1, 1.0, 5.0)},
    "api-errors": {"share": (0.2, 0.5, 1.0), "code": (503, 429)},
    "image-pull-failure": {"where": ("registry.k8s.io", "docker.io")},
}
"""What the arguments of faults are drawn from, the mildest first: a shrinker tries those in front."""

NOT_DRAWN = ("container-crash", "small-disk")
"""Faults that need a Pod's name, or that only a lesson about images cares for."""

Act = Callable[[Cluster], object]
Workload = Scenario | Act | Mapping[float | str, Act]
"""What the cluster has to do meanwhile: a scenario's steps; or functions, by the time at which they are called."""
FIRST = 5.0
"""When a workload is called that is a single function, in seconds: some faults have begun by then."""


class ChaosError(ValueError):
    """Chaos would not find out anything. Shown as its sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Trial:
    """A scenario that was played, and whether the predicate held after it."""

    scenario: Scenario
    why: str
    """Why it does not hold; empty if it does."""
    seed: int | None = None
    """What the scenario was drawn from, if it was."""

    @property
    def held(self) -> bool:
        """Whether it held."""
        return not self.why

    def __str__(self) -> str:
        return f"{self.scenario}\n\n{'holds' if self.held else self.why}"


@dataclass(frozen=True)
class Chaos:
    """An experiment. Raises ValueError for a fault that there is not, or that lacks values for an argument."""

    workload: Workload
    holds: Callable[[Cluster], object]
    """Does not hold if it returns something false, other than None, or raises an Exception."""
    faults: Sequence[str] | Mapping[str, Mapping[str, Sequence[Any]]] = tuple(
        name for name in FAULTS if name not in NOT_DRAWN
    )
    """Names of faults that may happen; or with values for their arguments, the mildest first."""
    cluster: ClusterSpec = field(default_factory=lambda: ClusterSpec(nodes=3, seed=0))
    """For a workload of functions; a scenario has its own."""
    replace: Mapping[str, MakeComponent] = field(default_factory=dict)
    most: int = 4
    """Faults in a schedule, at most."""
    within: float = 30.0
    """Seconds in which they begin."""
    calm: float = 320.0
    """Quiet seconds at the end: more than the five minutes after which a controller gives up waiting for news."""

    def __post_init__(self) -> None:
        known = self._menu  # complains
        if not known or self.most < 1:
            raise ChaosError("chaos needs at least one fault that may happen")

    def draw(self, seed: int) -> Scenario:
        """The schedule of a seed, mixed with the workload's steps."""
        stream = Chance(seed).stream("chaos-schedule")
        faults: list[Step] = []
        for _ in range(stream.randint(1, self.most)):
            name = stream.choice(list(self._menu))
            arguments = {each: stream.choice(values) for each, values in self._menu[name].items()}
            values = {"at": round(stream.uniform(0, self.within), 1), "fault": name, "with": arguments}
            lasts = stream.choice(DURATIONS)
            if FAULTS[name].end is not None:
                values["for"] = lasts
            step = Step.model_validate(values)
            if overlaps_nothing(self._quiet, [*faults, step]):
                faults.append(step)
        drawn = with_steps(self._quiet, sorted([*self._quiet.steps, *faults], key=lambda each: each.at))
        assert drawn is not None
        return drawn

    def trial(self, scenario: Scenario, seed: int | None = None) -> Trial:
        """Play a scenario of faults and workload on a cluster of its own, wait, and ask."""
        with Cluster(
            scenario.cluster.nodes, scenario.cluster.seed, replace=self.replace, candidates=scenario.cluster.candidates
        ) as cluster:
            try:
                why = _unmet(play(scenario, cluster, self._acts))
                cluster.run_for(self.calm)
                held = self.holds(cluster)
            except Exception as fault:
                return Trial(scenario, f"{type(fault).__name__}: {fault}".rstrip(": "), seed)
        if held is not None and not held:
            why = why or f"the predicate is {held!r}"
        return Trial(scenario, why, seed)

    def search(self, seeds: Iterable[int]) -> Trial | None:
        """The first schedule after which it does not hold; None if it held after all. Raises ChaosError if it never holds."""
        alone = self.trial(self._quiet)
        if not alone.held:
            raise ChaosError(f"it does not hold even without faults: {alone.why}")
        trials = (self.trial(self.draw(seed), seed) for seed in seeds)
        return next((trial for trial in trials if not trial.held), None)

    def shrink(self, scenario: Scenario, plays: int = 200) -> Shrunk:
        """The simplest scenario that still fails, found in so many plays at most. Only faults are changed."""
        return shrink(scenario, lambda candidate: self.trial(candidate).why, self._menu, plays)

    def hunt(self, seeds: Iterable[int], plays: int = 200) -> Shrunk | None:
        """Search, and shrink what was found."""
        found = self.search(seeds)
        return self.shrink(found.scenario, plays) if found is not None else None

    @property
    def _quiet(self) -> Scenario:
        """The workload without faults."""
        return self.workload if isinstance(self.workload, Scenario) else Scenario(cluster=self.cluster, steps=[])

    @property
    def _acts(self) -> list[tuple[float, Act]]:
        if isinstance(self.workload, Scenario):
            return []
        given = self.workload if isinstance(self.workload, Mapping) else {FIRST: self.workload}
        return [(parse_duration(at), act) for at, act in given.items()]

    @cached_property
    def _menu(self) -> Mapping[str, Mapping[str, Sequence[Any]]]:
        """Fault -> argument -> what it may be."""
        given = self.faults if isinstance(self.faults, Mapping) else {name: {} for name in self.faults}
        if unknown := [name for name in given if name not in FAULTS]:
            raise ChaosError(f"unknown fault {unknown[0]!r}; there are: {', '.join(FAULTS)}")
        for name, mine in given.items():
            takes = [each.name for each in FAULTS[name].arguments]
            if stray := [each for each in mine if each not in takes]:
                raise ChaosError(f"the fault {name!r} takes no {stray[0]!r}; it takes: {', '.join(takes)}")
        spec = self._quiet.cluster
        with Cluster(spec.nodes, spec.seed, replace=self.replace, candidates=spec.candidates) as cluster:
            return {
                name: {each.name: _values(cluster, name, each, mine) for each in FAULTS[name].arguments}
                for name, mine in given.items()
            }


def _values(cluster: Cluster, name: str, argument: Argument, given: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    values = given.get(argument.name) or VALUES.get(name, {}).get(argument.name)
    if values:
        return [argument.read(value) for value in values]
    if argument.choices is not None:
        return sorted(argument.choices(cluster._engine))
    if argument.default is None:
        example = f"faults={{{name!r}: {{{argument.name!r}: [...]}}}}"
        raise ChaosError(f"the fault {name!r} needs values for {argument.name!r} to choose from: {example}")
    return [argument.default]


def _unmet(played: Played) -> str:
    """What the workload itself says went wrong; that a fault could not begin is none of its business."""
    return "; ".join(f"{each.what}: {each.said}" for each in played.failures if each.kind != "fault")
