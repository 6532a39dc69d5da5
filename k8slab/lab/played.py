"""Playing a scenario, and the report of what came of it.

A scenario is flattened into events (a step, or the end of a fault), in order of time. Between two of them time passes; at each
of them the cluster is at rest. Whatever comes of an event is a line of the report, never an exception.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from k8slab.cluster import Cluster
from k8slab.engine.faults import FAULTS
from k8slab.engine.switches import FaultSwitch
from k8slab.lab.cluster import Cluster as LabCluster
from k8slab.lab.drawing import Table
from k8slab.lab.scenario import Scenario, ScenarioError, Step, shown
from k8slab.loop.kubectl import KubectlResult

LATE = 1e-6
ENDS, HAPPENS, LAST = range(3)

Acts = Sequence[tuple[float, Callable[[Cluster], object]]]
"""What else is done to the cluster, and when: seconds since the scenario began."""


class ScenarioFailed(AssertionError):
    """Something in a scenario was not as it should be. Shown as its report."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True, slots=True)
class Event:
    """A step happens, or the fault of a step ends; or something else is done, which is no step."""

    at: float
    rank: int
    place: int
    """Of its step in the scenario, or of its act."""
    step: Step | None
    ends: bool = False


@dataclass(frozen=True)
class Happening:
    """What came of an event."""

    planned: float
    """Seconds since the scenario began."""
    time: float
    """When it was: later than planned if a command before it took its time."""
    kind: str
    """kubectl, fault, expect, act; or halt, if a breakpoint ended the scenario."""
    what: str
    said: str
    ok: bool = True
    kubectl: KubectlResult | None = field(default=None, repr=False)

    def row(self) -> tuple[str, ...]:
        """As the report has it."""
        late = f" ({shown(self.time - self.planned)} late)" if self.time > self.planned + LATE else ""
        first, *more = self.said.splitlines() or [""]
        said = first + (f" (+{len(more)} lines)" if more else "") + late
        return (f"+{shown(self.planned)}", self.what, "ok" if self.ok else "FAILED", said)


@dataclass(frozen=True)
class Played:
    """A scenario that was played, and its report. In a notebook it shows as a table."""

    scenario: Scenario
    cluster: Cluster
    """As it is now: open, for whoever wants to look; `close` if nobody does."""
    happenings: tuple[Happening, ...]

    @property
    def ok(self) -> bool:
        """Whether everything was as it should be."""
        return not self.failures

    @property
    def failures(self) -> tuple[Happening, ...]:
        """What was not."""
        return tuple(each for each in self.happenings if not each.ok)

    def check(self) -> Self:
        """Itself, if everything was as it should be; else raises ScenarioFailed, with the report."""
        if not self.ok:
            raise ScenarioFailed(str(self))
        return self

    @property
    def table(self) -> Table:
        """What happened, event by event."""
        return Table(("Time", "What", "Result", "Said"), tuple(each.row() for each in self.happenings))

    def close(self) -> None:
        """Close the cluster."""
        self.cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __str__(self) -> str:
        failed = len(self.failures)
        end = "all as it should be" if not failed else f"{failed} of {len(self.happenings)} not as it should be"
        return f"{self.scenario.name or 'scenario'}\n{self.table}\n{end}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def events(scenario: Scenario, acts: Acts = ()) -> list[Event]:
    """What happens in a scenario, in its order."""
    found = [Event(at, HAPPENS, place, None) for place, (at, _) in enumerate(acts)]
    for place, step in enumerate(scenario.steps):
        found.append(Event(step.at, HAPPENS, place, step))
        if step.fault and FAULTS[step.fault].end is not None:
            end = scenario.end_of(step)
            rank = ENDS if end <= scenario.length else LAST
            found.append(Event(min(end, scenario.length), rank, place, step, ends=True))
    return sorted(found, key=lambda event: (event.at, event.rank, event.place))


def play(scenario: Scenario, cluster: Cluster | None = None, acts: Acts = ()) -> Played:
    """Play a scenario, see `Scenario.play`. What an act raises ends it; at one moment acts come before steps."""
    if cluster is not None:
        return Played(scenario, cluster, tuple(_Player(scenario, cluster, acts).play()))
    spec = scenario.cluster
    try:
        own = LabCluster(nodes=spec.nodes, seed=spec.seed, candidates=spec.candidates)
    except ValueError as error:
        raise ScenarioError(f"cluster: {error}") from None
    try:
        return Played(scenario, own, tuple(_Player(scenario, own, acts).play()))
    except BaseException:
        own.close()
        raise


class _Player:
    """One scenario on one cluster."""

    def __init__(self, scenario: Scenario, cluster: Cluster, acts: Acts) -> None:
        self.scenario, self.cluster, self.acts = scenario, cluster, acts
        self.began = cluster.now
        self.faults: dict[int, FaultSwitch] = {}
        for place, step in enumerate(scenario.steps):
            if step.fault:
                self.faults[place] = self._switch(place, step)

    def play(self) -> Iterator[Happening]:
        """What happens, as it happens."""
        try:
            for event in events(self.scenario, self.acts):
                if stopped := self._wait_until(event.at):
                    yield stopped  # a breakpoint: whoever set it wants to see the cluster as it is
                    return
                yield self._happen(event)
                if stopped := self._stopped(event.at):
                    yield stopped
                    return
            if stopped := self._wait_until(self.scenario.length):
                yield stopped
        except BaseException:
            for switch in self.faults.values():
                if switch.active:
                    switch.stop()
            raise

    def _switch(self, place: int, step: Step) -> FaultSwitch:
        try:
            return self.cluster.fault(step.fault, **step.arguments)
        except ValueError as error:
            raise ScenarioError(f"steps[{place}] ({step.fault}): {error}") from None

    def _wait_until(self, when: float) -> Happening | None:
        self.cluster.run_for(max(0.0, self.began + when - self.cluster.now))
        return self._stopped(when)

    def _stopped(self, when: float) -> Happening | None:
        """That a breakpoint has stopped what was done last, if one has."""
        halt = self.cluster._engine.loop.halt
        return Happening(when, self._now(), "halt", "breakpoint", str(halt), ok=False) if halt else None

    def _now(self) -> float:
        return self.cluster.now - self.began

    def _happen(self, event: Event) -> Happening:
        now, step = self._now(), event.step
        if step is None:
            act = self.acts[event.place][1]
            act(self.cluster)
            return Happening(event.at, now, "act", getattr(act, "__name__", "something is done"), "")
        if step.fault:
            said, ok = self._fault(event)
            return Happening(event.at, now, "fault", str(step), said, ok)
        if step.expect is not None:
            verdict = step.expect.judge(self.cluster.client)
            return Happening(event.at, now, "expect", str(step), verdict.said, verdict.holds)
        assert step.kubectl is not None
        result = self.cluster.kubectl(step.kubectl, stdin=step.stdin)
        said = str(result) + (" (and should have failed)" if step.fails and result.ok else "")
        return Happening(event.at, now, "kubectl", str(step), said, result.ok is not step.fails, result)

    def _fault(self, event: Event) -> tuple[str, bool]:
        switch = self.faults[event.place]
        if event.ends:
            # What could not begin need not end.
            was_on = switch.active
            if was_on:
                switch.stop()
            return ("ends" if was_on else "had not begun"), True
        try:
            switch.start()
        except ValueError as error:
            return str(error), False
        return ("begins" if switch.active else "happens"), True
