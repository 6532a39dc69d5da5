"""The everyday commands of a container: a handful, each as much as tutorials use.

k8slab's own, after busybox.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from k8slab.clock import parse_duration
from k8slab.cri.network import LOOPBACK, HttpReply, HttpRequest
from k8slab.cri.process import FOREVER, Call, Program, Steps


def absolute(call: Call, path: str) -> str:
    """A path from the root."""
    joined = posixpath.normpath(posixpath.join(call.cwd, path))
    return "/" + joined.lstrip("/")


def _plain(call: Call) -> list[str]:
    """The arguments that are no options."""
    return [word for word in call.argv[1:] if not (word.startswith("-") and len(word) > 1)]


def _flags(call: Call) -> str:
    """The letters of the short options."""
    return "".join(word[1:] for word in call.argv[1:] if word.startswith("-") and not word.startswith("--"))


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
    return f"{int(value or 0):{match[1]}d}" if match[2] == "d" else value


def sleep(call: Call) -> Steps:
    """`sleep SECONDS`, on the virtual clock."""
    total = 0.0
    for word in call.argv[1:]:
        try:
            total += FOREVER if word in ("infinity", "inf") else parse_duration(word)
        except ValueError:
            call.err(f"sleep: invalid number '{word}'\n")
            return 1
    if len(call.argv) < 2:
        call.err("BusyBox: missing operand\n")
        return 1
    until = call.now + total
    while call.now < until:  # a signal may wake it before its time
        yield until - call.now
        if call.process.wake_at < until:
            break
    return 0


def true(call: Call) -> Steps:
    """Succeeds."""
    return 0
    yield


def false(call: Call) -> Steps:
    """Fails."""
    return 1
    yield


def date(call: Call) -> Steps:
    """`date [-u] [+FORMAT]`, of the cluster's clock."""
    moment = datetime.fromtimestamp(round(call.now, 6), UTC)
    form = next((word[1:] for word in call.argv[1:] if word.startswith("+")), None)
    if form is None:
        form = f"%a %b {moment.day:2d} %H:%M:%S UTC %Y"
    call.out(
        moment.strftime(form.replace("%s", str(int(call.now))).replace("%N", f"{moment.microsecond:06d}000")) + "\n"
    )
    return 0
    yield


def hostname(call: Call) -> Steps:
    """`hostname [-i]`."""
    call.out((call.machine.net.ip if "i" in _flags(call) else call.machine.hostname) + "\n")
    return 0
    yield


def env(call: Call) -> Steps:
    """The environment."""
    call.out("".join(f"{name}={value}\n" for name, value in call.env.items()))
    return 0
    yield


def printenv(call: Call) -> Steps:
    """`printenv [NAME...]`."""
    if len(call.argv) == 1:
        return (yield from env(call))
    missing = [name for name in call.argv[1:] if name not in call.env]
    call.out("".join(call.env[name] + "\n" for name in call.argv[1:] if name in call.env))
    return int(bool(missing))


def pwd(call: Call) -> Steps:
    """The working directory."""
    call.out(call.cwd + "\n")
    return 0
    yield


def whoami(call: Call) -> Steps:
    """Everybody is root here."""
    call.out("root\n")
    return 0
    yield


def identity(call: Call) -> Steps:
    """`id`."""
    call.out("0\n" if "u" in _flags(call) else "uid=0(root) gid=0(root) groups=0(root)\n")
    return 0
    yield


def uname(call: Call) -> Steps:
    """`uname [-a]`: says that there is no kernel."""
    call.out(f"Linux {call.machine.hostname} simulated by k8slab\n" if "a" in _flags(call) else "Linux\n")
    return 0
    yield


def ls(call: Call) -> Steps:
    """`ls [-1al] [PATH...]`."""
    paths, code, files = _plain(call) or ["."], 0, call.machine.files
    separator = "  " if call.tty and not set(_flags(call)) & set("1l") else "\n"
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


def cat(call: Call) -> Steps:
    """`cat [FILE...]`, or standard input."""
    code = 0
    for path in _plain(call) or ["-"]:
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
    if "f" in _flags(call).lower():
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
    flags, words = _flags(call), _plain(call)
    pattern = re.compile(words[0] if words else "", re.IGNORECASE if "i" in flags else 0)
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
    words, flags = _plain(call), _flags(call)
    data = call.machine.files.read(absolute(call, words[0])) if words else (yield from call.stdin.read_all())
    data = data or b""
    counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data)}
    call.out(" ".join(str(count) for letter, count in counts.items() if not flags or letter in flags) + "\n")
    return 0


def touch(call: Call) -> Steps:
    """`touch FILE...`."""
    files = call.machine.files
    for path in _plain(call):
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
    code, files, flags = 0, call.machine.files, _flags(call)
    for path in _plain(call):
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
    for path in _plain(call):
        call.machine.files.make_directory(absolute(call, path))
    return 0
    yield


def tee(call: Call) -> Steps:
    """`tee [-a] FILE`."""
    data = yield from call.stdin.read_all()
    call.write(1, data)
    for path in _plain(call):
        where, files = absolute(call, path), call.machine.files
        files.write(where, ((files.read(where) or b"") if "a" in _flags(call) else b"") + data)
    return 0


def ps(call: Call) -> Steps:
    """What runs in the container."""
    call.out("PID   USER     TIME  COMMAND\n")
    for process in call.machine.processes:
        call.out(f"{process.pid:5d} root      0:00 {' '.join(process.argv)}\n")
    return 0
    yield


def kill(call: Call) -> Steps:
    """`kill [-SIGNAL] PID...`. As in any container, PID 1 is not hurt by a SIGKILL from inside."""
    hard = any(word in ("-9", "-KILL", "-SIGKILL") for word in call.argv[1:])
    for word in _plain(call):
        victims = [process for process in call.machine.processes if str(process.pid) == word]
        if not victims:
            call.err(f"sh: can't kill pid {word}: No such process\n")
            return 1
        for process in victims:
            if process.pid != 1:
                process.end_at(call.now, 137 if hard else 143)
            elif not hard and process.on_term is not None:
                process.on_term(call.now)
    return 0
    yield


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


def seq(call: Call) -> Steps:
    """`seq [FIRST] LAST`."""
    numbers = [int(word) for word in call.argv[1:] if word.lstrip("-").isdigit()]
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1]) if numbers else (1, 0)
    call.out("".join(f"{number}\n" for number in range(first, last + 1)))
    return 0
    yield


def curl(call: Call) -> Steps:
    """`curl [-s] URL`: asks a program in this pod, or in another one by its address."""
    flags, url = (
        _flags(call),
        next((word for word in _plain(call) if "." in word or ":" in word or "local" in word), ""),
    )
    reply, where = _fetch(call, url, "curl/7.88.1")
    if reply is None:
        code, what = (7, "Failed to connect to") if where else (6, "Could not resolve host:")
        call.err(f"curl: ({code}) {what} {where or urlsplit(url).hostname or url}\n")
        return code
    if "I" in flags or "i" in flags:
        server = f"Server: {reply.server}\r\n" if reply.server else ""
        call.out(f"HTTP/1.1 {reply.status} {'OK' if reply.status == 200 else 'Not Found'}\r\n{server}\r\n")
    if "I" not in flags:
        call.write(1, reply.body)
    if "f" in flags and reply.status >= 400:
        return 22
    return 0
    yield


def wget(call: Call) -> Steps:
    """`wget -qO- URL`."""
    url = next((word for word in reversed(_plain(call)) if word != "-"), "")
    reply, where = _fetch(call, url, "Wget")
    if reply is None:
        why = (
            f"can't connect to remote host ({where.partition(' ')[0]}): Connection refused" if where else "bad address"
        )
        call.err(f"wget: {why}\n" if where else f"wget: {why} '{urlsplit(url).hostname or url}'\n")
        return 1
    if reply.status >= 400:
        call.err(f"wget: server returned error: HTTP/1.1 {reply.status} Not Found\n")
        return 1
    if "O" in _flags(call):
        call.write(1, reply.body)
    else:
        call.machine.files.write(absolute(call, posixpath.basename(urlsplit(url).path) or "index.html"), reply.body)
    return 0
    yield


def _fetch(call: Call, url: str, agent: str) -> tuple[HttpReply | None, str]:
    """The reply, or None and the address that did not answer (empty: nobody has that name)."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, port = parts.hostname or "", parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = host in LOOPBACK or host == call.machine.net.ip
    request = HttpRequest("GET", target, "127.0.0.1" if own else call.machine.net.ip, agent)
    shown = f"{'127.0.0.1' if host in LOOPBACK else host} port {port}"
    try:
        if own or host == call.machine.hostname:
            return call.machine.net.request(port, request), shown
        if not re.fullmatch(r"[0-9.]+|[0-9a-f:]+", host):
            return None, ""
        return call.machine.network.request(host, port, request), shown
    except OSError:
        return None, shown


COMMANDS: dict[str, Program] = {
    "echo": echo,
    "printf": printf,
    "sleep": sleep,
    "true": true,
    ":": true,
    "false": false,
    "date": date,
    "hostname": hostname,
    "env": env,
    "printenv": printenv,
    "pwd": pwd,
    "whoami": whoami,
    "id": identity,
    "uname": uname,
    "ls": ls,
    "cat": cat,
    "head": head,
    "tail": tail,
    "grep": grep,
    "wc": wc,
    "touch": touch,
    "rm": rm,
    "mkdir": mkdir,
    "tee": tee,
    "ps": ps,
    "kill": kill,
    "test": test,
    "[": test,
    "seq": seq,
    "curl": curl,
    "wget": wget,
}
