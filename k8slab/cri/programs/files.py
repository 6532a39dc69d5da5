"""Commands for files: ls, touch, rm, mkdir, tee, and test.

k8slab's own, after busybox.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.cri.process import Call, Program, Steps
from k8slab.cri.programs.arguments import absolute, option_letters, plain_words


def ls(call: Call) -> Steps:
    """`ls [-1al] [PATH...]`."""
    paths, code, files = plain_words(call) or ["."], 0, call.machine.files
    separator = "  " if call.tty and not set(option_letters(call)) & set("1l") else "\n"
    for path in paths:
        where = absolute(call, path)
        if files.is_directory(where):
            names = files.names(where)
            head = f"{path}:\n" if len(paths) > 1 else ""
            call.out(head + (separator.join(names) + "\n" if names else ""))
        elif files.read(where) is not None:
            call.out(path + "\n")
        else:
            call.err(f"ls: {path}: No such file or directory\n")
            code = 1
    return code
    yield


def touch(call: Call) -> Steps:
    """`touch FILE...`."""
    files = call.machine.files
    for path in plain_words(call):
        where = absolute(call, path)
        if files.read(where) is None and not files.is_directory(where):
            try:
                files.write(where, b"")
            except OSError:
                call.err(f"touch: {path}: No such file or directory\n")
                return 1
    return 0
    yield


def rm(call: Call) -> Steps:
    """`rm [-rf] FILE...`."""
    code, files, flags = 0, call.machine.files, option_letters(call)
    for path in plain_words(call):
        where = absolute(call, path)
        if "r" in flags.lower():
            for name in files.names(where):
                files.remove(f"{where}/{name}")
        if not files.remove(where) and "f" not in flags:
            call.err(f"rm: can't remove '{path}': No such file or directory\n")
            code = 1
    return code
    yield


def mkdir(call: Call) -> Steps:
    """`mkdir [-p] DIRECTORY...`."""
    for path in plain_words(call):
        call.machine.files.make_directory(absolute(call, path))
    return 0
    yield


def tee(call: Call) -> Steps:
    """`tee [-a] FILE`."""
    data = yield from call.stdin.read_all()
    call.write(1, data)
    for path in plain_words(call):
        where, files = absolute(call, path), call.machine.files
        files.write(where, ((files.read(where) or b"") if "a" in option_letters(call) else b"") + data)
    return 0


_UNARY: dict[str, Callable[[Call, str], bool]] = {
    "-n": lambda call, word: bool(word),
    "-z": lambda call, word: not word,
    "-f": lambda call, word: call.machine.files.read(absolute(call, word)) is not None,
    "-d": lambda call, word: call.machine.files.is_directory(absolute(call, word)),
    "-s": lambda call, word: bool(call.machine.files.read(absolute(call, word))),
}

_UNARY["-e"] = lambda call, word: _UNARY["-f"](call, word) or _UNARY["-d"](call, word)

_BINARY: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "-eq": lambda a, b: int(a) == int(b),
    "-ne": lambda a, b: int(a) != int(b),
    "-lt": lambda a, b: int(a) < int(b),
    "-le": lambda a, b: int(a) <= int(b),
    "-gt": lambda a, b: int(a) > int(b),
    "-ge": lambda a, b: int(a) >= int(b),
}


def test(call: Call) -> Steps:
    """`test EXPRESSION`, also written `[ EXPRESSION ]`."""
    words = list(call.argv[1:])
    if call.argv[0] == "[" and (not words or words.pop() != "]"):
        call.err("sh: missing ]\n")
        return 2
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    try:
        match words:
            case []:
                holds = False
            case [word]:
                holds = bool(word)
            case [operator, word] if operator in _UNARY:
                holds = _UNARY[operator](call, word)
            case [left, operator, right] if operator in _BINARY:
                holds = _BINARY[operator](left, right)
            case _:
                raise ValueError("unknown operand")
    except ValueError as error:
        call.err(f"sh: {words[-1]}: {error if 'operand' in str(error) else 'bad number'}\n")
        return 2
    return int(holds is negated)
    yield


COMMANDS: dict[str, Program] = {
    "ls": ls,
    "touch": touch,
    "rm": rm,
    "mkdir": mkdir,
    "tee": tee,
    "test": test,
    "[": test,
}
