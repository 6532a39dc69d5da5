"""Commands that turn text into text: echo, cat, grep and the like, each as much as tutorials use.

k8slab's own, after busybox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from k8slab.cri.process import FOREVER, Call, Program, Steps
from k8slab.cri.programs.arguments import absolute, option_letters, plain_words

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "e": "\x1b", "0": "\0"}


def _unescape(text: str) -> str:
    return re.sub(r"\\([ntr\\abe0])", lambda match: _ESCAPES[match[1]], text)


def echo(call: Call) -> Steps:
    """`echo [-n] [-e] WORD...`."""
    words, newline, escapes = list(call.argv[1:]), "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        newline = "" if "n" in words[0] else newline
        escapes = escapes or "e" in words.pop(0)
    text = " ".join(words)
    call.out((_unescape(text) if escapes else text) + newline)
    return 0
    yield


def printf(call: Call) -> Steps:
    """`printf FORMAT [ARGUMENT...]` with %s, %d and %%."""
    text, values = call.argv[1] if len(call.argv) > 1 else "", list(call.argv[2:])
    while True:
        before = len(values)
        filled = re.sub(r"%(0?\d*)([sd%])", lambda m: "%" if m[2] == "%" else _format(m, values), text)
        call.out(_unescape(filled))
        if not values or len(values) == before:
            return 0
    yield


def _format(match: re.Match[str], values: list[str]) -> str:
    value = values.pop(0) if values else ""
    if match[2] == "s":
        return value
    try:
        return f"{int(value or 0):{match[1]}d}"
    except ValueError:
        raise ValueError(f"invalid number '{value}'") from None


def cat(call: Call) -> Steps:
    """`cat [FILE...]`, or standard input."""
    code = 0
    for path in plain_words(call) or ["-"]:
        where = absolute(call, path)
        if path == "-":
            yield from _copy_input(call)
            continue
        data = call.machine.files.read(where)
        if data is not None:
            call.write(1, data)
            continue
        why = "read error: Is a directory" if call.machine.files.is_directory(where) else None
        call.err(f"cat: {why}\n" if why else f"cat: can't open '{path}': No such file or directory\n")
        code = 1
    return code


def _copy_input(call: Call) -> Generator[float, None, None]:
    """Standard input to standard output, line by line as it comes."""
    while (line := (yield from call.stdin.read_line())) is not None:
        call.write(1, line)


def head(call: Call) -> Steps:
    """`head [-n N] [FILE]`."""
    return (yield from _ends(call, lambda lines, count: lines[:count]))


def tail(call: Call) -> Steps:
    """`tail [-n N] [-f] [FILE]`; `tail -f /dev/null` is the usual way to do nothing for ever."""
    if "f" in option_letters(call).lower():
        call.process.quiet += 1
        yield FOREVER
    return (yield from _ends(call, lambda lines, count: lines[-count:] if count else []))


def _ends(call: Call, choose: Callable[[list[bytes], int], list[bytes]]) -> Steps:
    words, count = list(call.argv[1:]), 10
    for index, word in enumerate(words):
        if match := re.fullmatch(r"-n?(\d+)", word):
            count, words[index] = int(match[1]), ""
        elif word == "-n" and index + 1 < len(words):
            count, words[index], words[index + 1] = int(words[index + 1]), "", ""
    paths = [word for word in words if word]
    data = call.machine.files.read(absolute(call, paths[0])) if paths else (yield from call.stdin.read_all())
    if data is None:
        call.err(f"{call.argv[0]}: {paths[0]}: No such file or directory\n")
        return 1
    for line in choose(data.splitlines(keepends=True), count):
        call.write(1, line)
    return 0


def grep(call: Call) -> Steps:
    """`grep [-v] [-i] [-q] [-c] PATTERN [FILE]`."""
    flags, words = option_letters(call), plain_words(call)
    try:
        pattern = re.compile(words[0] if words else "", re.IGNORECASE if "i" in flags else 0)
    except re.error as error:
        raise ValueError(f"bad regex '{words[0]}': {error}") from None
    data = call.machine.files.read(absolute(call, words[1])) if words[1:] else (yield from call.stdin.read_all())
    lines = (data or b"").decode("utf-8", "replace").splitlines()
    found = [line for line in lines if bool(pattern.search(line)) is not ("v" in flags)]
    if "c" in flags:
        call.out(f"{len(found)}\n")
    elif "q" not in flags:
        call.out("".join(line + "\n" for line in found))
    return int(not found)


def wc(call: Call) -> Steps:
    """`wc [-l|-w|-c] [FILE]`."""
    words, flags = plain_words(call), option_letters(call)
    data = call.machine.files.read(absolute(call, words[0])) if words else (yield from call.stdin.read_all())
    data = data or b""
    counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data)}
    call.out(" ".join(str(count) for letter, count in counts.items() if not flags or letter in flags) + "\n")
    return 0


def seq(call: Call) -> Steps:
    """`seq [FIRST] LAST`."""
    numbers = [int(word) for word in call.argv[1:] if word.lstrip("-").isdigit()]
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1]) if numbers else (1, 0)
    call.out("".join(f"{number}\n" for number in range(first, last + 1)))
    return 0
    yield


COMMANDS: dict[str, Program] = {
    "echo": echo,
    "printf": printf,
    "cat": cat,
    "head": head,
    "tail": tail,
    "grep": grep,
    "wc": wc,
    "seq": seq,
}
