"""The engine's own source, in a notebook: what runs is what you read.

`show(some_function)` displays the live source with its file, so that a chapter can never quote code that has changed. The
line is known too (`first_line`), but not shown: it moves whenever somebody writes a line above.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import k8slab

ROOT = Path(k8slab.__file__).parent


class Source:
    """A piece of source: plain text everywhere; in a notebook with a heading, and in colours.

    Not as HTML: a notebook would prefer that, and colours only what is Markdown.
    """

    def __init__(self, path: str, first_line: int, text: str) -> None:
        self.path, self.first_line, self.text = path, first_line, text

    def __repr__(self) -> str:
        return f"# {self.path}\n{self.text}"

    def _repr_markdown_(self) -> str:
        return f"`{self.path}`\n\n```python\n{self.text}\n```"


def show(what: Any) -> Source:
    """The source of a function, a method, a class or a module. Raises TypeError for anything else."""
    if isinstance(what, property):
        what = what.fget
    try:
        lines, first = inspect.getsourcelines(what)
        file = inspect.getsourcefile(what)
    except (TypeError, OSError):
        raise TypeError(f"{what!r} has no Python source: show a function, a method, a class or a module") from None
    path = Path(file or "")
    shown = f"k8slab/{path.relative_to(ROOT).as_posix()}" if path.is_relative_to(ROOT) else path.name
    text = inspect.cleandoc("\n" + "".join(lines)) if not isinstance(what, ModuleType) else "".join(lines).rstrip()
    return Source(shown, max(first, 1), text)
