"""A fault, in words: `node-lost node-1`, `container-crash of pod web-abc`, `clock-skew kube-scheduler +7s`.

A record of a fault says its name and all of its arguments. Here the arguments are found again, by the names that the table of
faults has for them; those that have their default value, or none, are not worth a word.

k8slab's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from k8slab.engine.faults import FAULTS, fault_id
from k8slab.lab.records import Record

END = " ends"


@dataclass(frozen=True, slots=True)
class Breakage:
    """What was broken, or mended."""

    name: str
    """A key of `FAULTS`."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False

    @property
    def id(self) -> str:
        """The same for its beginning and its end, whatever words they had."""
        return fault_id(self.name, self.arguments)

    @property
    def component(self) -> str:
        """Whose lane it belongs into; empty for no single component's."""
        node = self.arguments.get("node", "")
        return self.arguments.get("component", f"kubelet-{node}" if node else "")

    def __str__(self) -> str:
        defaults = {
            each.name: "" if each.default is None else str(each.default) for each in FAULTS[self.name].arguments
        }
        told = {key: value for key, value in self.arguments.items() if value not in ("", defaults.get(key))}
        subject = "".join(say(told[key], told) for key, say in SUBJECTS.items() if key in told)
        details = [f"{key} {_of(key, value)}" for key, value in told.items() if key not in (*SUBJECTS, "namespace")]
        return ", ".join([self.name + subject, *details])


SUBJECTS: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
    "component": lambda value, _: f" {value}",
    "node": lambda value, _: f" {value}",
    "pod": lambda value, told: f" of pod {told['namespace']}/{value}" if "namespace" in told else f" of pod {value}",
    "ahead": lambda value, _: f" {float(value):+g}s",
    "rate": lambda value, _: f" \u00d7{float(value):g}",
    "where": lambda value, _: f" of {value}",
}
"""What is broken, by the name of the argument; all other arguments say how."""
SECONDS = ("delay", "seconds")


def breakage_of(record: Record) -> Breakage:
    """What a record of a fault says."""
    text = record.text.removesuffix(END)
    name, _, told = text.partition(" ")
    known = "|".join(re.escape(each.name) for each in FAULTS[name].arguments)
    # A value may have spaces in it, but no name of an argument with a `=`.
    parts = re.split(rf"(?:^| )({known})=", told) if known else [""]
    return Breakage(name, dict(zip(parts[1::2], parts[2::2], strict=True)), text != record.text)


def _of(key: str, value: str) -> str:
    return f"{float(value):g}s" if key in SECONDS else value
