"""A cluster's life, lived again up to a step.

A new engine of the same spec is given the same inputs at the same steps. What lies between them is the components' own doing,
and comes out the same. At each input the log must be what it was: if it is not, something reached the first engine by another
way than its inputs, and the replay says so instead of showing a past that never was.

k8slab's own.
"""

from __future__ import annotations

from k8slab.clock import to_rfc3339
from k8slab.engine.engine import Engine
from k8slab.engine.inputs import Fault, Input, Passed
from k8slab.engine.instrument import Instrument
from k8slab.engine.journal import NOBODY, Entry, Journal
from k8slab.engine.spec import Spec
from k8slab.loop.garbage import rare_collections


class Diverged(RuntimeError):
    """A replay went another way than the first time."""

    def __init__(self, entry: Entry, engine: Engine) -> None:
        super().__init__(
            f"the replay went another way before step {entry.step} ({entry.input}, {to_rfc3339(entry.time)}): the log was at "
            f"revision {entry.revision} then, and is at {engine.store.revision} now. Something changed the cluster by another "
            "way than kubectl, cluster.client, and the cluster's own methods; or its controllers are not the same any more"
        )


@rare_collections()
def replay(spec: Spec, journal: Journal, step: int, instrument: Instrument | None = None) -> Engine:
    """A new engine, after `step` steps of a journal. Raises Diverged."""
    engine, command = Engine(spec, instrument), None
    try:
        for entry in journal.before(step):
            _live_on(engine, entry)
            if entry.command != command:
                command = entry.command
                engine.say(command)
            _take(engine, entry.input)
        engine.say(NOBODY)
        engine.live_on(step)
    except BaseException:
        engine.close()
        raise
    return engine


def _take(engine: Engine, given: Input) -> None:
    if isinstance(given, Passed):
        given.apply(engine)  # the engine's clock notes it by itself
        return
    try:
        engine.take(given)
    except ValueError:
        if not isinstance(given, Fault):  # one that could not begin then cannot now
            raise


def _live_on(engine: Engine, entry: Entry) -> None:
    engine.live_on(entry.step)
    if (engine.steps, engine.store.revision, engine.log_digest()) != (entry.step, entry.revision, entry.digest):
        raise Diverged(entry, engine)
