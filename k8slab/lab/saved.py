"""A cluster's life in a file: `cluster.save("story.k8slab")`, `Cluster.load("story.k8slab")`.

What is saved is the journal, not the state: the spec, and every input with its step. Loading lives it again, and checks the
state that comes out. The file is gzipped text, one JSON value a line: a head, the entries, and a digest of all before it. It
holds no code and is never executed. Request bodies are in it, and so are the Secrets that were created: only its owner can
read it.

k8slab's own.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from k8slab.apimachinery.rest import UserInfo
from k8slab.engine.inputs import INPUTS, Asked, Ended, Fault, Passed, Typed
from k8slab.engine.journal import Command, Entry, Journal
from k8slab.engine.spec import MakeComponent, Spec
from k8slab.lab.story import Story, StoryError
from k8slab.version import __version__

FORMAT = "k8slab story"
VERSION = 1
MOST_BYTES = 1 << 30


def save(spec: Spec, story: Story, path: Path) -> None:
    """Write a story. Raises OSError where the file cannot be written; what was there before is then still there."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "k8slab": __version__,
        "spec": {"nodes": list(spec.nodes), "seed": spec.seed, "name": spec.name, "replace": sorted(spec.replace)},
        "story": {
            "first": story.first, "last": story.last, "fingerprint": story.fingerprint,
            "entries": len(story.journal.entries),
        },
    }  # fmt: skip
    if spec.candidates:
        head["spec"] |= {"candidates": dict(spec.candidates)}  # type: ignore[operator]
    lines = [orjson.dumps(head), *(orjson.dumps(_entry(each)) for each in story.journal.entries)]
    body = b"\n".join(lines) + b"\n"
    digest = orjson.dumps({"digest": hashlib.sha256(body).hexdigest()})
    beside = path.with_name(path.name + ".part")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(gzip.compress(body + digest + b"\n", mtime=0))
    beside.replace(path)


def load(path: Path, replace: Mapping[str, MakeComponent] | None = None) -> tuple[Spec, Story]:
    """The spec and the story of a file. `replace`: the controllers that stood in for the built-in ones.

    Raises StoryError for a file that is none, is damaged, or was made by a newer version; OSError where it cannot be read.
    """
    lines = _lines(path)
    head = lines[0]
    spec, said = head["spec"], head["story"]
    given = dict(replace or {})
    if missing := sorted(set(spec["replace"]) ^ set(given)):
        raise StoryError(
            f"{path} was lived with these controllers replaced: {', '.join(spec['replace']) or 'none'}; "
            f"load it with the same ones, Cluster.load(path, replace={{...}}); it differs in: {', '.join(missing)}"
        )
    journal = Journal([_read_entry(line, path) for line in lines[1:]])
    story = Story(journal, said["first"], said["last"], said["fingerprint"])
    candidates = spec.get("candidates", {})
    return Spec(tuple(spec["nodes"]), spec["seed"], name=spec["name"], replace=given, candidates=candidates), story


def _lines(path: Path) -> list[Any]:
    """The head and the entries, checked."""
    try:
        with gzip.open(path) as file:
            content = file.read(MOST_BYTES)
    except FileNotFoundError:
        raise StoryError(f"there is no file {path}") from None
    except (gzip.BadGzipFile, EOFError, ValueError, zlib.error) as fault:
        raise StoryError(f"{path} is not a saved story, or is damaged: {fault}") from None
    body, _, last = content.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        head, *entries = (orjson.loads(line) for line in body.splitlines())
        told = orjson.loads(last)
    except (ValueError, orjson.JSONDecodeError) as fault:
        raise StoryError(f"{path} is not a saved story, or is damaged: {fault}") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise StoryError(f"{path} is not a saved story")
    if head.get("version", 0) > VERSION:
        raise StoryError(
            f"{path} was saved by a newer k8slab ({head.get('k8slab')}, format {head['version']}); this is {__version__}, which "
            f"reads formats up to {VERSION}: pip install --upgrade k8slab"
        )
    if told != {"digest": hashlib.sha256(body).hexdigest()} or head["story"]["entries"] != len(entries):
        raise StoryError(f"{path} is damaged: its content does not have the digest that it was saved with")
    return [head, *entries]


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "step": entry.step,
        "time": entry.time,
        "revision": entry.revision,
        "digest": entry.digest,
        "command": [entry.command.number, entry.command.said],
        "kind": entry.input.kind,
        "input": _WRITE[entry.input.kind](entry.input),
    }


def _read_entry(line: Mapping[str, Any], path: Path) -> Entry:
    try:
        given = _READ[line["kind"]](line["input"])
        command = Command(*line["command"])
        return Entry(line["step"], line["time"], line["revision"], line["digest"], command, given)
    except (KeyError, TypeError, ValueError) as fault:
        raise StoryError(f"{path} holds an entry that cannot be read: {type(fault).__name__}: {fault}") from None


def _bytes(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write_asked(given: Asked) -> dict[str, Any]:
    user = given.user
    return {
        "method": given.method, "path": given.path, "query": dict(given.query), "headers": dict(given.headers),
        "body": _bytes(given.body),
        "user": None if user is None else {
            "name": user.name, "groups": list(user.groups), "uid": user.uid,
            "extra": {name: list(values) for name, values in user.extra.items()},
        },
    }  # fmt: skip


def _read_asked(line: Mapping[str, Any]) -> Asked:
    user = line["user"]
    if user is not None:
        extra = {name: tuple(values) for name, values in user["extra"].items()}
        user = UserInfo(user["name"], tuple(user["groups"]), user["uid"], extra)
    body = base64.b64decode(line["body"], validate=True)
    return Asked(line["method"], line["path"], line["query"], line["headers"], body, user)


_WRITE: Mapping[str, Any] = {
    Asked.kind: _write_asked,
    Typed.kind: lambda given: [given.stream, given.channel, _bytes(given.data)],
    Ended.kind: lambda given: [given.stream, given.hung_up],
    Passed.kind: lambda given: given.to,
    Fault.kind: lambda given: [given.name, dict(given.arguments), given.ends],
}
_READ: Mapping[str, Any] = {
    Asked.kind: _read_asked,
    Typed.kind: lambda line: Typed(line[0], line[1], base64.b64decode(line[2], validate=True)),
    Ended.kind: lambda line: Ended(line[0], line[1]),
    Passed.kind: Passed,
    Fault.kind: lambda line: Fault(line[0], line[1], line[2]),
}
assert set(_WRITE) == set(_READ) == set(INPUTS), "every input can be saved and loaded"
