"""What came from outside, and at which step: all that is needed to live a cluster's life again.

A *step* is one unit of work of one component, or one input. Components need no entry: what they do follows from the seed.
Each entry notes the revision and a digest of the log at its place, so that a replay that goes another way is noticed there,
and not later by its consequences.

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One input, and where it came."""

    step: int
    """How many steps there were before it."""
    at_rest: bool
    """Whether all components had been asked, and none had work."""
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
        return self.entries[: self._place(step)]

    def at(self, step: int) -> Entry | None:
        """The entry at a step; None if a component works there."""
        place = self._place(step)
        return self.entries[place] if place < len(self.entries) and self.entries[place].step == step else None

    def up_to(self, step: int) -> Journal:
        """A journal of its own, of what came before a step."""
        return Journal(self.before(step))

    def _place(self, step: int) -> int:
        return bisect_left(self.entries, step, key=attrgetter("step"))
