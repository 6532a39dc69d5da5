"""The running picture: who is there, who talks to whom, how much, and what is broken.

The API server stands in the middle, for nobody talks to anybody else. Every arrow is a line that is really there: a
component's line to the API server, the API server's to etcd, a kubelet's to its container runtime. Numbers are of a window:
requests made, changes heard of through watches, a kubelet's calls to its runtime.

Arrows go from whoever asks. A component that crashed is there, stopped, on a dashed arrow; so is a line that is cut.
Controllers that are well share one box, as they share a program in Kubernetes, and so do many with the same trouble: what
is odd about a cluster can then be seen. Kubernetes has parts that this cluster does not: they are drawn if asked for.

k8slab's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from k8slab.clock import SkewedClock
from k8slab.cri.api import CriError, SandboxState
from k8slab.engine.candidates import process_of
from k8slab.engine.controllers import CONTROLLERS
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing import Edge, Graph, GraphPicture, Node
from k8slab.lab.drawing.model import ABSENT, BROKEN
from k8slab.lab.pictures.scope import Scope, When, scope_of
from k8slab.lab.pictures.units import count_of
from k8slab.lab.trace import Trace

SERVER, ETCD, YOU = "API server", "etcd", "you"
MISSING = ("cloud-controller-manager", "kube-proxy")
"""Parts of Kubernetes that are not built here."""
MANAGER = "kube-controller-manager"
MANAGED = frozenset(f"{name}-controller" for name in CONTROLLERS) - {"crd-controller"}
"""The controllers that are one program in Kubernetes. (The one for custom kinds is a part of its API server.)"""
ALONE = 3
"""So many controllers with the same trouble have a box each; more of them share one."""
NAMED = 6
"""So many Pods of a machine are named."""


@dataclass(frozen=True)
class Traffic:
    """How much was said in a window."""

    requests: Counter[str] = field(default_factory=Counter)
    """By whoever asked."""
    news: Counter[str] = field(default_factory=Counter)
    """By component: changes that it heard of."""
    calls: Counter[str] = field(default_factory=Counter)
    """By kubelet: calls to its runtime."""
    writes: int = 0
    """Commits in etcd."""


def architecture(
    engine: Engine, trace: Trace, *, start: When = None, end: When = None, missing: bool = False
) -> GraphPicture:
    """The parts of the cluster as they are now, and what they said to each other between two moments.

    `missing`: also the parts of Kubernetes that this cluster does not have.
    """
    scope = scope_of(engine, trace, start=start, end=end)
    return GraphPicture(architecture_model(engine, traffic_of(trace, scope), missing))


def traffic_of(trace: Trace, scope: Scope) -> Traffic:
    """What was said in a window."""
    found, writes = Traffic(), 0
    for record in trace:
        if not scope.holds(record):
            continue
        if record.kind == records.REQUEST:
            found.requests[process_of(record.component)] += 1
        elif record.kind == records.DELIVERY:
            found.news[process_of(record.component)] += 1
        elif record.kind == records.CALL:
            found.calls[record.component] += 1
        elif record.kind == records.COMMIT:
            writes += 1
    return Traffic(found.requests, found.news, found.calls, writes)


def architecture_model(engine: Engine, traffic: Traffic, missing: bool = False) -> Graph:
    """The picture's boxes and arrows."""
    outside = sum(count for who, count in traffic.requests.items() if who not in engine.processes.components)
    stored = (ETCD, count_of(traffic.writes, "write"), f"revision {engine.store.revision}")
    nodes = [Node(YOU, (YOU, "kubectl, notebooks", f"{outside} asked"), "input")]
    edges = [Edge(YOU, SERVER)]
    kubelets = [name for name in engine.processes.lines if name.startswith("kubelet-")]
    for name, members in _boxes(engine, [name for name in engine.processes.lines if name not in kubelets]).items():
        nodes.append(_component(engine, traffic, name, members))
        edges.append(Edge(name, SERVER, kind=_line_style(engine, members[0])))
    nodes += [Node(SERVER, (SERVER,), "component"), Node(ETCD, stored, "store")]
    edges.append(Edge(SERVER, ETCD))
    for name in kubelets:
        nodes.append(_component(engine, traffic, name, [name]))
        # It asks, as the others do; and stands on the other side, with its machine.
        edges.append(Edge(name, SERVER, kind=_line_style(engine, name), against=True))
    for node in engine.spec.nodes:
        nodes.append(_machine(engine, node))
        style = "" if engine.processes.runs(f"kubelet-{node}") else "dashed"
        edges.append(Edge(f"kubelet-{node}", f"Node/{node}", kind=style))
    if missing:
        nodes += [Node(name, (name,), "not here", "", style=ABSENT) for name in MISSING]
        edges += [Edge(name, SERVER, kind="dashed") for name in MISSING]
    return Graph(f"The cluster {engine.spec.name}", tuple(nodes), tuple(edges))


def _boxes(engine: Engine, names: Sequence[str]) -> dict[str, list[str]]:
    """The boxes before the API server, and which components are in each."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        if name in MANAGED:
            alike.setdefault(tuple(_troubles(engine, name)), []).append(name)
    boxes: dict[str, list[str]] = {}
    for name in names:
        troubles = tuple(_troubles(engine, name))
        members = alike[troubles] if name in MANAGED else [name]
        if len(members) > (ALONE if troubles else 1):
            boxes[", ".join((f"{len(members)} controllers", *troubles)) if troubles else MANAGER] = members
        else:
            boxes[name] = [name]
    return boxes


def _component(engine: Engine, traffic: Traffic, name: str, members: Sequence[str]) -> Node:
    """The box of a component; or of many controllers, each with how often it has asked, and how much it has heard."""
    troubles = ", ".join(_troubles(engine, members[0]))
    asked, heard = (sum(counts[each] for each in members) for counts in (traffic.requests, traffic.news))
    lines = [name, f"{asked} asked \u00b7 {heard} heard"]
    if len(members) > 1:
        lines[0] = f"{len(members)} controllers" if troubles else MANAGER
        lines += [f"{each}: {traffic.requests[each]} \u00b7 {traffic.news[each]}" for each in members]
    group = ""
    if name.startswith("kubelet-"):
        group = "kubelets"
        lines.append(count_of(traffic.calls[name], "call"))
    return Node(name, tuple(lines), "component", troubles, group, style=BROKEN if troubles else "")


def _troubles(engine: Engine, name: str) -> Iterator[str]:
    """What is wrong with a component, or with its line."""
    line = engine.processes.lines[name]
    if not engine.processes.runs(name):
        yield "stopped"
    if line.cut:
        yield "cut off"
    if line.slow is not None:
        yield "hears late"
    if line.latency:
        yield f"each request takes {line.latency:g}s"
    if line.failing is not None:
        yield f"{line.failing.share:.0%} of requests fail ({line.failing.code})"
    if name in engine.processes.skews:
        yield _wrong(engine.processes.skews[name])
    if line.frozen:
        yield "stands still"


def _wrong(clock: SkewedClock) -> str:
    ahead = f" {clock.ahead:+g}s" if clock.ahead else ""
    return f"clock{ahead}" + (f" runs \u00d7{clock.rate:g}" if clock.rate != 1.0 else "")


def _line_style(engine: Engine, name: str) -> str:
    return "" if engine.processes.runs(name) and not engine.processes.lines[name].cut else "dashed"


def _machine(engine: Engine, node: str) -> Node:
    """A machine with the Pods whose sandboxes are up: what really runs there, whatever the API says."""
    try:
        sandboxes = engine.runtimes[node].list_pod_sandboxes()
    except CriError:
        return Node(f"Node/{node}", (f"machine {node}",), "Node", "its runtime does not answer", "machines")
    pods = sorted(each.name for each in sandboxes if each.state is SandboxState.READY)
    more = [f"and {len(pods) - NAMED} more"] if len(pods) > NAMED else []
    lines = (f"machine {node}", *pods[:NAMED], *more)
    return Node(f"Node/{node}", lines, "Node", f"{count_of(len(pods), 'Pod')}" if pods else "no Pods", "machines")
