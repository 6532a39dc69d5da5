"""The judges of the exercises: ordinary Python, one module for each exercise.

A check is a list of criteria. Each has points and a judge: a function that looks at the learner's answer, and raises `Fault`
with a sentence if it is not right. A criterion that needs another one is skipped where that one failed. Whatever a learner
hands in, even code that raises or never ends, the result is a sentence and points, never a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_ulong, py_object, pythonapi
from dataclasses import dataclass, field
from html import escape
from threading import Event, Lock, Timer, get_ident
from typing import Any

PASSED, FAILED, SKIPPED = "passed", "not yet", "skipped"
PATIENCE = 90.0
"""Seconds that one criterion may take. A right answer needs a few of them."""
PATIENCE_ONCE = 20.0
"""Seconds that one call of a learner's function may take, where something is tried."""
LEFT = "style='text-align:left'"
LONGEST = 300
"""Characters of a value that messages show."""


class Fault(Exception):
    """An answer is not right. The text says what was expected, what was seen, and when."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: what is wrong is in the learner's cell, not in the code below it."""
        return [str(self)]


class Endless(Fault):
    """A learner's code does not come back."""


class TimeIsUp(BaseException):
    """Ends a learner's code; no `except Exception` of theirs holds it up."""


class Aloud(list[str]):
    """What is wrong with a learner's code, each thing printed once, as it happens: for cells in which something is tried."""

    def append(self, fault: str) -> None:
        """Say it, if it was not said before."""
        if fault not in self:
            print(fault)
            super().append(fault)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that an answer has to do."""

    name: str
    points: int
    judge: Callable[[Any], None]
    """Raises Fault."""
    needs: str = ""
    """The criterion without which this one makes no sense."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one criterion."""

    name: str
    points: int
    of: int
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Result:
    """What came of a check. In a notebook it shows as a table; `points` is what counts."""

    verdicts: Sequence[Verdict] = field(default_factory=list)

    @property
    def points(self) -> int:
        """The sum of what was reached."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def of(self) -> int:
        """The sum of what can be reached."""
        return sum(verdict.of for verdict in self.verdicts)

    def __str__(self) -> str:
        lines = []
        for verdict in self.verdicts:
            lines.append(f"[{verdict.points}/{verdict.of}] {verdict.name}: {verdict.outcome}")
            if verdict.message:
                lines.append(f"      {verdict.message}")
        return "\n".join([*lines, f"{self.points} of {self.of} points"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td {LEFT}>{escape(each.name)}</td><td {LEFT}>{each.outcome}</td><td {LEFT}>{each.points}/{each.of}</td>"
            f"<td {LEFT}>{escape(each.message)}</td></tr>"
            for each in self.verdicts
        )
        head = "".join(f"<th {LEFT}>{name}</th>" for name in ("Criterion", "Result", "Points", "What was seen"))
        return f"<table><tr>{head}</tr>{rows}</table><p>{self.points} of {self.of} points</p>"


class Check:
    """A list of criteria, and hints."""

    def __init__(self, criteria: Sequence[Criterion], hints: Sequence[str] = ()) -> None:
        self.criteria, self.hints = criteria, hints

    def __call__(self, answer: Any) -> Result:
        """Judge an answer."""
        verdicts: list[Verdict] = []
        passed: set[str] = set()
        endless = ""
        for each in self.criteria:
            first = endless or (each.needs if each.needs not in passed else "")
            if first:
                verdicts.append(Verdict(each.name, 0, each.points, SKIPPED, f"first: {first}"))
                continue
            try:
                fault = _judged(each, answer)
            except Endless as error:
                fault, endless = str(error), each.name
            if fault is None:
                passed.add(each.name)
                verdicts.append(Verdict(each.name, each.points, each.points, PASSED))
            else:
                verdicts.append(Verdict(each.name, 0, each.points, FAILED, _printable(fault)))
        return Result(verdicts)

    def hint(self, number: int = 1) -> str:
        """The first hint is small, the last one nearly the answer. Raises ValueError for a number that there is not."""
        if not 1 <= number <= len(self.hints):
            raise ValueError(f"there are hints 1 to {len(self.hints)}")
        return self.hints[number - 1]


def shown(value: Any) -> str:
    """An answer that is not what it should be, as messages have it."""
    if value is None or value is ...:
        return "still empty"
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return f"{type(value).__name__}: {text if len(text) <= LONGEST else text[:LONGEST] + '...'}"


@contextmanager
def patient(seconds: float | None = None) -> Iterator[None]:
    """Raises Endless if what is done inside takes longer.

    Not as Ctrl+C would: a cluster that moves puts interrupts off until its step is done, and this step may never be.
    """
    seconds = PATIENCE if seconds is None else seconds
    over, one_at_a_time, here = Event(), Lock(), c_ulong(get_ident())

    def end() -> None:
        with one_at_a_time:
            if not over.is_set():
                pythonapi.PyThreadState_SetAsyncExc(here, py_object(TimeIsUp))

    timer = Timer(seconds, end)
    timer.daemon = True
    try:
        try:
            timer.start()
            yield
        finally:
            # From here on nobody is ended; who was, a moment ago, hears of it in these lines.
            with one_at_a_time:
                over.set()
            timer.cancel()
    except TimeIsUp:
        raise Endless(f"after {seconds:g} s your code had not come back: does a loop in it never end?") from None


def limited(function: Any) -> Any:
    """A learner's function for cells in which something is tried: ended if it takes too long, and not called again then."""
    ended: list[Endless] = []

    def call(*arguments: Any) -> Any:
        if ended:
            raise ended[0]
        try:
            with patient(PATIENCE_ONCE):
                return function(*arguments)
        except Endless as endless:
            ended.append(endless)
            raise

    return call if callable(function) else function


def _judged(criterion: Criterion, answer: Any) -> str | None:
    """What is wrong; None if nothing is. Raises Endless."""
    try:
        with patient():
            criterion.judge(answer)
    except (KeyboardInterrupt, Endless):
        raise
    except Fault as fault:
        return str(fault) or "this is not right yet"
    except BaseException as error:  # whatever a learner's code raises, SystemExit and the like included
        return raised(error)
    return None


def check_callable(name: str, given: Any, kind: str = "function") -> None:
    """Raises Fault if what was handed in as `name` cannot be called."""
    if not callable(given):
        raise Fault(f"`{name}` should be a {kind}, but it is {shown(given)}")


def raised(error: BaseException) -> str:
    """What to say of a learner's code that raises. A Fault speaks for itself."""
    if isinstance(error, Fault):
        return str(error)
    return f"your code raised {type(error).__name__}{_said(error)}"


def _printable(text: str) -> str:
    """A text that every notebook can store: halves of characters, which an answer may hold, become question marks."""
    return text.encode(errors="replace").decode()


def _said(error: BaseException) -> str:
    """What an error says, if it says anything, and if it can."""
    try:
        text = str(error)
    except Exception:
        return ""
    return f": {text}" if text else ""
