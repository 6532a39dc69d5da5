"""The way of a command: who says what to whom, from kubectl to the containers.

Every record that is there because of the command is looked at in order. A request is an arrow to the API server, a commit one
from there to etcd, news one from the API server to whoever watches, a call to the container runtime a loop on the kubelet.
Nobody speaks to anybody but the API server: that is what the picture shows.

Left out, unless asked for: requests that only read, writes that nobody is told of (Events, Leases, annotations, counters in
a status), and news of which nothing came. Of several new Pods one is followed: the others go the same way.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from k8slab.engine.candidates import ROLES
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing import Message, SequencePicture
from k8slab.lab.drawing import Sequence as SequenceModel
from k8slab.lab.drawing.axis import span
from k8slab.lab.pictures.deeds import UNSEEN, deed_of, is_upkeep, named, summary
from k8slab.lab.pictures.scope import command_of, effects_of
from k8slab.lab.pictures.units import Unit, count_of, heard_by, subject_of, units
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace

SERVER, ETCD = "API server", "etcd"
LIMIT = 40


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
    chosen = [record for record in effects if _about(trace, record) not in others]
    messages = list(messages_of(engine, trace, chosen, every))
    title = f"The way of: {root.text}"
    if others:
        title += f" (one Pod of {len(others) + 1})"
    if len(messages) > limit:
        title += f" (the first {limit} of {len(messages)} messages)"
    return SequencePicture(sequence_model(title, messages[:limit]))


def _about(trace: Trace, record: Record) -> str:
    """The object that a record is about; a call to a runtime is about the Pod that is worked on."""
    work = trace.get(record.causes[0]) if record.kind in (records.CALL, records.DONE) and record.causes else None
    return subject_of(work or record)


def sequence_model(title: str, messages: Sequence[Message]) -> SequenceModel:
    """Messages, with those who take part from the left to the right: the centre after whoever asked, kubelets last."""
    speakers = dict.fromkeys(end for each in messages for end in (each.source, each.target))
    ordered = sorted(speakers, key=_column)
    return SequenceModel(title, tuple(ordered), tuple(messages))


def _column(speaker: str) -> int:
    if speaker in (SERVER, ETCD):
        return 1 + (speaker == ETCD)
    is_component = speaker.endswith("-controller") or speaker.startswith(ROLES)
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
    found = [unit for unit in units(chosen) if every or _is_useful(engine, unit)]
    heard = {each.number for unit in found for each in heard_by(trace, unit.work)}
    telling = _Telling(every, {unit.work.number for unit in found} | heard, chosen[0].time if chosen else 0.0)
    for record in chosen:
        for message in _told(engine, telling, record):
            waited = record.time - telling.time
            telling.time = record.time
            note = f"{span(waited)} later" if waited > 0 else ""
            yield replace(message, note=", ".join(filter(None, [message.note, note])))


def _is_useful(engine: Engine, unit: Unit) -> bool:
    return bool(unit.calls or unit.refused or any(_counts(engine, write) for write in unit.writes))


def _counts(engine: Engine, commit: Record) -> bool:
    """Whether a write is told: others are there for machines."""
    return not is_upkeep(commit) and deed_of(engine, commit).verb not in UNSEEN


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
            yield Message(
                SERVER, who, f"{news[0].verb} {named(news[0].what)}{more}", note=f"revision {news[0].revision}"
            )
    elif record.kind == records.CALL:
        image = f" {record.what}" if record.verb == "PullImage" else ""
        yield Message(who, who, record.verb + image, note=record.text)


def _request(engine: Engine, telling: _Telling, record: Record, commits: Sequence[Record]) -> Iterator[Message]:
    if not telling.every and record.code < 400 and not any(_counts(engine, commit) for commit in commits):
        return  # it changed nothing, or nothing that counts
    about = named(subject_of(record))
    label = _label(engine, commits) or f"{record.verb} {about}"
    yield Message(record.component, SERVER, label, note=f"{record.verb}, {record.code}")
    if commits:
        yield Message(SERVER, ETCD, f"revision {', '.join(str(commit.revision) for commit in commits)}")


def _label(engine: Engine, commits: Sequence[Record]) -> str:
    """What a request wrote, in short: here room is dear."""
    deeds = [deed_of(engine, commit) for commit in commits]
    if len(deeds) == 1 and deeds[0].verb == "reports":
        return f"{deeds[0].object} is {deeds[0].detail.removeprefix('as ')}"
    return summary(replace(deed, detail="") if deed.verb == "creates" else deed for deed in deeds)


def _other_pods(effects: Sequence[Record]) -> set[str]:
    """All Pods that were made because of a command, but for the first."""
    made = [
        each.what for each in effects
        if each.kind == records.COMMIT and each.verb == "create" and each.what.startswith("pods/")
    ]  # fmt: skip
    return set(dict.fromkeys(made)) - set(made[:1])
