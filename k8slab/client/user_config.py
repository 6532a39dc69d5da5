"""Reading kubeconfig files: to which server, as whom.

Of several files in $KUBECONFIG the first that has an entry counts, for each entry. Paths in a file are relative to it.
Plugins that print credentials (`exec`, `auth-provider`) are not run: what such a user would be is for kubectl to say.

Models: k8s.io/client-go/tools/clientcmd (loader.go, client_config.go).
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from k8slab.client.kubeconfig import KubeconfigError

Entry = dict[str, Any]


@dataclass(frozen=True)
class Login:
    """A server, and who we are to it."""

    server: str
    ca: bytes = b""
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    insecure: bool = False
    namespace: str = "default"


def login(kubeconfig: Path | None = None, context: str | None = None) -> Login:
    """What the files say of a context, or of the current one. KubeconfigError where they do not say enough."""
    files = [(path, _read(path)) for path in ([kubeconfig] if kubeconfig else default_paths())]
    current = context or next(
        (str(content["current-context"]) for _, content in files if content.get("current-context")), ""
    )
    if not current:
        raise KubeconfigError("no current context in " + ", ".join(str(path) for path, _ in files) + "; name one")
    _, chosen = _entry(files, "context", current)
    at, cluster = _entry(files, "cluster", str(chosen.get("cluster", "")))
    mine, user = _entry(files, "user", str(chosen.get("user", ""))) if chosen.get("user") else (at, {})
    for plugin in ("exec", "auth-provider"):
        if plugin in user:
            raise KubeconfigError(f"the user of context {current!r} logs in by {plugin!r}, which k8slab does not run")
    if not cluster.get("server"):
        raise KubeconfigError(f"the cluster of context {current!r} has no server")
    return Login(
        server=str(cluster["server"]),
        ca=_content(at, cluster, "certificate-authority"),
        certificate=_content(mine, user, "client-certificate"),
        key=_content(mine, user, "client-key"),
        token=str(user.get("token", "")) or _file(mine, user.get("tokenFile")).decode().strip(),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        namespace=str(chosen.get("namespace") or "default"),
    )


def default_paths() -> list[Path]:
    """The files of $KUBECONFIG that are there, or ~/.kube/config."""
    named = [Path(each) for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return [each for each in named if each.exists()] or named[:1] or [Path.home() / ".kube" / "config"]


def _read(path: Path) -> Entry:
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as fault:
        # What YAML says quotes the file, and the file holds credentials.
        mark = getattr(fault, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise KubeconfigError(f"{path} is not YAML{where}: {getattr(fault, 'problem', None) or 'unreadable'}") from None
    except (OSError, ValueError) as fault:
        raise KubeconfigError(f"{path} cannot be read: {fault}") from None
    if not isinstance(content, dict):
        raise KubeconfigError(f"{path} is no kubeconfig")
    return content


def _entry(files: list[tuple[Path, Entry]], kind: str, name: str) -> tuple[Path, Entry]:
    """The entry of a name, and the file that has it."""
    for path, content in files:
        for each in content.get(kind + "s") or []:
            if isinstance(each, dict) and each.get("name") == name and isinstance(each.get(kind), dict):
                return path, each[kind]
    known = [str(each.get("name")) for _, content in files for each in content.get(kind + "s") or []]
    raise KubeconfigError(f"no {kind} {name!r} in the kubeconfig; it has: {', '.join(known) or 'none'}")


def _content(path: Path, entry: Entry, field: str) -> bytes:
    """PEM that stands in the entry, or in a file that it names."""
    if data := entry.get(field + "-data"):
        try:
            return base64.b64decode("".join(str(data).split()), validate=True)
        except (binascii.Error, ValueError) as fault:
            raise KubeconfigError(f"{path}: {field}-data is no base64: {fault}") from None
    return _file(path, entry.get(field))


def _file(path: Path, name: Any) -> bytes:
    if not name:
        return b""
    try:
        return (path.parent / str(name)).read_bytes()
    except OSError as fault:
        raise KubeconfigError(f"{path} names a file that cannot be read: {fault}") from None
