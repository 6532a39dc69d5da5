"""JSONPath, as Kubernetes writes it: `.status.conditions[?(@.type=="Ready")].status`.

Printer columns of custom resources are such paths. It is kubectl's dialect, without its braces: fields (a dot in a name is
escaped, `\\.`), elements and slices of lists, `*`, `..` for every depth, and filters on the elements of a list.
A path finds any number of values; where something is missing it finds none.

Models: k8s.io/client-go/util/jsonpath (parser.go, jsonpath.go).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

Step = Callable[[Any], Iterator[Any]]
"""From a value to what it leads to."""

_TOKEN = re.compile(
    r"""
    \.\.(?P<deep>(?:\\.|[^.\[\\])+)             # ..name
  | \.?\*                                       # .*
  | \.(?P<name>(?:\\.|[^.\[\\])+)               # .name
  | \[\s*(?P<quoted>'[^']*'|"[^"]*")\s*\]       # ['name']
  | \[\s*(?P<all>\*)\s*\]                       # [*]
  | \[\s*(?P<index>-?\d+)\s*\]                  # [0]
  | \[\s*(?P<slice>-?\d*:-?\d*(?::-?\d+)?)\s*\] # [0:2]
  | \[\?\((?P<filter>[^\]]+)\)\]                # [?(@.type=="Ready")]
    """,
    re.VERBOSE,
)
_FILTER = re.compile(r"^\s*@(?P<left>[^\s=<>!]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.+?))?\s*$")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip


@lru_cache(maxsize=1024)
def parse_jsonpath(path: str) -> Callable[[Any], list[Any]]:
    """The function that finds a path's values. Raises ValueError for what is no path."""
    steps: list[Step] = []
    place = 0
    text = path.removeprefix("$").removeprefix("@")
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if place == 0 and text == ".":
                break
            raise ValueError(f"unrecognized character in path at {text[place:]!r}")
        steps.append(_step(match))
        place = match.end()

    def find(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [each for value in found for each in step(value)]
        return found

    return find


def text_of(value: Any) -> str:
    """A value as kubectl prints it: text as it is, objects and lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def _step(match: re.Match[str]) -> Step:
    if (name := match["name"]) is not None:
        return _field(_unescaped(name))
    if (quoted := match["quoted"]) is not None:
        return _path("." + quoted[1:-1])  # a dot in it leads deeper too, unless it is escaped
    if (deep := match["deep"]) is not None:
        return _everywhere(_field(_unescaped(deep)))
    if (index := match["index"]) is not None:
        return _element(int(index))
    if (span := match["slice"]) is not None:
        return _slice(slice(*(int(part) if part else None for part in span.split(":"))))
    if (condition := match["filter"]) is not None:
        return _filter(condition)
    return _children


def _path(text: str) -> Step:
    find = parse_jsonpath(text)
    return lambda value: iter(find(value))


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _element(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(span: slice) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[span]

    return step


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _everywhere(step: Step) -> Step:
    def deep(value: Any) -> Iterator[Any]:
        yield from step(value)
        for child in _children(value):
            yield from deep(child)

    return deep


def _filter(condition: str) -> Step:
    match = _FILTER.match(condition)
    if match is None:
        raise ValueError(f"invalid filter {condition!r}")
    left, compare = parse_jsonpath(match["left"]), _OPERATORS.get(match["op"] or "")
    wanted = _literal(match["right"]) if match["right"] is not None else None

    def step(value: Any) -> Iterator[Any]:
        for each in value if isinstance(value, list) else ():
            found = left(each)
            if found and (compare is None or _holds(compare, found[0], wanted)):
                yield each

    return step


def _holds(compare: Callable[[Any, Any], bool], found: Any, wanted: Any) -> bool:
    try:
        return compare(found, wanted)
    except TypeError:
        return False


def _literal(text: str) -> Any:
    if text[:1] in "'\"" and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError(f"unrecognized literal {text!r}") from None
