"""How the small commands read their arguments.

k8slab's own.
"""

from __future__ import annotations

import posixpath

from k8slab.cri.process import Call


def absolute(call: Call, path: str) -> str:
    """A path from the root."""
    joined = posixpath.normpath(posixpath.join(call.cwd, path))
    return "/" + joined.lstrip("/")


def plain_words(call: Call) -> list[str]:
    """The arguments that are no options."""
    return [word for word in call.argv[1:] if not (word.startswith("-") and len(word) > 1)]


def option_letters(call: Call) -> str:
    """The letters of the short options."""
    return "".join(word[1:] for word in call.argv[1:] if word.startswith("-") and not word.startswith("--"))


def option(argv: tuple[str, ...], name: str, default: str) -> str:
    """The value of `--name=value` or `--name value`."""
    for index, word in enumerate(argv):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}" and index + 1 < len(argv):
            return argv[index + 1]
    return default
