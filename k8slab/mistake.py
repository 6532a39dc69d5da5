"""What a learner asked for makes no sense: said in a sentence.

A notebook shows the sentence and no traceback: what is wrong is in the cell, not in the code below it.
"""

from __future__ import annotations


class Mistake(ValueError):
    """The text says what was asked for, what was found, and what to try."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
