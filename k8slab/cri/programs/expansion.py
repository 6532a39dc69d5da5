"""What a shell's words mean: variables, quotes, `$(...)` and `$((...))`.

Each word is cut into parts, every part expanded, and unquoted results split at white space, so that one word may become
none or several.

Models: POSIX.1-2017, Shell Command Language, 2.6 Word Expansions (no patterns but `*` in the last path component).
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Generator, Iterable

_DOLLAR = r"""\$\(\((?P<sum>.*?)\)\) | \$\((?P<run>(?:[^()]|\([^()]*\))*)\) | `(?P<ticks>[^`]*)`
    | \$\{(?P<braced>[^}]*)\} | \$(?P<name>[A-Za-z_][A-Za-z0-9_]*|[?$#@*!0-9]) | \\(?P<escaped>.)"""
_PART = re.compile(
    rf"""'(?P<single>[^']*)' | "(?P<double>(?:\\.|[^"\\])*)" | {_DOLLAR} | (?P<plain>[^'"\\$`]+|\$)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PART = re.compile(rf"{_DOLLAR} | (?P<plain>[^\\$`]+|\$)", re.VERBOSE | re.DOTALL)
"""Between double quotes, where a single quote is a letter."""
_BRACED = re.compile(r"(\#?)([A-Za-z_][A-Za-z0-9_]*|[?$#@*!0-9])(?:(:?[-+=?])(.*))?", re.DOTALL)

Lookup = Callable[[str], str]
"""A variable's value; empty if it has none."""
Run = Callable[[str], Generator[float, None, str]]
"""A command's output."""


def expand(words: Iterable[str], lookup: Lookup, run: Run) -> Generator[float, None, list[str]]:
    """The fields that words become."""
    fields: list[str] = []
    for word in words:
        fields += yield from _expand_word(word, lookup, run)
    return fields


def expand_one(word: str, lookup: Lookup, run: Run) -> Generator[float, None, str]:
    """One word that stays one, as in an assignment."""
    parts = yield from _parts(word, lookup, run)
    return "".join(text for text, _ in parts)


def _expand_word(word: str, lookup: Lookup, run: Run) -> Generator[float, None, list[str]]:
    parts = yield from _parts(word, lookup, run)
    fields: list[str] = []
    current: str | None = None  # None: no field begun
    for text, whole in parts:
        if whole:
            current = (current or "") + text
            continue
        pieces = text.split()
        if not pieces or text[0].isspace():
            fields, current = ([*fields, current], None) if current is not None and text else (fields, current)
        for index, piece in enumerate(pieces):
            current = piece if index or current is None else current + piece
            if index < len(pieces) - 1 or text[-1].isspace():
                fields.append(current)
                current = None
    return fields if current is None else [*fields, current]


def _parts(
    word: str, lookup: Lookup, run: Run, *, quoted: bool = False
) -> Generator[float, None, list[tuple[str, bool]]]:
    """(text, must stay whole) of each part."""
    parts: list[tuple[str, bool]] = []
    for match in (_QUOTED_PART if quoted else _PART).finditer(word):
        text = match[match.lastgroup or 0]
        match match.lastgroup:
            case "single":
                parts.append((text, True))
            case "double":
                inner = yield from _parts(text, lookup, run, quoted=True)
                parts.append(("".join(piece for piece, _ in inner), True))
            case "escaped":
                keeps = quoted and text not in '$`"\\\n'
                parts.append(("\\" + text if keeps else text.replace("\n", ""), True))
            case "sum":
                expression = yield from expand_one(text, lookup, run)
                parts.append((str(arithmetic(expression, lookup)), quoted))
            case "run" | "ticks":
                output = yield from run(text)
                parts.append((output.rstrip("\n"), quoted))
            case "braced":
                value = yield from _braced(text, lookup, run)
                parts.append((value, quoted))
            case "name":
                parts.append((lookup(text), quoted))
            case _:
                parts.append((text, True))
    return parts


def _braced(text: str, lookup: Lookup, run: Run) -> Generator[float, None, str]:
    match = _BRACED.fullmatch(text)
    if match is None:
        return ""
    length, name, how, word = match.groups()
    value = lookup(name)
    if length:
        return str(len(value))
    if how and how[-1] in "-=" and not value:
        return (yield from expand_one(word, lookup, run))
    if how and how[-1] == "+" and value:
        return (yield from expand_one(word, lookup, run))
    return value


_OPERATORS: dict[type, Callable[[int, int], int | bool]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: int(a / b),
    ast.Mod: lambda a, b: a - b * int(a / b),
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def arithmetic(text: str, lookup: Lookup) -> int:
    """A sum in whole numbers, such as `i + 1`. ValueError if it is none."""

    def value(node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.Name(id=name):
                return int(lookup(name) or 0)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return int(_OPERATORS[type(op)](value(left), value(right)))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return int(_OPERATORS[type(op)](value(left), value(right)))
        raise ValueError("arithmetic syntax error")

    try:
        return value(ast.parse(text.strip() or "0", mode="eval").body)
    except ZeroDivisionError:
        raise ValueError("divide by zero") from None
    except (SyntaxError, RecursionError):
        raise ValueError("arithmetic syntax error") from None
