"""A small shell on the cluster's clock: `sh -c '...'`, and the one at the other end of `kubectl exec -ti`.

It runs what tutorials put into a container's command: sequences, conditions, loops, variables, redirections, pipes (each
command runs to its end before the next one reads), and a trap for SIGTERM. `sleep` sleeps on the virtual clock. A loop
that never sleeps is slowed down to a hundred turns a second, because on a virtual clock it would never let time pass.

Models: busybox ash and dash, as far as POSIX.1-2017 and tutorials go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from k8slab.apimachinery.rest import STDOUT
from k8slab.cri.process import FOREVER, Call, Exited, Interrupted, Stdin, Steps, complaint
from k8slab.cri.programs.arguments import absolute
from k8slab.cri.programs.expansion import expand, expand_one
from k8slab.cri.programs.redirections import redirect
from k8slab.cri.programs.shell_builtins import BUILTINS, LeftLoop
from k8slab.cri.programs.shell_syntax import (
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

Run = Generator[float, None, None]


def shell(call: Call) -> Steps:
    """`sh -c SCRIPT [NAME ARG...]`, `sh SCRIPT-FILE`, or commands from standard input."""
    options, words = "", list(call.argv[1:])
    while words and words[0][:1] in "-+" and len(words[0]) > 1:
        options += words.pop(0).lstrip("-+")
    if "c" in options:
        if not words:
            call.err(f"{call.argv[0]}: -c requires an argument\n")
            return 2
        return (yield from Shell(call, words[1:], options).run_script(words[0]))
    if words:
        script = call.machine.files.read(absolute(call, words[0]))
        if script is None:
            call.err(f"{call.argv[0]}: can't open '{words[0]}': No such file or directory\n")
            return 2
        return (yield from Shell(call, words, options).run_script(script.decode("utf-8", "replace")))
    return (yield from Shell(call, [call.argv[0]], options).interact())


class Shell:
    """One shell, or one subshell."""

    def __init__(self, call: Call, arguments: list[str], options: str = "") -> None:
        self.call = call
        self.arguments = arguments or [call.argv[0]]
        """$0, $1, ..."""
        self.variables: dict[str, str] = {}
        """Those that are not exported; the exported ones are the call's environment."""
        self.status = 0
        """$?"""
        self.errexit = "e" in options
        self.name = call.argv[0].rpartition("/")[2]
        self.traps: dict[str, str] = {}
        self.term_pending = False
        """SIGTERM has come, and its trap has not run yet."""
        self.background: list[float] = []
        """When what runs in the background ends."""

    # Scripts.

    def run_script(self, text: str) -> Steps:
        """Run a script; its exit code."""
        try:
            tree = parse(text)
        except ShellSyntaxError as error:
            self.call.err(f"{self.name}: {error}\n")
            return 2
        try:
            yield from self.run(tree, self.call)
        except Exited as exited:
            self.status = exited.code
        except LeftLoop:
            pass
        if "EXIT" in self.traps:
            yield from self.run_script(self.traps.pop("EXIT"))
        return self.status

    def interact(self) -> Steps:
        """Read commands and run them; with a terminal, after a prompt."""
        call = self.call
        while True:
            try:
                if call.tty:
                    call.out(self._prompt())
                text = yield from self._read_command()
                if text is None:
                    break
                yield from self.run(parse(text), call)
            except ShellSyntaxError as error:
                call.err(f"{self.name}: {error}\n")
                self.status = 2
            except Interrupted:
                self.status = 130
            except LeftLoop:
                pass
        if call.tty:
            call.out("exit\n" if self.name == "bash" else "\n")
        return self.status

    def _prompt(self) -> str:
        where = "~" if self.call.cwd == self.call.env.get("HOME") else self.call.cwd
        return f"root@{self.call.machine.hostname}:{where}# " if self.name == "bash" else f"{where} # "

    def _read_command(self) -> Generator[float, None, str | None]:
        """One command, which may take several lines; None at the end of input."""
        text = ""
        while True:
            line = yield from self.call.stdin.read_line()
            if line is None:
                return text or None
            text += line.decode("utf-8", "replace")
            try:
                parse(text)
            except ShellSyntaxError as error:
                if error.unfinished:
                    if self.call.tty:
                        self.call.out("> ")
                    continue
            return text

    # The tree.

    def run(self, node: Node, call: Call) -> Run:
        """Run a part of a script; `status` is its exit code then."""
        match node:
            case Simple():
                yield from self._simple(node, call)
            case Sequence(items=items):
                for item, background in items:
                    yield from self._item(item, call, background)
            case AndOr(first=first, rest=rest):
                yield from self._guarded(first, call)
                for operator, part in rest:
                    if (self.status == 0) == (operator == "&&"):
                        yield from self._guarded(part, call)
            case Pipeline():
                yield from self._pipeline(node, call)
            case If(branches=branches):
                yield from self._if(branches, call)
            case Loop():
                yield from self._loop(node, call)
            case For(name=name, words=words, body=body):
                for value in (yield from self._expand(words, call)):
                    self.variables[name] = value
                    if not (yield from self._turn(body, call)):
                        return
            case Group(body=body, subshell=True):
                yield from self._child(call).into(self, body)
            case Group(body=body):
                yield from self.run(body, call)

    def _item(self, item: Node, call: Call, background: bool) -> Run:
        if background:
            yield from self._in_background(item, call)
            return
        yield from self.run(item, call)
        if self.errexit and self.status and not isinstance(item, (AndOr, If, Loop)):
            raise Exited(self.status)
        yield from self.deliver()

    def deliver(self) -> Run:
        """Run the trap of a SIGTERM that has come."""
        if self.term_pending:
            self.term_pending = False
            yield from self.run(parse(self.traps["TERM"]), self.call)

    def _guarded(self, node: Node, call: Call) -> Run:
        """A command whose failure is an answer, not an error."""
        errexit, self.errexit = self.errexit, False
        yield from self.run(node, call)
        self.errexit = errexit

    def _in_background(self, node: Node, call: Call) -> Run:
        """`sleep 100 &` is remembered until `wait`; anything else is run at once, as if it took no time."""
        match node:
            case Simple(words=("sleep", seconds)):
                text = yield from self._one(seconds, call)
                self.background.append(call.now + (FOREVER if text == "infinity" else float(text)))
            case _:
                yield from self._child(call).into(self, node)
        self.status = 0

    def _if(self, branches: tuple[tuple[Node | None, Node], ...], call: Call) -> Run:
        for condition, body in branches:
            if condition is not None:
                yield from self._guarded(condition, call)
            if condition is None or self.status == 0:
                yield from self.run(body, call)
                return
        self.status = 0

    def _loop(self, loop: Loop, call: Call) -> Run:
        endless = is_endless(loop) and not self.errexit and not self.traps
        call.process.quiet += endless
        try:
            turns, moment = 0, call.now
            while True:
                yield from self._guarded(loop.condition, call)
                if (self.status == 0) is loop.until or not (yield from self._turn(loop.body, call)):
                    break
                turns, moment = (turns + 1, moment) if call.now == moment else (0, call.now)
                if turns >= _TURNS_A_SECOND:
                    yield 1.0
        finally:
            call.process.quiet -= endless
        self.status = 0

    def _turn(self, body: Node, call: Call) -> Generator[float, None, bool]:
        """Whether the loop goes on."""
        try:
            yield from self.run(body, call)
        except LeftLoop as left:
            return left.goes_on
        return True

    def _pipeline(self, node: Pipeline, call: Call) -> Run:
        stdin = call.stdin
        *firsts, last = node.commands
        for command in firsts:
            output: list[bytes] = []
            yield from self._child(replace(call, stdin=stdin, write=_capture(call, output))).into(self, command)
            stdin = Stdin(b"".join(output))
        yield from self.run(last, replace(call, stdin=stdin) if firsts else call)
        if node.negated:
            self.status = int(self.status == 0)

    def _child(self, call: Call) -> Shell:
        """A subshell: what it changes stays in it."""
        child = Shell(replace(call, env=dict(call.env)), self.arguments)
        child.variables, child.status, child.name = dict(self.variables), self.status, self.name
        return child

    def into(self, parent: Shell, body: Node) -> Run:
        """Run as a subshell of `parent`, which gets the status."""
        try:
            yield from self.run(body, self.call)
        except Exited as exited:
            self.status = exited.code
        parent.status = self.status

    # Words.

    def _lookup(self, name: str) -> str:
        call = self.call
        match name:
            case "?":
                return str(self.status)
            case "$":
                return str(call.process.pid)
            case "#":
                return str(len(self.arguments) - 1)
            case "@" | "*":
                return " ".join(self.arguments[1:])
            case "RANDOM":
                return str(call.machine.chance.integer("RANDOM", (call.machine.hostname, call.now)) % 32768)
            case "PWD":
                return call.cwd
        if name.isdigit():
            return self.arguments[int(name)] if int(name) < len(self.arguments) else ""
        return self.variables.get(name, call.env.get(name, ""))

    def _output_of(self, call: Call) -> Callable[[str], Generator[float, None, str]]:
        def run(text: str) -> Generator[float, None, str]:
            output: list[bytes] = []
            child = self._child(replace(call, write=_capture(call, output)))
            yield from child.into(self, parse(text))
            return b"".join(output).decode("utf-8", "replace")

        return run

    def _expand(self, words: tuple[str, ...], call: Call) -> Generator[float, None, list[str]]:
        return (yield from expand(words, self._lookup, self._output_of(call)))

    def _one(self, word: str, call: Call) -> Generator[float, None, str]:
        return (yield from expand_one(word, self._lookup, self._output_of(call)))

    # Commands.

    def _simple(self, node: Simple, call: Call) -> Run:
        values, files = {}, []
        try:
            argv = yield from self._expand(node.words, call)
            for name, word in node.assignments:
                values[name] = yield from self._one(word, call)
            for operator, word in node.redirections:
                files.append((operator, (yield from self._one(word, call))))
        except ValueError as error:
            call.err(f"{self.name}: {error}\n")
            raise Exited(2) from None
        if not argv:
            for name, value in values.items():
                (self.call.env if name in self.call.env else self.variables)[name] = value
            self.status = self.status if node.words else 0
        try:
            redirected = redirect(call, files)
        except OSError as error:
            call.err(f"{self.name}: {error}\n")
            self.status = 1
            return
        if argv:
            redirected = replace(redirected, argv=tuple(argv), env={**self.call.env, **values})
            self.status = yield from self.command(redirected)

    def command(self, call: Call) -> Steps:
        """Run a builtin or a program."""
        name, arguments = call.argv[0], call.argv[1:]
        if builtin := BUILTINS.get(name):
            return (yield from builtin(self, call, arguments))
        program = call.machine.find_program(name)
        if program is None:
            call.err(self._not_found(name))
            return 127
        call.cwd = self.call.cwd
        try:
            return (yield from program(call))
        except Exited as exited:
            return exited.code
        except (ValueError, OSError) as error:
            call.err(complaint(call.argv, error))
            return 1

    def _not_found(self, name: str) -> str:
        if self.name == "bash":
            return f"bash: {name}: command not found\n"
        line = "1: " if self.call.machine.image.shell == "bash" else ""  # Debian's sh counts lines
        return f"{self.name}: {line}{name}: not found\n"


def _capture(call: Call, output: list[bytes]) -> Callable[[int, bytes], None]:
    """A `write` that keeps standard output and lets errors through."""
    write = call.write
    return lambda channel, data: output.append(data) if channel == STDOUT else write(channel, data)
