"""The way of a command: who says what to whom, from kubectl to the containers.

Every record that is there because of the command is looked at in order. A request is an arrow to the API server, a commit one
from there to etcd, news one from the API server to whoever watches, a call to the container runtime a loop on the kubelet.
Nobody speaks to anybody but the API server: that is what the picture shows.

Left out, unless asked for: requests that only read, Events and Leases, and news of which nothing came. Of several new Pods
one is followed: the others go the same way.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing import Message, SequencePicture
from k8slab.lab.drawing import Sequence as SequenceModel
from k8slab.lab.drawing.axis import span
from k8slab.lab.pictures.deeds import deed_of, is_upkeep, named
from k8slab.lab.pictures.scope import command_of, effects_of
from k8slab.lab.pictures.units import Unit, count_of, heard_by, subject_of, units
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace

SERVER, ETCD = "API server", "etcd"
LIMIT = 40
READS = ("get", "list", "watch")


def sequence(
    engine: Engine, trace: Trace, command: str = "", *, limit: int = LIMIT, every: bool = False
) -> SequencePicture:
    """The way of a command, as a sequence diagram: its first `limit` messages.

    `command` is a part of its words; without it, it is the last command that changed something. `every`: nothing is left
    out. Raises ValueError for a command that there was not.
    """
    root = command_of(trace, command)
    effects = effects_of(trace, root)
    others = set() if every else _other_pods(effects)
    chosen = [record for record in effects if subject_of(record) not in others]
    messages = list(messages_of(engine, trace, chosen, every))
    title = f"The way of: {root.text}"
    if others:
        title += f" (one Pod of {len(others) + 1})"
    if len(messages) > limit:
        title += f" (the first {limit} of {len(messages)} messages)"
    return SequencePicture(sequence_model(title, messages[:limit]))


def sequence_model(title: str, messages: Sequence[Message]) -> SequenceModel:
    """Messages, with those who take part from the left to the right: the centre after whoever asked, kubelets last."""
    speakers = dict.fromkeys(end for each in messages for end in (each.source, each.target))
    ordered = sorted(speakers, key=_column)
    return SequenceModel(title, tuple(ordered), tuple(messages))


def _column(speaker: str) -> int:
    if speaker in (SERVER, ETCD):
        return 1 + (speaker == ETCD)
    is_component = speaker.endswith("-controller") or speaker == "kube-scheduler"
    return 3 if is_component else 4 if speaker.startswith("kubelet-") else 0


@dataclass(slots=True)
class _Telling:
    """What of the records has been told."""

    every: bool
    useful: set[int]
    """The numbers of the units of work of which something came, and of the news that led to them."""
    time: float = 0.0
    committed: dict[str, list[Record]] = field(default_factory=dict)
    """By component: commits of the request that is under way."""
    news: dict[str, list[Record]] = field(default_factory=dict)
    """By component: what it has heard and not acted on yet."""


def messages_of(engine: Engine, trace: Trace, chosen: Sequence[Record], every: bool = False) -> Iterator[Message]:
    """The messages that these records stand for, in order."""
    found = [unit for unit in units(chosen) if every or _is_useful(unit)]
    heard = {each.number for unit in found for each in heard_by(trace, unit.work)}
    telling = _Telling(every, {unit.work.number for unit in found} | heard, chosen[0].time if chosen else 0.0)
    for record in chosen:
        for message in _told(engine, telling, record):
            waited = record.time - telling.time
            telling.time = record.time
            note = f"{span(waited)} later" if waited > 0 else ""
            yield replace(message, note=", ".join(filter(None, [message.note, note])))


def _is_useful(unit: Unit) -> bool:
    return bool(unit.writes or unit.calls or unit.refused)


def _told(engine: Engine, telling: _Telling, record: Record) -> Iterator[Message]:
    who = record.component
    if record.kind == records.COMMIT:
        telling.committed.setdefault("", []).append(record)
    elif record.kind == records.REQUEST:
        commits = telling.committed.pop("", [])
        yield from _request(engine, telling, record, commits)
    elif record.kind == records.DELIVERY:
        if telling.every or record.number in telling.useful:
            telling.news.setdefault(who, []).append(record)
    elif record.kind == records.WORK and (telling.every or record.number in telling.useful):
        news = telling.news.pop(who, [])
        if news:
            more = f" and {count_of(len(news) - 1, 'more change')}" if len(news) > 1 else ""
            yield Message(SERVER, who, f"{news[0].verb} {named(news[0].what)}{more}", note=f"revision {news[0].revision}")
    elif record.kind == records.CALL:
        yield Message(who, who, f"{record.verb} {_short(record.what)}".strip(), note=record.text)


def _request(engine: Engine, telling: _Telling, record: Record, commits: Sequence[Record]) -> Iterator[Message]:
    if not telling.every and (record.verb in READS or (commits and all(map(is_upkeep, commits)))):
        return
    if not telling.every and record.code < 400 and not commits:
        return  # it changed nothing
    part = record.what.removeprefix(subject_of(record)).strip("/")
    about = named(subject_of(record)) + (f", {part}" if part else "")
    answer = str(record.code)
    yield Message(record.component, SERVER, f"{record.verb} {about}", note=answer)
    for commit in commits:
        yield Message(SERVER, ETCD, str(deed_of(engine, commit)), note=f"revision {commit.revision}")


def _short(what: str) -> str:
    """A container's id is known by its beginning, a Pod's name says whose call it is already."""
    return what if len(what) < 40 else what[:12]


def _other_pods(effects: Sequence[Record]) -> set[str]:
    """All Pods that were made because of a command, but for the first."""
    made = [
        each.what for each in effects
        if each.kind == records.COMMIT and each.verb == "create" and each.what.startswith("pods/")
    ]  # fmt: skip
    return set(dict.fromkeys(made)) - set(made[:1])
