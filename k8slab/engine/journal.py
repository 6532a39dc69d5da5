"""What came from outside, and at which step: all that is needed to live a cluster's life again.

A *step* is one unit of work of one component, or a look around in which nobody had any, or one input. Components need no
entry: what they do follows from the seed. Each entry notes the revision and a digest of the log at its place, so that a replay
that goes another way is noticed there, and not later by its consequences.

k8slab's own.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter

from k8slab.engine.inputs import Input


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody outside says they do: inputs come because of it. Two commands of the same words differ in number."""

    number: int = 0
    said: str = ""
    """Empty: nobody has said anything."""


NOBODY = Command()


@dataclass(frozen=True, slots=True)
class Entry:
    """One input, and where it came."""

    step: int
    """How many steps there were before it."""
    time: float
    revision: int
    digest: str
    """Of the log up to that revision."""
    command: Command
    input: Input


class Journal:
    """Entries, in order of their steps: no two have the same."""

    def __init__(self, entries: list[Entry] | None = None) -> None:
        self.entries = entries or []

    def add(self, entry: Entry) -> None:
        """Note an input."""
        self.entries.append(entry)

    def before(self, step: int) -> list[Entry]:
        """The entries before a step."""
        return self.entries[: bisect_left(self.entries, step, key=attrgetter("step"))]
