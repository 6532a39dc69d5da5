"""The grammar of a small shell: text in, a tree out.

    list     = and_or { (';' | '&' | newline) and_or }
    and_or   = pipeline { ('&&' | '||') pipeline }
    pipeline = ['!'] command { '|' command }
    command  = if | while | until | for | '{' list '}' | '(' list ')' | simple
    simple   = { NAME=word } { word | redirection }

Words stay as they are written, quotes and all: what they mean depends on the variables at the moment they are used.

Models: POSIX.1-2017, Shell Command Language, the part that tutorials use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class ShellSyntaxError(ValueError):
    """`str()` reads as a shell's own message. `unfinished`: more lines could mend it."""

    @property
    def unfinished(self) -> bool:
        """Whether the text only ends too early."""
        return "end of file" in str(self) or "unterminated" in str(self)


@dataclass(frozen=True, slots=True)
class Simple:
    """Variables, a command with its arguments, and where its files go."""

    assignments: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    redirections: tuple[tuple[str, str], ...]
    """(operator, word); `2>&1` has the word `1`."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that read each other's output."""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first && then || else`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; True beside those that run in the background."""

    items: tuple[tuple[Node, bool], ...]


@dataclass(frozen=True, slots=True)
class If:
    """(condition, body) pairs; the `else` has no condition."""

    branches: tuple[tuple[Node | None, Node], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`while`, or `until`."""

    condition: Node
    body: Node
    until: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """One turn for each word."""

    name: str
    words: tuple[str, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Group:
    """`{ list; }`, or `( list )` with variables of its own."""

    body: Node
    subshell: bool


Node = Simple | Pipeline | AndOr | Sequence | If | Loop | For | Group

_TOKEN = re.compile(
    r"""[ \t]+ | \\\n | \#[^\n]*
    | (?P<operator> 2>&1 | 1?>&2 | &>>? | 2>>? | 1?>>? | < | && | \|\| | ;; | [;&|()\n] )
    | (?P<word> (?: \\. | '[^']*' | "(?:\\.|[^"\\])*" | \$\(\( .*? \)\) | \$\( (?:[^()]|\([^()]*\))* \)
        | \$\{[^}]*\} | `[^`]*` | [^\s;&|()<>'"\\`] )+ )""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_RESERVED = ("then", "elif", "else", "fi", "do", "done", "}")
_REDIRECTIONS = (">", ">>", "<", "1>", "1>>", "2>", "2>>", "&>", "&>>")
_DUPLICATIONS = {"2>&1": ("2>&", "1"), ">&2": (">&", "2"), "1>&2": (">&", "2")}
_END = "end of file"


def _tokens(text: str) -> list[tuple[str, bool]]:
    """(text, is a word) of each token."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            quote = text[position] if text[position] in "'\"`" else ""
            raise ShellSyntaxError(
                "syntax error: unterminated quoted string" if quote else "syntax error: bad substitution"
            )
        position = match.end()
        if operator := match["operator"]:
            tokens.append((operator, False))
        elif word := match["word"]:
            tokens.append((word, True))
    return tokens


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else _END

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if token == _END or (expected and token != expected):
            shown = "newline" if token == "\n" else token
            want = f' (expecting "{expected}")' if expected else ""
            raise ShellSyntaxError(
                f'syntax error: unexpected "{shown}"{want}'
                if token != _END
                else f"syntax error: unexpected {_END}{want}"
            )
        self._at += 1
        return token

    def _at_word(self) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][1]

    def list(self) -> Sequence:
        items: list[tuple[Node, bool]] = []
        while True:
            while self.peek() in (";", "\n"):
                if self.peek() == ";" and not items:
                    self.take("word")
                self.take()
            if self.peek() in (_END, ")", *_RESERVED):
                return Sequence(tuple(items))
            node = self.and_or()
            background = self.peek() == "&"
            if background:
                self.take()
            elif self.peek() not in (";", "\n", _END, ")", *_RESERVED):
                self.take(";")
            items.append((node, background))

    def and_or(self) -> Node:
        first, rest = self.pipeline(), []
        while self.peek() in ("&&", "||"):
            operator = self.take()
            self._newlines()
            rest.append((operator, self.pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def pipeline(self) -> Node:
        negated = self.peek() == "!"
        if negated:
            self.take()
        commands = [self.command()]
        while self.peek() == "|":
            self.take()
            self._newlines()
            commands.append(self.command())
        return Pipeline(tuple(commands), negated) if negated or len(commands) > 1 else commands[0]

    def _newlines(self) -> None:
        while self.peek() == "\n":
            self.take()

    def command(self) -> Node:
        match self.peek():
            case "if":
                return self._if()
            case "while" | "until" as word:
                self.take()
                condition = self.list()
                return Loop(condition, self._do(), until=word == "until")
            case "for":
                return self._for()
            case "{" | "(" as opening:
                self.take()
                body = self.list()
                self.take("}" if opening == "{" else ")")
                return Group(body, opening == "(")
            case _:
                return self._simple()

    def _if(self) -> If:
        branches: list[tuple[Node | None, Node]] = []
        while self.peek() in ("if", "elif"):
            self.take()
            condition = self.list()
            self.take("then")
            branches.append((condition, self.list()))
        if self.peek() == "else":
            self.take()
            branches.append((None, self.list()))
        self.take("fi")
        return If(tuple(branches))

    def _do(self) -> Sequence:
        self.take("do")
        body = self.list()
        self.take("done")
        return body

    def _for(self) -> For:
        self.take("for")
        name = self.take()
        words: list[str] = []
        if self.peek() == "in":
            self.take()
            while self._at_word():
                words.append(self.take())
        while self.peek() in (";", "\n"):
            self.take()
        return For(name, tuple(words), self._do())

    def _simple(self) -> Simple:
        assignments: list[tuple[str, str]] = []
        words: list[str] = []
        redirections: list[tuple[str, str]] = []
        while True:
            token = self.peek()
            if token in _DUPLICATIONS:
                redirections.append(_DUPLICATIONS[self.take()])
            elif token in _REDIRECTIONS and not self._at_word():
                operator = self.take().removeprefix("1")
                redirections.append((operator, self.take()))
            elif self._at_word() and (words or token not in _RESERVED):
                if not words and _ASSIGNMENT.match(token):
                    name, _, value = self.take().partition("=")
                    assignments.append((name, value))
                else:
                    words.append(self.take())
            else:
                break
        if not (assignments or words or redirections):
            self.take("word")
        return Simple(tuple(assignments), tuple(words), tuple(redirections))


def parse(text: str) -> Sequence:
    """The tree of a script. ShellSyntaxError if it is none."""
    parser = _Parser(text)
    tree = parser.list()
    if parser.peek() != _END:
        raise ShellSyntaxError(f'syntax error: unexpected "{parser.peek()}"')
    return tree


def can_leave(node: Node) -> bool:
    """Whether something in `node` may end the script or a loop around it."""
    match node:
        case Simple(words=words):
            return bool(words) and words[0] in ("exit", "break", "return", "exec", "set")
        case Pipeline(commands=commands):
            return any(can_leave(command) for command in commands)
        case AndOr(first=first, rest=rest):
            return can_leave(first) or any(can_leave(part) for _, part in rest)
        case Sequence(items=items):
            return any(can_leave(item) for item, _ in items)
        case If(branches=branches):
            return any(can_leave(part) for branch in branches for part in branch if part is not None)
        case Loop(condition=condition, body=body):
            return can_leave(condition) or can_leave(body)
        case For(body=body) | Group(body=body):
            return can_leave(body)


def is_endless(loop: Loop) -> bool:
    """Whether the loop surely goes on for ever."""
    if loop.until or can_leave(loop.body) or not isinstance(loop.condition, Sequence):
        return False
    condition = [node for node, _ in loop.condition.items]
    return condition in [[Simple((), (word,), ())] for word in ("true", ":", "/bin/true")]
