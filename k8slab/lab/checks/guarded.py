"""A learner's code between the parts of a cluster.

It is called in the middle of a component's turn, where an exception would be logged and tried again. So what goes wrong with it
is noted, and the cluster goes on. The judge tells the first of it before anything else that it sees: that may have come of it.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from k8slab.lab.checks import PATIENCE_ONCE, Fault, TimeIsUp, patient, raised
from k8slab.lab.cluster import Cluster


class Enough(BaseException):
    """Says that a learner's code has had its turn; no `except Exception` of theirs holds it up."""


class Guarded:
    """Calls a learner's code; `problem` is the first thing that went wrong."""

    def __init__(self) -> None:
        self.problem = ""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the code returns; None where it raises, or has gone wrong before."""
        if self.problem:
            return None
        try:
            with patient(PATIENCE_ONCE):
                return function(*arguments)
        except (KeyboardInterrupt, TimeIsUp):
            raise
        except Enough as enough:
            self.note(str(enough))
        except BaseException as error:
            self.note(raised(error))
        return None

    def note(self, problem: str) -> None:
        """Something went wrong."""
        self.problem = self.problem or problem

    def check(self) -> None:
        """Raises Fault if something went wrong."""
        if self.problem:
            raise Fault(self.problem)


@contextmanager
def practising(cluster: Cluster, guarded: Guarded) -> Iterator[Cluster]:
    """A cluster in which a learner tries their code. What goes wrong with it is printed at the end."""
    with cluster:
        yield cluster
    if guarded.problem:
        print(guarded.problem)


@contextmanager
def told_first(faults: Sequence[str]) -> Iterator[None]:
    """Within it a judge looks. Whatever it sees, the first of the faults of the code itself is raised instead, if any."""
    seen: Fault | None = None
    try:
        yield
    except Fault as fault:
        seen = fault
    if faults:
        raise Fault(faults[0])
    if seen is not None:
        raise seen
