"""A small shell on the cluster's clock: `sh -c '...'`, and the one at the other end of `kubectl exec -ti`.

It runs what tutorials put into a container's command: sequences, conditions, loops, variables, redirections, pipes (each
command runs to its end before the next one reads), and a trap for SIGTERM. `sleep` sleeps on the virtual clock. A loop
that never sleeps is slowed down to a hundred turns a second, because on a virtual clock it would never let time pass.

Models: busybox ash and dash, as far as POSIX.1-2017 and tutorials go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from k8slab.apimachinery.rest import STDERR, STDOUT
from k8slab.cri import executables
from k8slab.cri.commands import absolute
from k8slab.cri.expansion import expand, expand_one
from k8slab.cri.process import FOREVER, Call, Exited, Interrupted, Stdin, Steps
from k8slab.cri.shell_syntax import (
    AndOr,
    For,
    Group,
    If,
    Loop,
    Node,
    Pipeline,
    Sequence,
    ShellSyntaxError,
    Simple,
    is_endless,
    parse,
)

_TURNS_A_SECOND = 100


class _Break(Exception):
    """`break` (False) or `continue` (True)."""

    def __init__(self, goes_on: bool) -> None:
        self.goes_on = goes_on


def shell(call: Call) -> Steps:
    """`sh -c SCRIPT [NAME ARG...]`, `sh SCRIPT-FILE`, or commands from standard input."""
    options, words = "", list(call.argv[1:])
    while words and words[0][:1] in "-+" and len(words[0]) > 1:
        options += words.pop(0).lstrip("-+")
        if options.endswith("o") and words:
            words.pop(0)
    if "c" in options:
        if not words:
            call.err(f"{call.argv[0]}: -c requires an argument\n")
            return 2
        return (yield from _Shell(call, words[1:], options).run_script(words[0]))
    if words:
        script = call.machine.files.read(absolute(call, words[0]))
        if script is None:
            call.err(f"{call.argv[0]}: can't open '{words[0]}': No such file or directory\n")
            return 2
        return (yield from _Shell(call, words, options).run_script(script.decode("utf-8", "replace")))
    return (yield from _Shell(call, [call.argv[0]], options).interact())


class _Shell:
    def __init__(self, call: Call, arguments: list[str], options: str = "") -> None:
        self._call = call
        self._arguments = arguments or [call.argv[0]]
        """$0, $1, ..."""
        self._variables: dict[str, str] = {}
        """Those that are not exported; the exported ones are the call's environment."""
        self._status = 0
        self._errexit = "e" in options
        self._name = call.argv[0].rpartition("/")[2]
        self._traps: dict[str, str] = {}
        self._term_pending = False
        self._background: list[float] = []
        """When what runs in the background ends."""

    # Scripts.

    def run_script(self, text: str) -> Steps:
        """Run a script; its exit code."""
        try:
            tree = parse(text)
        except ShellSyntaxError as error:
            self._call.err(f"{self._name}: {error}\n")
            return 2
        try:
            yield from self._run(tree, self._call)
        except Exited as exited:
            self._status = exited.code
        except _Break:
            pass
        if "EXIT" in self._traps:
            yield from self.run_script(self._traps.pop("EXIT"))
        return self._status

    def interact(self) -> Steps:
        """Read commands and run them; with a terminal, after a prompt."""
        call = self._call
        while True:
            try:
                if call.tty:
                    call.out(self._prompt())
                text = yield from self._read_command()
                if text is None:
                    break
                yield from self._run(parse(text), call)
            except ShellSyntaxError as error:
                call.err(f"{self._name}: {error}\n")
                self._status = 2
            except Interrupted:
                self._status = 130
            except _Break:
                pass
        if call.tty:
            call.out("exit\n" if self._name == "bash" else "\n")
        return self._status

    def _prompt(self) -> str:
        where = "~" if self._call.cwd == self._call.env.get("HOME") else self._call.cwd
        return f"root@{self._call.machine.hostname}:{where}# " if self._name == "bash" else f"{where} # "

    def _read_command(self) -> Generator[float, None, str | None]:
        """One command, which may take several lines; None at the end of input."""
        text = ""
        while True:
            line = yield from self._call.stdin.read_line()
            if line is None:
                return text or None
            text += line.decode("utf-8", "replace")
            try:
                parse(text)
            except ShellSyntaxError as error:
                if "end of file" in str(error) or "unterminated" in str(error):
                    if self._call.tty:
                        self._call.out("> ")
                    continue
            return text

    # The tree.

    def _run(self, node: Node, call: Call) -> Generator[float, None, None]:
        match node:
            case Simple():
                yield from self._simple(node, call)
            case Sequence(items=items):
                for item, background in items:
                    yield from self._item(item, call, background)
            case AndOr(first=first, rest=rest):
                yield from self._guarded(first, call)
                for operator, part in rest:
                    if (self._status == 0) == (operator == "&&"):
                        yield from self._guarded(part, call)
            case Pipeline():
                yield from self._pipeline(node, call)
            case If(branches=branches):
                yield from self._if(branches, call)
            case Loop():
                yield from self._loop(node, call)
            case For(name=name, words=words, body=body):
                values = yield from self._expand(words, call)
                yield from self._turns(values, body, call, name)
            case Group(body=body, subshell=subshell):
                if subshell:
                    yield from self._child(call).into(self, body)
                else:
                    yield from self._run(body, call)

    def _item(self, item: Node, call: Call, background: bool) -> Generator[float, None, None]:
        if background:
            self._status = yield from self._in_background(item, call)
            return
        yield from self._run(item, call)
        if self._errexit and self._status and not isinstance(item, (AndOr, If, Loop)):
            raise Exited(self._status)
        yield from self._deliver()

    def _guarded(self, node: Node, call: Call) -> Generator[float, None, None]:
        """A command whose failure is an answer, not an error."""
        errexit, self._errexit = self._errexit, False
        yield from self._run(node, call)
        self._errexit = errexit

    def _in_background(self, node: Node, call: Call) -> Steps:
        """`sleep 100 &` is remembered until `wait`; anything else is run at once, as if it took no time."""
        match node:
            case Simple(words=("sleep", seconds)):
                text = yield from expand_one(seconds, self._lookup, self._output_of(call))
                self._background.append(call.now + (FOREVER if text == "infinity" else float(text)))
            case _:
                yield from self._child(call).into(self, node)
        return 0

    def _if(self, branches: tuple[tuple[Node | None, Node], ...], call: Call) -> Generator[float, None, None]:
        for condition, body in branches:
            if condition is not None:
                yield from self._guarded(condition, call)
            if condition is None or self._status == 0:
                yield from self._run(body, call)
                return
        self._status = 0

    def _loop(self, loop: Loop, call: Call) -> Generator[float, None, None]:
        def again() -> Generator[float, None, bool]:
            yield from self._guarded(loop.condition, call)
            return (self._status == 0) is not loop.until

        endless = is_endless(loop) and not self._errexit and not self._traps
        call.process.quiet += endless
        try:
            turns, moment = 0, call.now
            while (yield from again()):
                if not (yield from self._turn(loop.body, call)):
                    return
                turns, moment = (turns + 1, moment) if call.now == moment else (0, call.now)
                if turns >= _TURNS_A_SECOND:
                    yield 1.0
        finally:
            call.process.quiet -= endless
        self._status = 0

    def _turns(self, values: list[str], body: Node, call: Call, name: str) -> Generator[float, None, None]:
        for value in values:
            self._variables[name] = value
            if not (yield from self._turn(body, call)):
                return

    def _turn(self, body: Node, call: Call) -> Generator[float, None, bool]:
        """Whether the loop goes on."""
        try:
            yield from self._run(body, call)
        except _Break as left:
            return left.goes_on
        return True

    def _pipeline(self, node: Pipeline, call: Call) -> Generator[float, None, None]:
        stdin = call.stdin
        *firsts, last = node.commands
        for command in firsts:
            output: list[bytes] = []
            yield from self._child(replace(call, stdin=stdin, write=_capture(call, output))).into(self, command)
            stdin = Stdin(b"".join(output))
        yield from self._run(last, replace(call, stdin=stdin) if firsts else call)
        if node.negated:
            self._status = int(self._status == 0)

    def _child(self, call: Call) -> _Shell:
        """A subshell: what it changes stays in it."""
        child = _Shell(replace(call, env=dict(call.env)), self._arguments)
        child._variables, child._status, child._name = dict(self._variables), self._status, self._name
        return child

    def into(self, parent: _Shell, body: Node) -> Generator[float, None, None]:
        """Run as a subshell of `parent`, which gets the status."""
        try:
            yield from self._run(body, self._call)
        except Exited as exited:
            self._status = exited.code
        parent._status = self._status

    # Words.

    def _lookup(self, name: str) -> str:
        match name:
            case "?":
                return str(self._status)
            case "$":
                return str(self._call.process.pid)
            case "#":
                return str(len(self._arguments) - 1)
            case "@" | "*":
                return " ".join(self._arguments[1:])
            case "RANDOM":
                return str(
                    self._call.machine.chance.integer("RANDOM", (self._call.machine.hostname, self._call.now)) % 32768
                )
            case "PWD":
                return self._call.cwd
        if name.isdigit():
            return self._arguments[int(name)] if int(name) < len(self._arguments) else ""
        return self._variables.get(name, self._call.env.get(name, ""))

    def _output_of(self, call: Call) -> Callable[[str], Generator[float, None, str]]:
        def run(text: str) -> Generator[float, None, str]:
            output: list[bytes] = []
            child = self._child(replace(call, write=_capture(call, output)))
            yield from child.into(self, parse(text))
            return b"".join(output).decode("utf-8", "replace")

        return run

    def _expand(self, words: tuple[str, ...], call: Call) -> Generator[float, None, list[str]]:
        return (yield from expand(words, self._lookup, self._output_of(call)))

    # Commands.

    def _simple(self, node: Simple, call: Call) -> Generator[float, None, None]:
        try:
            argv = yield from self._expand(node.words, call)
            values = {}
            for name, word in node.assignments:
                values[name] = yield from expand_one(word, self._lookup, self._output_of(call))
        except ValueError as error:
            call.err(f"{self._name}: {error}\n")
            raise Exited(2) from None
        if not argv:
            for name, value in values.items():
                (self._call.env if name in self._call.env else self._variables)[name] = value
            self._status = 0 if not node.words else self._status
        redirected = yield from self._redirect(node, call)
        if redirected is None:
            self._status = 1
            return
        if argv:
            redirected = replace(redirected, argv=tuple(argv), env={**self._call.env, **values})
            self._status = yield from self._command(redirected)

    def _command(self, call: Call) -> Steps:
        name, arguments = call.argv[0], call.argv[1:]
        if builtin := _BUILTINS.get(name):
            return (yield from builtin(self, call, arguments))
        program = executables.find_program(call.machine, name)
        if program is None:
            call.err(self._not_found(name))
            return 127
        call.cwd = self._call.cwd
        try:
            return (yield from program(call))
        except Exited as exited:
            return exited.code

    def _not_found(self, name: str) -> str:
        if self._name == "bash":
            return f"bash: {name}: command not found\n"
        line = "1: " if self._call.machine.image.shell == "bash" else ""  # Debian's sh counts lines
        return f"{self._name}: {line}{name}: not found\n"

    def _redirect(self, node: Simple, call: Call) -> Generator[float, None, Call | None]:
        """The call with its files opened; None if one can't be."""
        call = replace(call)
        targets: dict[int, Callable[[bytes], None]] = {}
        for operator, word in node.redirections:
            name = yield from expand_one(word, self._lookup, self._output_of(call))
            path = absolute(call, name)
            if operator == "<":
                data = call.machine.files.read(path)
                if data is None:
                    call.err(f"{self._name}: can't open {name}: no such file\n")
                    return None
                call.stdin = Stdin(data)
            elif operator == "2>&":
                targets[STDERR] = targets.get(STDOUT, lambda data, write=call.write: write(STDOUT, data))  # type: ignore[misc]
            elif operator == ">&":
                targets[STDOUT] = targets.get(STDERR, lambda data, write=call.write: write(STDERR, data))  # type: ignore[misc]
            else:
                try:
                    target = self._open(call, path, append=operator.endswith(">>"))
                except OSError as error:
                    call.err(f"{self._name}: can't create {name}: {error}\n")
                    return None
                for channel in (STDOUT, STDERR) if operator.startswith("&") else (2 if operator[0] == "2" else 1,):
                    targets[channel] = target
        if targets:
            write = call.write

            def redirected(channel: int, data: bytes) -> None:
                if channel in targets:
                    targets[channel](data)
                else:
                    write(channel, data)

            call.write = redirected
        return call

    def _open(self, call: Call, path: str, *, append: bool) -> Callable[[bytes], None]:
        files = call.machine.files
        if path == "/dev/null":
            return lambda data: None
        if path in ("/dev/stdout", "/dev/stderr", "/proc/1/fd/1", "/proc/1/fd/2"):
            write, channel = call.write, STDERR if path[-1] in "r2" else STDOUT
            return lambda data: write(channel, data)
        files.write(path, (files.read(path) or b"") if append else b"")
        return lambda data: files.write(path, (files.read(path) or b"") + data)

    # Built into the shell, because they change it.

    def _exit(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        if arguments and not arguments[0].lstrip("-").isdigit():
            call.err(f"{self._name}: exit: Illegal number: {arguments[0]}\n")
            raise Exited(2)
        raise Exited(int(arguments[0]) & 0xFF if arguments else self._status)
        yield

    def _cd(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        path = absolute(call, arguments[0] if arguments else self._call.env.get("HOME", "/"))
        if not call.machine.files.is_directory(path):
            call.err(f"{self._name}: cd: can't cd to {arguments[0]}: No such file or directory\n")
            return 2
        self._call.cwd = path
        return 0
        yield

    def _export(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        for argument in arguments:
            name, equals, value = argument.partition("=")
            self._call.env[name] = value if equals else self._variables.pop(name, self._call.env.get(name, ""))
            self._variables.pop(name, None)
        return 0
        yield

    def _unset(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        for name in arguments:
            self._variables.pop(name, None)
            self._call.env.pop(name, None)
        return 0
        yield

    def _set(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        if arguments and arguments[0] == "--":
            self._arguments[1:] = arguments[1:]
        for argument in arguments:
            if "e" in argument and argument[0] in "-+":
                self._errexit = argument[0] == "-"
        return 0
        yield

    def _leave_loop(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        raise _Break(call.argv[0] == "continue")
        yield

    def _exec(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        if arguments:
            call.argv = call.process.argv = arguments
            raise Exited((yield from self._command(call)))
        return 0

    def _wait(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        while (until := max(self._background, default=0.0)) > call.now and not self._term_pending:
            yield until - call.now
        self._background.clear()
        yield from self._deliver()
        return 0

    def _trap(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        for signal in arguments[1:]:
            self._traps[signal.removeprefix("SIG").replace("15", "TERM")] = arguments[0]
        if "TERM" in self._traps:
            call.process.on_term = self._on_term
        return 0
        yield

    def _on_term(self, now: float) -> None:
        """SIGTERM has come: the trap runs when the command of the moment has ended, or at once in `wait`."""
        self._term_pending = True
        if self._background:
            self._call.process.wake_at = now

    def _deliver(self) -> Generator[float, None, None]:
        if self._term_pending:
            self._term_pending = False
            yield from self._run(parse(self._traps["TERM"]), self._call)

    def _read(self, call: Call, arguments: tuple[str, ...]) -> Steps:
        line = yield from call.stdin.read_line()
        values = (line or b"").decode("utf-8", "replace").split(None, max(0, len(arguments) - 1))
        for index, name in enumerate(arguments):
            self._variables[name] = values[index].rstrip("\n") if index < len(values) else ""
        return 0 if line is not None else 1


_BUILTINS: dict[str, Callable[[_Shell, Call, tuple[str, ...]], Steps]] = {
    "exit": _Shell._exit,
    "return": _Shell._exit,
    "cd": _Shell._cd,
    "export": _Shell._export,
    "unset": _Shell._unset,
    "set": _Shell._set,
    "break": _Shell._leave_loop,
    "continue": _Shell._leave_loop,
    "exec": _Shell._exec,
    "wait": _Shell._wait,
    "trap": _Shell._trap,
    "read": _Shell._read,
}


def _capture(call: Call, output: list[bytes]) -> Callable[[int, bytes], None]:
    """A `write` that keeps standard output and lets errors through."""
    write = call.write
    return lambda channel, data: output.append(data) if channel == STDOUT else write(channel, data)
