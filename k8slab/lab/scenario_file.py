"""Reading a scenario file so that a mistake in it is a sentence with a line number.

YAML is read twice: once for its values, once for where each of them stands. What pydantic finds wrong with the values is then
told with the line, the place, and what can stand there. All mistakes of a file are told together.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

Location = Sequence[int | str]


class ScenarioError(ValueError):
    """A scenario cannot be read, or cannot be played on this cluster. Shown as its sentences."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Misplaced(ValueError):
    """A mistake that is seen from outside of the place where it is."""

    def __init__(self, where: Location, sentence: str) -> None:
        super().__init__(sentence)
        self.where = tuple(where)


def read(text: str, source: str) -> tuple[Any, yaml.Node]:
    """The values of a YAML document, and where they stand. Raises ScenarioError where it is none, or has a key twice."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{source}, line {line}: this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"{source}: this is not YAML: {error}") from None
    if not isinstance(values, dict):
        what = "nothing in it" if values is None else f"a {type(values).__name__}"
        raise ScenarioError(f"{source}: a scenario is a mapping, with 'steps:'; this has {what}")
    assert node is not None
    if repeated := _repeated(node):
        raise ScenarioError("\n".join(f"{source}, line {line}: {key!r} is given twice" for line, key in repeated))
    return values, node


def explain(
    error: ValidationError, node: yaml.Node | None, source: str, fields_at: Callable[[Location], Sequence[str]]
) -> str:
    """What is wrong, one line for each mistake. `fields_at` names the fields that can stand at a place."""
    lines = []
    for each in error.errors(include_url=False):
        cause = each.get("ctx", {}).get("error")
        where = (*each["loc"], *(cause.where if isinstance(cause, Misplaced) else ()))
        line = f", line {_line(node, where)}" if node is not None else ""
        place = path(where)
        lines.append(f"{source}{line}: {place + ': ' if place else ''}{_sentence(each, fields_at)}")
    return "\n".join(lines)


def path(where: Location) -> str:
    """A place as people write it: `steps[1].with`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")


def _sentence(error: Any, fields_at: Callable[[Location], Sequence[str]]) -> str:
    where = error["loc"]
    if error["type"] == "missing":
        return f"{where[-1]!r} has to be given"
    if error["type"] == "extra_forbidden":
        return f"there is no {where[-1]!r} here; there are: {', '.join(fields_at(where[:-1]))}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    wrong: str = error["msg"]
    return f"{wrong[0].lower()}{wrong[1:]}, and this is {error['input']!r}"


def _line(node: yaml.Node, where: Location) -> int:
    """The line of the innermost node that stands on the way to a place."""
    line: int = node.start_mark.line
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _repeated(node: yaml.Node) -> list[tuple[int, str]]:
    """(line, key) of each key that a mapping has twice."""
    if isinstance(node, yaml.SequenceNode):
        return [found for each in node.value for found in _repeated(each)]
    if not isinstance(node, yaml.MappingNode):
        return []
    found, seen = [], set()
    for key, value in node.value:
        if key.value in seen:
            found.append((key.start_mark.line + 1, str(key.value)))
        seen.add(key.value if isinstance(key.value, str) else id(key))
        found += _repeated(value)
    return found


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def write(values: Any) -> str:
    """Values as YAML, in the order in which they are given."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text
