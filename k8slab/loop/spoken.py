"""A kubectl command as it is told: in the journal, the trace, and whatever is drawn from them.

What somebody types may hold a secret; the story of a cluster need not. The real command is not touched.

k8slab's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

HIDDEN = "(hidden)"
FLAGS = ("--token", "--password", "--docker-password")
"""Whose values are secrets, whatever the command."""
LITERAL = "--from-literal"
"""`--from-literal=key=value`: a secret where one is created."""


def spoken(args: Sequence[str]) -> str:
    """The command in one line."""
    return f"kubectl {' '.join(_words(args))}"


def _words(args: Sequence[str]) -> Iterator[str]:
    creates_secret = {"create", "secret"} <= set(args)
    flag = ""
    for word in args:
        name, equals, value = (flag, " ", word) if flag else word.partition("=")
        is_value, flag = bool(flag), ""
        if creates_secret and name == LITERAL and equals:
            shown = f"{value.partition('=')[0]}={HIDDEN}"
        elif name in FLAGS and equals:
            shown = HIDDEN
        else:
            flag = word if word in (*FLAGS, LITERAL) else ""
            yield shlex.quote(word)
            continue
        yield shown if is_value else f"{name}={shown}"
