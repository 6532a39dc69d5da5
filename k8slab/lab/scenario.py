"""A scenario: commands, faults and expectations at moments of virtual time, in a file that people write.

    name: a node is lost during a rollout
    cluster: {nodes: 3, seed: 7}
    steps:
      - {at: 0s, kubectl: create deployment web --image=nginx --replicas=3}
      - {at: 10s, fault: node-lost, with: {node: node-1}, for: 30s}
      - {at: 60s, expect: {kind: Deployment, name: web, field: status.readyReplicas, equals: 3}}

What happens at one moment: first the faults end whose time is over, then the steps follow in the order of the file. A fault
without `for` and `until` ends with the scenario, after the last step. Playing reports what came of each step; what failed is
in the report, and raised only by `check`. `played.py` plays.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from k8slab.clock import NEVER, parse_duration
from k8slab.engine.faults import FAULTS, arguments_of
from k8slab.lab.expectation import Expectation
from k8slab.lab.scenario_file import Location, Misplaced, ScenarioError, explain, read, write
from k8slab.loop.kubectl import split_command

if TYPE_CHECKING:
    from k8slab.cluster import Cluster
    from k8slab.lab.played import Played

__all__ = ["ClusterSpec", "Expectation", "Scenario", "ScenarioError", "Step", "shown"]

END = "end"
"""What `until` says for: as long as the scenario."""


def shown(seconds: float) -> str:
    """Seconds as a scenario says them: `10s`, `0.5s`."""
    return f"{round(seconds, 6):.6f}".rstrip("0").rstrip(".") + "s"


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"a time is written for example '60s', '1m30s' or 90, not {value!r}")
    seconds = parse_duration(value)
    if not 0 <= seconds < NEVER:
        raise ValueError(f"a time is 0 or more, and {value!r} is not")
    return seconds


def _words(value: Any) -> Any:
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise ValueError(f"a command is a text, or a list of texts, not {value!r}")
    if not split_command(value):
        raise ValueError("the command is empty; write for example 'get pods'")
    return value


def _nodes(value: Any) -> Any:
    names = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not names and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(f"nodes are a number, or a list of names, not {value!r}")
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), PlainSerializer(shown, return_type=str)]


class ClusterSpec(BaseModel):
    """What a scenario is played on, if it is not given a cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: Annotated[int | list[str], BeforeValidator(_nodes)] = 3
    seed: int = 0
    candidates: dict[str, int] = Field(default_factory=dict)


class Step(BaseModel):
    """One step: a command, a fault, or an expectation."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = ""
    """What `until` of an earlier step calls it."""
    at: Seconds
    """Seconds since the scenario began."""
    kubectl: Annotated[str | list[str], BeforeValidator(_words)] | None = None
    stdin: str | None = None
    fails: bool = False
    """Whether kubectl is expected to fail."""
    fault: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    lasts: Seconds | None = Field(default=None, alias="for")
    until: str = ""
    """The name of a later step, or `end`."""
    expect: Expectation | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        given = [name for name in ("kubectl", "fault", "expect") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"a step has one of: kubectl, fault, expect; this has {' and '.join(given) or 'none'}")
        belong = {"kubectl": ("stdin", "fails"), "fault": ("arguments", "lasts", "until"), "expect": ()}
        for owner, names in belong.items():
            stray = [name for name in names if name in self.model_fields_set]
            if stray and owner != given[0]:
                alias = type(self).model_fields[stray[0]].alias or stray[0]
                raise ValueError(f"{alias!r} goes with a {owner!r}, and this is a {given[0]!r}")
        if self.fault:
            self._check_fault()
        return self

    def _check_fault(self) -> None:
        arguments_of(None, self.fault, self.arguments)
        if self.lasts is None and not self.until:
            return
        if FAULTS[self.fault].end is None:
            raise ValueError(f"the fault {self.fault!r} happens once: it takes no 'for' and no 'until'")
        if self.lasts is not None and self.until:
            raise ValueError("a fault lasts 'for' a time or 'until' a step, not both")
        if self.lasts == 0:
            raise ValueError("a fault lasts for more than 0s")

    @property
    def subject(self) -> tuple[str, Any]:
        """The fault, and what it is about: a component, a node, a registry."""
        return self.fault, next(iter(arguments_of(None, self.fault, self.arguments).values()))

    def __str__(self) -> str:
        if self.kubectl is not None:
            return f"kubectl {' '.join(self.kubectl) if isinstance(self.kubectl, list) else self.kubectl}"
        if self.fault:
            return " ".join([self.fault, *(f"{name}={value}" for name, value in self.arguments.items())])
        return f"expect {self.expect}"


class Scenario(BaseModel):
    """Steps, and what they are played on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    cluster: ClusterSpec = ClusterSpec()
    lasts: Seconds = 0.0
    """How long it goes on at least."""
    steps: list[Step]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for place, step in enumerate(self.steps):
            if step.name and (step.name == END or step.name in (each.name for each in self.steps[:place])):
                raise Misplaced(("steps", place, "name"), f"a step cannot be called {step.name!r}: that is taken")
        for place, step in enumerate(self.steps):
            if step.until not in ("", END):
                later = [each.name for each in self.steps if each.name and each.at > step.at]
                if step.until not in later:
                    among = ", ".join([*later, END])
                    sentence = f"no later step is called {step.until!r}; there are: {among}"
                    raise Misplaced(("steps", place, "until"), sentence)
        self._check_overlaps()
        return self

    def _check_overlaps(self) -> None:
        """A fault that begins again before it has ended would be ended twice, and the first end would count."""
        faults = [(step.at, place, step) for place, step in enumerate(self.steps) if step.fault]
        last: dict[tuple[str, Any], tuple[float, int]] = {}
        for at, place, step in sorted(faults, key=lambda each: each[:2]):
            if FAULTS[step.fault].end is None:
                continue
            ends, before = last.get(step.subject, (0.0, -1))
            if at < ends:
                what = " of ".join(map(str, step.subject))
                sentence = f"{what} begins at {shown(at)}, and that of steps[{before}] has not ended"
                raise Misplaced(("steps", place), sentence)
            last[step.subject] = self.end_of(step), place

    @property
    def length(self) -> float:
        """Seconds until it ends."""
        return max([self.lasts, *(step.at + (step.lasts or 0.0) for step in self.steps)])

    def end_of(self, step: Step) -> float:
        """When a fault ends, in seconds since the scenario began; infinity: with the scenario."""
        if step.lasts is not None:
            return step.at + step.lasts
        return next((each.at for each in self.steps if each.name and each.name == step.until), NEVER)

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """The scenario of a file, or of YAML text (which has more than one line). Raises ScenarioError, with line numbers."""
        text, name = _text_of(source)
        values, node = read(text, name)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ScenarioError(explain(error, node, name, _fields_at)) from None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The scenario that a mapping describes, as a file would. Raises ScenarioError."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ScenarioError(explain(error, None, "scenario", _fields_at)) from None

    def yaml(self) -> str:
        """The scenario as a file has it."""
        return write(self.model_dump(by_alias=True, exclude_unset=True))

    def save(self, path: str | Path) -> Path:
        """Write it to a file."""
        Path(path).write_text(self.yaml(), encoding="utf-8")
        return Path(path)

    def play(self, cluster: Cluster | None = None) -> Played:
        """Play it, on a cluster of its own or on this one, and report. Raises ScenarioError if it does not fit the cluster."""
        from k8slab.lab.played import play  # it needs to know what a scenario is

        return play(self, cluster)

    def __str__(self) -> str:
        return self.yaml().rstrip("\n")


def _text_of(source: str | Path) -> tuple[str, str]:
    """(text, what to call it)."""
    if isinstance(source, str) and "\n" in source:
        return source, "scenario"
    try:
        return Path(source).read_text(encoding="utf-8"), str(source)
    except FileNotFoundError:
        raise ScenarioError(f"there is no file {str(source)!r}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot read {str(source)!r}: {error}") from None


def _fields_at(where: Location) -> Sequence[str]:
    model: type[BaseModel] = Scenario
    if where:
        model = ClusterSpec if where[0] == "cluster" else Expectation if where[-1] == "expect" else Step
    return [field.alias or name for name, field in model.model_fields.items()]
