"""A cluster of the command line, as it lies on disk.

A profile is a folder: `config.json` (what the cluster is), `state.json` (the process that runs it, if one does),
`etcd.sqlite` or `etcd/`, `pki/`, `log`. The folder and everything in it belong to the user alone.
Models: minikube's profiles (pkg/minikube/config/profile.go).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from k8slab.etcd.kinds import FILE, FOLDER

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


class ProfileError(Exception):
    """Something about a profile is not as it must be; the text says what, and what to do."""


@dataclass
class Config:
    """What a cluster was made as. It stays so until it is deleted."""

    nodes: int
    runtime: str
    """simulated or docker: what `auto` came to on the first start."""
    kubeconfig: str
    """The file that holds the cluster's context."""
    port: int = 0
    """Where it listened last: kept, if it is still free, so that the context stays true."""
    mirrors: str = ""
    store: str = "sqlite"
    """Where its objects are kept: memory, sqlite or etcd."""
    audit_log: str = ""
    """The file of its audit log; empty for none."""


@dataclass
class State:
    """The process that runs the cluster."""

    pid: int
    url: str
    started: float
    """Seconds since the epoch."""
    dashboard: str = field(default="", repr=False)
    """Where its dashboard is, with the token: a key, like those in `pki/`, for the user alone."""


def home() -> Path:
    """Where profiles live: $K8SLAB_HOME, else ~/.k8slab."""
    return Path(os.environ.get("K8SLAB_HOME") or Path.home() / ".k8slab")


class Profile:
    """One cluster's folder. Raises ProfileError on a name that cannot be one."""

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ProfileError(
                f"{name!r} cannot name a cluster: use up to 40 small letters, digits and '-', such as 'lab'"
            )
        self.name = name
        self.path = home() / name

    @property
    def exists(self) -> bool:
        """Whether the cluster was ever started."""
        return (self.path / "config.json").exists()

    @property
    def stored(self) -> bool:
        """Whether there are objects from before."""
        return (self.path / FILE).exists() or (self.path / FOLDER).exists()

    @property
    def log(self) -> Path:
        """Where a detached cluster writes its log."""
        return self.path / "log"

    def make(self) -> None:
        """Make the folder, for the user alone."""
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def config(self) -> Config:
        """What the cluster is. Raises ProfileError if there is none, or if the file cannot be read."""
        if not self.exists:
            raise ProfileError(f"there is no cluster {self.name!r}; start one: k8slab start --name {self.name}")
        try:
            return Config(**json.loads((self.path / "config.json").read_text()))
        except (ValueError, TypeError) as error:
            raise ProfileError(
                f"{self.path / 'config.json'} cannot be read ({error}); remove the cluster: k8slab delete --name {self.name}"
            ) from None

    def save(self, config: Config) -> None:
        """Write down what the cluster is."""
        self._write("config.json", asdict(config))

    def state(self) -> State | None:
        """The process that runs the cluster, None if none does (also after a crash)."""
        try:
            state = State(**json.loads((self.path / "state.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return state if runs_a_cluster(state.pid) else None

    def save_state(self, state: State | None) -> None:
        """Write down which process runs the cluster; None: it has stopped."""
        if state is None:
            (self.path / "state.json").unlink(missing_ok=True)
        else:
            self._write("state.json", asdict(state))

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self, name: str, content: dict[str, object]) -> None:
        temporary = self.path / f".{name}.tmp"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=1)
        temporary.replace(self.path / name)


def profiles() -> Iterator[Profile]:
    """All profiles, by name."""
    if home().is_dir():
        for path in sorted(home().iterdir()):
            if NAME.fullmatch(path.name) and (path / "config.json").exists():
                yield Profile(path.name)


def runs_a_cluster(pid: int) -> bool:
    """Whether a process of that number lives and is one of ours: numbers are used again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    try:
        return b"k8slab" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc").exists()
