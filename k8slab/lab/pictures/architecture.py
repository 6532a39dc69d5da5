"""The running picture: who is there, who talks to whom, how much, and what is broken.

The API server stands in the middle, for nobody talks to anybody else. Every arrow is a line that is really there: a
component's line to the API server, the API server's to etcd, a kubelet's to its container runtime. Numbers are of a window:
requests made, and changes heard of through watches.

Arrows go from whoever asks. A component that crashed is there, stopped, on a dashed arrow; so is a line that is cut.
Kubernetes has parts that this cluster does not: they are drawn if asked for.

k8slab's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from k8slab.clock import SkewedClock
from k8slab.cri.api import CriError, SandboxState
from k8slab.engine.candidates import process_of
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
    nodes = [Node(YOU, (YOU, "kubectl, notebooks"), "input")]
    edges = [Edge(YOU, SERVER, f"{outside} asked")]
    kubelets = [name for name in engine.processes.lines if name.startswith("kubelet-")]
    for name in engine.processes.lines:
        if name not in kubelets:
            nodes.append(_component(engine, name))
            edges.append(Edge(name, SERVER, _said(engine, traffic, name), _line_style(engine, name)))
    nodes += [Node(SERVER, (SERVER,), "component"), Node(ETCD, (ETCD, f"revision {engine.store.revision}"), "store")]
    edges.append(Edge(SERVER, ETCD, count_of(traffic.writes, "write")))
    for name in kubelets:
        nodes.append(_component(engine, name))
        # It asks, as the others do; and stands on the other side, with its machine.
        edges.append(Edge(name, SERVER, _said(engine, traffic, name), _line_style(engine, name), against=True))
    for node in engine.spec.nodes:
        nodes.append(_machine(engine, node))
        style = "" if engine.processes.runs(f"kubelet-{node}") else "dashed"
        edges.append(Edge(f"kubelet-{node}", f"Node/{node}", count_of(traffic.calls[f"kubelet-{node}"], "call"), style))
    if missing:
        nodes += [Node(name, (name,), "not here", "", style=ABSENT) for name in MISSING]
        edges += [Edge(name, SERVER, kind="dashed") for name in MISSING]
    return Graph(f"The cluster {engine.spec.name}", tuple(nodes), tuple(edges))


def _component(engine: Engine, name: str) -> Node:
    troubles = list(_troubles(engine, name))
    group = "kubelets" if name.startswith("kubelet-") else ""
    return Node(name, (name,), "component", ", ".join(troubles), group, style=BROKEN if troubles else "")


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


def _said(engine: Engine, traffic: Traffic, name: str) -> str:
    if engine.processes.lines[name].cut:
        return "cut"
    return f"{traffic.requests[name]} asked \u00b7 {traffic.news[name]} heard"


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
