"""kubeconfig files: where kubectl finds its clusters.

We write three kinds of entries, each named after the cluster: a cluster, a user, a context. Each carries a mark that says
it is ours; an entry of the same name without the mark belongs to somebody else and is never touched. What else is in the
file stays as it is. Writers exclude each other by the lock file that kubectl itself uses.

Models: k8s.io/client-go/tools/clientcmd (config.go: lockFile, WriteToFile; api/v1/types.go).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from k8slab.clock import sleep_really

MARK = "k8slab"
SECTIONS = ("clusters", "users", "contexts")
LOCK_TRIES = 50
LOCK_SECONDS = 0.1

Config = dict[str, Any]


class KubeconfigError(Exception):
    """A kubeconfig file that cannot be used; the text says why, and what to do."""


class ContextExists(KubeconfigError):
    """Somebody else's cluster, user or context has the name already."""


@dataclass(frozen=True)
class Credentials:
    """Who the server is, and who we are: PEM texts."""

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)


def default_path() -> Path:
    """The file that kubectl writes to: the first of $KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def config_of(name: str, server: str, credentials: Credentials) -> Config:
    """A whole kubeconfig for one cluster."""
    config: Config = {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    _put(config, name, server, credentials, previous="")
    return config | {"current-context": name}


def write(path: Path, config: Config) -> None:
    """Write a kubeconfig for the user alone, all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    # A link stays a link: the file that it leads to is replaced.
    temporary.replace(path.resolve())


def check_context(path: Path, name: str) -> None:
    """Whether `merge_context` may write: raises ContextExists or KubeconfigError if not."""
    _check(path, _read(path), name)


def merge_context(path: Path, name: str, server: str, credentials: Credentials) -> None:
    """Put a cluster's context into a file and make it the current one. What was current is remembered.

    Raises ContextExists if the name belongs to somebody else, KubeconfigError if the file cannot be read or is locked.
    """
    with _locked(path):
        config = _read(path)
        _check(path, config, name)
        current = str(config.get("current-context") or "")
        previous = current if current != name else _previous(config, name)
        _put(config, name, server, credentials, previous)
        write(path, config | {"current-context": name})


def remove_context(path: Path, name: str) -> bool:
    """Take a cluster's context out of a file; what was current before becomes current again. False if it is not there.

    A file that holds nothing else afterwards stays, empty, as `kubectl config` leaves it.
    """
    if not path.exists():
        return False
    with _locked(path):
        config = _read(path)
        previous = _previous(config, name)
        found = False
        for section in SECTIONS:
            entry = _find(config, section, name)
            if entry is not None and _is_ours(entry, section):
                config[section].remove(entry)
                found = True
        if not found:
            return False
        if config.get("current-context") == name:
            config["current-context"] = previous if _find(config, "contexts", previous) else ""
        write(path, config)
        return True


def _check(path: Path, config: Config, name: str) -> None:
    for section in SECTIONS:
        entry = _find(config, section, name)
        if entry is not None and not _is_ours(entry, section):
            raise ContextExists(
                f"{path} has an entry {name!r} under {section!r} that k8slab did not make; "
                "choose another --name, or give the cluster a file of its own: --kubeconfig PATH"
            )


def _put(config: Config, name: str, server: str, credentials: Credentials, previous: str) -> None:
    mark = {"name": MARK, "extension": {"provider": MARK, "previous-context": previous}}
    entries: dict[str, Config] = {
        "clusters": {
            "cluster": {
                "certificate-authority-data": _base64(credentials.ca),
                "server": server,
                "extensions": [mark],
            }
        },
        "users": {
            "user": {
                "client-certificate-data": _base64(credentials.certificate),
                "client-key-data": _base64(credentials.key),
                "extensions": [mark],
            }
        },
        "contexts": {"context": {"cluster": name, "user": name, "namespace": "default", "extensions": [mark]}},
    }
    for section, entry in entries.items():
        others = [other for other in config.get(section) or [] if other.get("name") != name]
        config[section] = [*others, {"name": name, **entry}]


def _find(config: Config, section: str, name: str) -> Config | None:
    return next((entry for entry in config.get(section) or [] if entry.get("name") == name), None)


def _mark(entry: Config, section: str) -> Config | None:
    inner = entry.get(section.removesuffix("s")) or {}
    extensions = inner.get("extensions") or []
    return next((extension for extension in extensions if extension.get("name") == MARK), None)


def _is_ours(entry: Config, section: str) -> bool:
    return _mark(entry, section) is not None


def _previous(config: Config, name: str) -> str:
    entry = _find(config, "contexts", name)
    mark = _mark(entry, "contexts") if entry else None
    return str((mark or {}).get("extension", {}).get("previous-context", ""))


def _read(path: Path) -> Config:
    try:
        content = yaml.safe_load(path.read_text()) if path.exists() else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise KubeconfigError(
            f"{path} cannot be read: {error}; mend it, or name another file: --kubeconfig PATH"
        ) from None
    if content is None:
        content = {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    if not isinstance(content, dict):
        raise KubeconfigError(f"{path} is no kubeconfig; name another file: --kubeconfig PATH")
    return content


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    for _ in range(LOCK_TRIES):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            sleep_really(LOCK_SECONDS)
    else:
        raise KubeconfigError(f"{lock} is there: another program is writing {path}; if none is, remove that file")
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
