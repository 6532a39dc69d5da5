"""What somebody expects of a cluster at a moment, as data: an object, a field of it, and what it should be.

    {kind: Deployment, name: web, field: status.readyReplicas, equals: 3}
    {kind: Pod, labels: app=web, count: 3}
    {kind: Deployment, name: web, field: "status.conditions[type=Available].status", equals: "True"}
    {kind: Pod, name: web-0, exists: false}

Kubernetes leaves out numbers that are 0 and texts that are empty: a field that an object does not have counts as such.
k8slab's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.client.client import Client
from k8slab.lab.reference import resource_named

PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]=]+)(?:=([^\]]*))?\]")
COMPARISONS = ("equals", "at_least", "at_most", "exists", "count")


class MissingType:
    """Has one instance: what is found where nothing is."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = MissingType()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an expectation held, and what was found."""

    holds: bool
    said: str


class Expectation(BaseModel):
    """One thing that should be so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    name: str = ""
    namespace: str = "default"
    labels: str = ""
    """Which objects `count` counts: a label selector."""
    field: str = ""
    equals: Any = None
    at_least: float | None = None
    at_most: float | None = None
    exists: bool | None = None
    """Of the field, or else of the object."""
    count: int | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        resource_named(self.kind)
        given = [name for name in COMPARISONS if name in self.model_fields_set]
        if len(given) != 1:
            raise ValueError(f"expect one of: {', '.join(COMPARISONS)}; this has {' and '.join(given) or 'none'}")
        if given == ["count"]:
            if self.name or self.field:
                raise ValueError("'count' counts objects: it goes with 'labels', not with 'name' or 'field'")
            return self
        if not self.name or self.labels:
            raise ValueError(f"{given[0]!r} is about one object: give its 'name'; 'labels' goes with 'count'")
        if given != ["exists"] and not self.field:
            raise ValueError(f"{given[0]!r} is about a field: give its path, for example 'field: status.readyReplicas'")
        if "".join(match[0] for match in PART.finditer(self.field)) != self.field:
            raise ValueError(
                f"cannot read the path {self.field!r}; write for example 'spec.containers[0].image' or "
                "'status.conditions[type=Ready].status'"
            )
        return self

    def judge(self, client: Client) -> Verdict:
        """Whether it holds now."""
        try:
            return self._judge_count(client) if self.count is not None else self._judge_object(client)
        except ApiError as error:
            return Verdict(False, error.message)

    def _judge_count(self, client: Client) -> Verdict:
        query = {"labelSelector": self.labels} if self.labels else None
        found = len(client.raw("GET", self._path(), query=query)["items"])
        return Verdict(found == self.count, _said(found == self.count, str(self.count), str(found)))

    def _judge_object(self, client: Client) -> Verdict:
        try:
            obj: Any = client.raw("GET", self._path(self.name))
        except NotFound:
            there_is_none = f"there is no {resource_named(self.kind).kind} {self.name!r}"
            if self.exists is False and not self.field:
                return Verdict(True, f"holds: {there_is_none}")
            return Verdict(False, f"expected {self._wanted()}, but {there_is_none}")
        value = walk(obj, self.field) if self.field else obj
        holds = self._is_met(value)
        shown = "it is there" if not self.field else repr(value)
        return Verdict(holds, _said(holds, self._wanted(), shown))

    def _is_met(self, value: Any) -> bool:
        if self.exists is not None:
            return (value is not MISSING) is self.exists
        if "equals" in self.model_fields_set:
            return bool(value == self.equals) or (value is MISSING and not self.equals)
        number = 0 if value is MISSING else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return False
        return number >= self.at_least if self.at_least is not None else number <= (self.at_most or 0)

    def _wanted(self) -> str:
        if self.exists is not None:
            return "it to exist" if self.exists else "it not to exist"
        if "equals" in self.model_fields_set:
            return repr(self.equals)
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"

    def _path(self, name: str = "") -> str:
        resource = resource_named(self.kind)
        return resource.path(self.namespace if resource.namespaced else "", name)

    def __str__(self) -> str:
        what = f"{self.kind} {self.name or self.labels}".strip() + (f" {self.field}" if self.field else "")
        return f"{what} count {self.count}" if self.count is not None else f"{what}: {self._wanted()}"


def walk(value: Any, path: str) -> Any:
    """What stands at a path in an object; MISSING where nothing does. A list's element is named by number, or by a field."""
    for name, place, text in (match.groups() for match in PART.finditer(path)):
        if text is not None:
            value = next((each for each in _list(value) if str(_get(each, place)) == text), MISSING)
        elif place is not None:
            elements = _list(value)
            number = int(place) if place.lstrip("-").isdigit() else len(elements)
            value = elements[number] if -len(elements) <= number < len(elements) else MISSING
        else:
            value = _get(value, name)
    return value


def _get(value: Any, name: str) -> Any:
    return value.get(name, MISSING) if isinstance(value, dict) else MISSING


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _said(holds: bool, wanted: str, found: str) -> str:
    return f"holds: {found}" if holds else f"expected {wanted}, found {found}"
