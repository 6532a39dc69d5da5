"""Commands that are built into the shell, because they change the shell.

Models: POSIX.1-2017, Shell Command Language, 2.14 Special Built-In Utilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8slab.cri.process import Call, Exited, Process, Steps
from k8slab.cri.programs.arguments import absolute

if TYPE_CHECKING:
    from k8slab.cri.programs.shell import Shell

Words = tuple[str, ...]


class LeftLoop(Exception):
    """`break` (False) or `continue` (True)."""

    def __init__(self, goes_on: bool) -> None:
        self.goes_on = goes_on


def leave(shell: Shell, call: Call, words: Words) -> Steps:
    """`exit [CODE]`."""
    if words and not words[0].lstrip("-").isdigit():
        call.err(f"{shell.name}: exit: Illegal number: {words[0]}\n")
        raise Exited(2)
    raise Exited(int(words[0]) & 0xFF if words else shell.status)
    yield


def change_directory(shell: Shell, call: Call, words: Words) -> Steps:
    """`cd [DIRECTORY]`."""
    path = absolute(call, words[0] if words else call.env.get("HOME", "/"))
    if not call.machine.files.is_directory(path):
        call.err(f"{shell.name}: cd: can't cd to {words[0]}: No such file or directory\n")
        return 2
    shell.call.cwd = path
    return 0
    yield


def export(shell: Shell, call: Call, words: Words) -> Steps:
    """`export NAME[=VALUE]...`."""
    for word in words:
        name, equals, value = word.partition("=")
        shell.call.env[name] = value if equals else shell.variables.pop(name, shell.call.env.get(name, ""))
        shell.variables.pop(name, None)
    return 0
    yield


def unset(shell: Shell, call: Call, words: Words) -> Steps:
    """`unset NAME...`."""
    for name in words:
        shell.variables.pop(name, None)
        shell.call.env.pop(name, None)
    return 0
    yield


def set_options(shell: Shell, call: Call, words: Words) -> Steps:
    """`set -e`, `set +e`; other options are taken and ignored."""
    for word in words:
        if "e" in word and word[0] in "-+":
            shell.errexit = word[0] == "-"
    return 0
    yield


def leave_loop(shell: Shell, call: Call, words: Words) -> Steps:
    """`break` and `continue`."""
    raise LeftLoop(call.argv[0] == "continue")
    yield


def replace_process(shell: Shell, call: Call, words: Words) -> Steps:
    """`exec COMMAND`: the command takes the shell's place, and gets its signals."""
    if words:
        call.argv = call.process.argv = words
        raise Exited((yield from shell.command(call)))
    return 0


def wait(shell: Shell, call: Call, words: Words) -> Steps:
    """`wait` for what runs in the background; a SIGTERM with a trap ends it."""
    while (until := max(shell.background, default=0.0)) > call.now and not shell.term_pending:
        yield until - call.now
    shell.background.clear()
    yield from shell.deliver()
    return 0


def trap(shell: Shell, call: Call, words: Words) -> Steps:
    """`trap COMMANDS SIGNAL...`, for TERM and EXIT."""
    for signal in words[1:]:
        shell.traps[signal.removeprefix("SIG").replace("15", "TERM")] = words[0]

    def on_term(process: Process, now: float) -> None:
        # The trap runs when the command of the moment has ended, or at once in `wait`.
        shell.term_pending = True
        if shell.background:
            process.wake_at = now

    if "TERM" in shell.traps:
        call.process.on_term = on_term
    return 0
    yield


def read(shell: Shell, call: Call, words: Words) -> Steps:
    """`read NAME...`: a line of input, word by word."""
    line = yield from call.stdin.read_line()
    values = (line or b"").decode("utf-8", "replace").split(None, max(0, len(words) - 1))
    for index, name in enumerate(words):
        shell.variables[name] = values[index].rstrip("\n") if index < len(values) else ""
    return 0 if line is not None else 1


BUILTINS: dict[str, Callable[[Shell, Call, Words], Steps]] = {
    "exit": leave,
    "return": leave,
    "cd": change_directory,
    "export": export,
    "unset": unset,
    "set": set_options,
    "break": leave_loop,
    "continue": leave_loop,
    "exec": replace_process,
    "wait": wait,
    "trap": trap,
    "read": read,
}
