"""What a fault can be asked with: the arguments, what each can be in a cluster, and how it is read.

People write durations, sizes and shares as they like (`60s`, `1Gi`, 0.5); a fault has them in one form, so that the same fault
is the same input.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8slab.apimachinery.quantity import value as whole_units
from k8slab.client.line import ERRORS
from k8slab.clock import NEVER, parse_duration
from k8slab.engine.candidates import PART
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine

MOST_AHEAD = 10 * 365 * 86_400.0
RATES = 0.1, 10.0
MOMENTS = ("now", "write")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a fault."""

    name: str
    default: Any = None
    """None: it has to be given."""
    choices: Callable[[Engine], Iterable[str]] | None = None
    """What it can be in a cluster; None: anything."""
    read: Callable[[Any], Any] = str
    """Brings what was given into form. Raises ValueError."""


# What can be named.


def components(engine: Engine) -> Iterable[str]:
    """Whatever runs as a process of its own."""
    return (name for name in engine.processes.components if PART not in name)


def clients(engine: Engine) -> Iterable[str]:
    """Whatever has a line to the API server."""
    return engine.processes.lines


def nodes(engine: Engine) -> Iterable[str]:
    """The machines."""
    return engine.spec.nodes


# How they are read. Each raises ValueError for what makes no sense.


def _duration(value: Any) -> float:
    if not isinstance(value, (int, float, str)):
        raise Mistake("write for example '60s', '1m30s' or a number of seconds")
    return parse_duration(value)


def seconds(value: Any) -> float:
    """A duration: a number of seconds, or `1m30s`."""
    found = _duration(value)
    if not 0 <= found < NEVER:
        raise Mistake("a duration is 0 or more")
    return found


def share(value: Any) -> float:
    """A part of the whole: 0 to 1."""
    with suppress(TypeError, ValueError):
        if 0 <= (part := float(value)) <= 1:
            return part
    raise Mistake("a share is a number from 0 to 1")


def ahead(value: Any) -> float:
    """How far a clock is ahead: a duration, also a negative one."""
    behind = isinstance(value, str) and value.strip().startswith("-")
    found = -_duration(value.strip()[1:]) if behind else _duration(value)
    if not abs(found) <= MOST_AHEAD:
        raise Mistake("a clock is wrong by ten years at most")
    return found


def rate(value: Any) -> float:
    """How fast a clock runs."""
    with suppress(TypeError, ValueError):
        if RATES[0] <= (times := float(value)) <= RATES[1]:
            return times
    raise Mistake(f"a clock runs {RATES[0]:g} to {RATES[1]:g} times as fast as a right one")


def moment(value: Any) -> str:
    """When it is to happen."""
    if value in MOMENTS:
        return str(value)
    raise Mistake(f"there are: {', '.join(MOMENTS)}")


def code(value: Any) -> int:
    """The code of an answer that says no."""
    with suppress(TypeError, ValueError):
        if int(value) in ERRORS:
            return int(value)
    raise Mistake(f"there are: {', '.join(map(str, ERRORS))}")


def size(value: Any) -> int:
    """A number of bytes, or `1Gi`."""
    with suppress(TypeError, ValueError):
        if (found := whole_units(value)) >= 0:
            return found
    raise Mistake("a size is a number of bytes, or written as '500Mi' or '1Gi'")
