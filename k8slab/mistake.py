"""What a learner asked for makes no sense: said in a sentence.

A notebook shows the sentence and no traceback: what is wrong is in the cell, not in the code below it.
"""

from __future__ import annotations

from collections.abc import Iterable


class Mistake(ValueError):
    """The text says what was asked for, what was found, and what to try."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check_choice(what: str, asked: Iterable[str], choices: Iterable[str]) -> None:
    """Raises Mistake, which names the choices, for one that there is not."""
    for each in asked:
        if each not in choices:
            raise Mistake(f"unknown {what} {each!r}; there are: {', '.join(sorted(choices))}")
