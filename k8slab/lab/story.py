"""Going back and forth in a cluster's life.

A story is a journal with its end. Going to a step is living the journal again up to there, in a new engine (`engine/replay.py`);
the old one is let go. The way forward stays known until something else is done: then the story goes on from there, and what
was after is forgotten. A fork is a second cluster with the same past and its own future.

Where a step has been before, its state is known by its fingerprint, and a return to it is checked.

k8slab's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.clock import EPOCH
from k8slab.engine.engine import Engine
from k8slab.engine.fingerprint import fingerprint
from k8slab.engine.inputs import Asked, Ended
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import Entry, Journal
from k8slab.engine.replay import replay
from k8slab.engine.spec import Spec
from k8slab.lab.drawing import Table
from k8slab.mistake import Mistake


class StoryError(RuntimeError):
    """Going back is not possible, or has not led to the same state. Shown as its sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Story:
    """A cluster's life up to a step."""

    journal: Journal
    first: int
    """The step at which the new cluster had come to rest: nobody goes back before it."""
    last: int
    fingerprint: str
    """Of the state at the last step."""

    @classmethod
    def of(cls, engine: Engine, first: int) -> Story:
        """The life of an engine so far. Raises StoryError where it cannot be lived again."""
        journal = repeatable(engine)
        return cls(Journal(list(journal.entries)), first, engine.steps, fingerprint(engine))

    def place_of(self, engine: Engine) -> int | None:
        """The step of this story at which an engine is; None if its life went another way. To have looked is no other way."""
        lived = list(repeatable(engine).entries)
        step = engine.steps
        while lived and lived != self.journal.entries[: len(lived)] and _only_looked(lived[-1], engine):
            lived.pop()
            step -= 1
        known = self.journal.entries
        following = known[len(lived)].step if len(lived) < len(known) else self.last
        return step if known[: len(lived)] == lived and step <= following else None

    def live(self, spec: Spec, step: int, instrument: Instrument | None = None) -> Engine:
        """A new engine at a step of the story. Raises StoryError, Diverged, and ValueError for a step that there is not."""
        if not self.first <= step <= self.last:
            raise Mistake(f"there is no step {step}; this story has steps {self.first} to {self.last}")
        engine = replay(spec, self.journal, step, instrument)
        if step == self.last and fingerprint(engine) != self.fingerprint:
            engine.close()
            raise StoryError(
                f"the state at step {step} is not what it was, though the log is: something reached a component by another way "
                "than its inputs (a controller of your own that keeps state outside of itself?)"
            )
        return engine

    def inputs(self) -> Table:
        """What came from outside, and at which step: where to go back to. A command's inputs are one row."""
        rows, before = [], None
        for entry in self.journal.entries:
            if entry.command.said and entry.command == before:
                continue
            before = entry.command
            said = entry.command.said or str(entry.input)
            rows.append((str(entry.step), f"+{entry.time - EPOCH:.1f}s", str(entry.revision), said))
        return Table(("STEP", "TIME", "REVISION", "INPUT"), tuple(rows))


def _only_looked(entry: Entry, engine: Engine) -> bool:
    """Whether an input only showed something to somebody, and nothing has happened since."""
    looked = isinstance(entry.input, Ended) or (isinstance(entry.input, Asked) and entry.input.only_looks)
    return looked and (entry.time, entry.revision) == (engine.clock.now(), engine.store.revision)


def repeatable(engine: Engine) -> Journal:
    """The journal of an engine. Raises StoryError, which says why it has none."""
    if engine.journal is not None:
        return engine.journal
    if engine.spec.mode == "live":
        why = "a live cluster goes by the machine's clock, which nobody can turn back"
    elif engine.machines.kind != "simulated":
        why = "real containers cannot be run backwards"
    else:
        why = "its store had a history before this cluster"
    raise StoryError(
        f"this cluster cannot go back: {why}. Its past can be looked at, with cluster.at(...); a stepped one with simulated "
        "containers, Cluster(), goes back and forth"
    )
