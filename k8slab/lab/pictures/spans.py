"""What lasts: pulls, containers, leases, states, rollouts, components that were down; each from a moment to a moment.

A span begins with one record and ends with another. A pull ends when its kubelet says so, in an Event. A container runs
from when its Pod's status first says so until it says otherwise. A lease holds for its duration after each renewal. A rollout
lasts from a new template until all Pods are of it and available. What has not ended has no end.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from k8slab.apimachinery.rest import JsonObject
from k8slab.controllers.deployment.status import DONE, PROGRESSING
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.pictures.breakages import breakage_of
from k8slab.lab.pictures.deeds import object_named, state_of
from k8slab.lab.records import Record, object_of
from k8slab.lab.trace import Trace


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts."""

    who: str
    """The component that it belongs to; empty for none."""
    subject: str
    """The object that it is about, as the trace calls it."""
    label: str
    start: float
    """Seconds since the Unix epoch."""
    end: float | None = None
    """None: it has not ended."""


def pulls(engine: Engine, trace: Trace) -> Iterator[Span]:
    """Each pull of an image, for the Pod that asked for it first. A node's pulls go one after the other."""
    asked: dict[str, list[tuple[str, str]]] = {}
    under_way: dict[str, Span] = {}
    for record in trace:
        who = record.component
        if record.kind == records.COMMIT and record.what.startswith("events/") and who.startswith("kubelet-"):
            event = object_named(engine, record.what, record.revision) or {}
            subject, message = _about(event), str(event.get("message", ""))
            if event.get("reason") == "Pulling":
                asked.setdefault(who, []).append((subject, message))
            elif message.startswith(PULL_ENDS) and who in under_way and under_way[who].subject in ("", subject):
                pull = under_way.pop(who)
                failed = " failed" if message.startswith("Failed") else ""
                yield replace(pull, end=record.time, label=pull.label + failed)
        elif record.kind == records.CALL and record.verb == "PullImage":
            if who in under_way:
                yield replace(under_way.pop(who), end=record.time)
            label = f"PullImage {record.what}"
            under_way[who] = Span(who, _first_asked(asked.get(who, []), record.what), label, record.time)
        elif record.kind == records.START and who in under_way:
            yield replace(under_way.pop(who), end=record.time)
    yield from under_way.values()


PULL_ENDS = ("Successfully pulled image", "Failed to pull image")


def _about(event: JsonObject) -> str:
    involved = event.get("involvedObject") or event.get("regarding") or {}
    return object_of("pods", f"{involved.get('namespace', '')}/{involved.get('name', '')}")


def _first_asked(asked: list[tuple[str, str]], image: str) -> str:
    """The Pod that asked first for an image, which has now been heard."""
    for number, (subject, message) in enumerate(asked):
        if f'"{image}"' in message:
            del asked[number]
            return subject
    return ""


def states(engine: Engine, trace: Trace) -> Iterator[Span]:
    """How each object was, one state after the other, as the API said. States that lasted no time are left out."""
    now: dict[str, Span] = {}
    for record, obj in _lives(engine, trace):
        before = now.get(record.what)
        state = state_of(obj) if obj is not None else ""
        if before is not None and before.label != state:
            if record.time > before.start:
                yield replace(before, end=record.time)
            del now[record.what]
        if state and record.what not in now:
            now[record.what] = Span("", record.what, state, record.time)
    yield from now.values()


def containers(engine: Engine, trace: Trace) -> Iterator[Span]:
    """Each run of a container, as its Pod's status said; nothing runs on a machine that is switched off."""
    running: dict[tuple[str, str], Span] = {}
    over: set[tuple[str, str]] = set()
    """Ended with their machine, whatever the Pod's status goes on to say."""
    for record in trace:
        runs: dict[str, Span] = {}
        if (
            record.kind == records.FAULT
            and record.text.startswith("node-lost node=")
            and not record.text.endswith(" ends")
        ):
            lost = f"kubelet-{record.text.partition('=')[2]}"
            ended = [key for key, span in running.items() if span.who == lost]
            over.update(ended)
        elif record.kind == records.COMMIT and record.what.startswith("pods/"):
            pod = None if record.verb == "delete" else object_named(engine, record.what, record.revision)
            runs = {} if pod is None else _runs(record, pod)
            ended = [key for key in running if key[0] == record.what and key[1] not in runs]
        else:
            continue
        for key in ended:
            yield replace(running.pop(key), end=record.time)
        for run, span in runs.items():
            if (record.what, run) not in over:
                running.setdefault((record.what, run), span)
    yield from running.values()


def _runs(record: Record, pod: JsonObject) -> dict[str, Span]:
    """By container and how often it was restarted: those that run."""
    found = {}
    status, kubelet = pod.get("status") or {}, f"kubelet-{pod['spec'].get('nodeName', '')}"
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        if "running" in (each.get("state") or {}):
            again = f", restart {each['restartCount']}" if each["restartCount"] else ""
            label = f"{pod['metadata']['name']}: {each['name']}{again}"
            found[f"{each['name']}/{each['restartCount']}"] = Span(kubelet, record.what, label, record.time)
    return found


def leases(engine: Engine, trace: Trace) -> Iterator[Span]:
    """Each lease while it holds, held by whom: renewals in time make it one span."""
    held: dict[str, Span] = {}
    for record, lease in _lives(engine, trace, "leases/"):
        spec = (lease or {}).get("spec") or {}
        span, holder = held.get(record.what), str(spec.get("holderIdentity", ""))
        label = f"lease {record.what.rpartition('/')[2]}" + (
            f" of {holder}" if not record.what.endswith(f"/{holder}") else ""
        )
        if span is not None and span.end is not None and (record.time > span.end or not holder or span.label != label):
            yield replace(span, end=min(span.end, record.time))
            span = None
        if not holder:
            held.pop(record.what, None)
            continue
        ends = record.time + float(spec.get("leaseDurationSeconds", 0))
        start = span.start if span is not None else record.time
        held[record.what] = Span(record.component, record.what, label, start, ends)
    now = engine.clock.now()
    for span in held.values():
        yield span if span.end is not None and span.end < now else replace(span, end=None)


def rollouts(engine: Engine, trace: Trace) -> Iterator[Span]:
    """Each way of a Deployment to a new template: until it says that the new ReplicaSet is available."""
    rolling: dict[str, Span] = {}
    templates: dict[str, JsonObject] = {}
    for record, deployment in _lives(engine, trace, "deployments/"):
        span = rolling.get(record.what)
        template = deployment["spec"]["template"] if deployment is not None else None
        if span is not None and (template != templates.get(record.what) or _has_arrived(deployment)):
            yield replace(rolling.pop(record.what), end=record.time)
        if template is not None and template != templates.get(record.what):
            images = ", ".join(each["image"] for each in template["spec"]["containers"])
            rolling[record.what] = Span(record.component, record.what, f"rollout of {images}", record.time)
        templates[record.what] = template or {}
    yield from rolling.values()


def _has_arrived(deployment: JsonObject | None) -> bool:
    if deployment is None:
        return True
    status = deployment.get("status") or {}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    conditions = status.get("conditions") or []
    return seen and any(each["type"] == PROGRESSING and each.get("reason") == DONE for each in conditions)


def downtimes(engine: Engine, trace: Trace) -> Iterator[Span]:
    """When components did not run: from a fault that stopped them to their next start."""
    down: dict[str, Span] = {}
    for record in trace:
        if record.kind == records.FAULT:
            broken = breakage_of(record)
            if not broken.ends and broken.name in STOPPING and broken.component in engine.processes.components:
                down.setdefault(broken.component, Span(broken.component, "", "stopped", record.time))
        elif record.kind == records.START and record.component in down:
            yield replace(down.pop(record.component), end=record.time)
    yield from down.values()


STOPPING = ("crash", "node-lost", "stop")
"""Faults that stop a component; it starts again when it is started, whether or not the fault has ended."""


def hindrances(trace: Trace) -> Iterator[Span]:
    """When components ran, but with a fault of their own: from its beginning to its end."""
    open_: dict[tuple[str, str], Span] = {}
    for record in trace.select(kind=records.FAULT):
        broken = breakage_of(record)
        say = HINDERED.get(broken.name)
        if say is None:
            continue
        key = (broken.name, broken.component)
        # To be hindered once more in the same way changes how much, and begins a new bar.
        if key in open_:
            yield replace(open_.pop(key), end=record.time)
        if not broken.ends:
            open_[key] = Span(broken.component, "", say(broken.arguments), record.time)
    yield from open_.values()


HINDERED: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "cut-off": lambda _: "cut off",
    "node-partitioned": lambda _: "partitioned",
    "slow-watch": lambda _: "hears late",
    "clock-skew": lambda given: f"clock {float(given['ahead']):+g}s",
    "clock-rate": lambda given: f"clock runs \u00d7{float(given['rate']):g}",
    "freeze": lambda given: "stands still" if given["before"] == "now" else "stands still before it writes",
    "api-latency": lambda given: f"each request takes {float(given['seconds']):g}s",
    "api-errors": lambda given: f"{float(given['share']):.0%} of requests fail ({given['code']})",
}
"""What a fault does to the component that it is about, which runs on."""


def _lives(engine: Engine, trace: Trace, of: str = "") -> Iterator[tuple[Record, JsonObject | None]]:
    """Every commit, of a resource (`pods/`) or of all but Events, with what the object was then; None: it was removed."""
    for record in trace:
        if record.kind == records.COMMIT and record.what.startswith(of) and not record.what.startswith("events/"):
            yield record, None if record.verb == "delete" else object_named(engine, record.what, record.revision)
