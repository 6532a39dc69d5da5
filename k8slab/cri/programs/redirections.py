"""`>`, `>>`, `<`, `2>&1`: where a command's input comes from and its output goes.

k8slab's own, after POSIX.1-2017, Shell Command Language, 2.7 Redirection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from k8slab.apimachinery.rest import STDERR, STDOUT
from k8slab.cri.process import Call, Stdin
from k8slab.cri.programs.arguments import absolute

Target = Callable[[bytes], None]

_PASSED_ON = {"/dev/stdout": STDOUT, "/dev/stderr": STDERR, "/proc/1/fd/1": STDOUT, "/proc/1/fd/2": STDERR}


def redirect(call: Call, files: Iterable[tuple[str, str]]) -> Call:
    """The call with its (operator, name) pairs carried out, in order. OSError, with the shell's words, if one can't be."""
    call = replace(call)
    write = call.write
    targets: dict[int, Target] = {
        STDOUT: lambda data: write(STDOUT, data),
        STDERR: lambda data: write(STDERR, data),
    }
    for operator, name in files:
        match operator:
            case "<":
                data = call.machine.files.read(absolute(call, name))
                if data is None:
                    raise OSError(f"can't open {name}: no such file")
                call.stdin = Stdin(data)
            case "2>&":
                targets[STDERR] = targets[STDOUT]
            case ">&":
                targets[STDOUT] = targets[STDERR]
            case _:
                target = _open(call, name, append=operator.endswith(">>"))
                channels = (STDOUT, STDERR) if operator[0] == "&" else (STDERR if operator[0] == "2" else STDOUT,)
                targets.update(dict.fromkeys(channels, target))
    call.write = lambda channel, data: targets[channel](data)
    return call


def _open(call: Call, name: str, *, append: bool) -> Target:
    files, path = call.machine.files, absolute(call, name)
    if path == "/dev/null":
        return lambda data: None
    if path in _PASSED_ON:
        write = call.write
        return lambda data: write(_PASSED_ON[path], data)
    try:
        files.write(path, (files.read(path) or b"") if append else b"")
    except OSError as error:
        raise OSError(f"can't create {name}: {error}") from None
    return lambda data: files.write(path, (files.read(path) or b"") + data)
