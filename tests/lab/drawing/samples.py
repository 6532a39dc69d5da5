"""Models that several tests draw, and how their pictures are read."""

from __future__ import annotations

from xml.etree import ElementTree

from k8slab.lab.drawing import (
    Bar,
    Edge,
    Graph,
    Mark,
    Message,
    Node,
    Sequence,
    StateDiagram,
    Timeline,
    Transition,
)

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<b a='1' c=\"2\">&amp; \x00 ]]> 中文 \ud800"


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def words_in(svg: str) -> list[str]:
    return [each.text or "" for each in parsed(svg).iter(f"{SVG}text")]


def owners() -> Graph:
    pods = tuple(Node(f"Pod/{name}", (f"web-7c5d-{name}", "nginx"), "Pod", "Running") for name in ("a", "b"))
    return Graph(
        "Ownership of web",
        (
            Node("Deployment/web", ("web",), "Deployment", "2/2 ready", lit=True),
            Node("ReplicaSet/web-7c5d", ("web-7c5d",), "ReplicaSet"),
            *pods,
        ),
        (
            Edge("Deployment/web", "ReplicaSet/web-7c5d", "owns"),
            *(Edge("ReplicaSet/web-7c5d", pod.id, kind="dashed") for pod in pods),
        ),
    )


def thousand(groups: bool = True) -> Graph:
    """10 Deployments, 10 ReplicaSets, 980 Pods."""
    nodes, edges = [], []
    for app in range(10):
        nodes += [Node(f"D{app}", (f"app{app}",), "Deployment"), Node(f"R{app}", (f"app{app}-1",), "ReplicaSet")]
        edges.append(Edge(f"D{app}", f"R{app}", "owns"))
        for pod in range(98):
            state = "Running" if pod else "Pending"
            nodes.append(
                Node(f"P{app}.{pod}", (f"app{app}-1-{pod}",), "Pod", state, group=f"app{app}" if groups else "")
            )
            edges.append(Edge(f"R{app}", f"P{app}.{pod}", "owns"))
    return Graph("A thousand", tuple(nodes), tuple(edges))


def pull() -> Timeline:
    return Timeline(
        "A pull",
        ("kubectl", "kubelet-node-1"),
        (
            Bar("kubelet-node-1", 100.2, 102.5, "pull nginx", "container", "Pod/web"),
            Bar("kubelet-node-1", 102.5, None, "nginx runs", "container"),
            Bar("kubelet-node-2", 110.0, 410.0, "back-off", "fault"),
        ),
        (Mark("kubectl", 100.0, "create deployment web", "input"),),
        origin=100.0,
    )


def create() -> Sequence:
    return Sequence(
        "create",
        ("kubectl", "API server"),
        (
            Message("kubectl", "API server", "POST deployments", note="as admin"),
            Message("API server", "API server", "admit"),
            Message("API server", "kubectl", "201", "reply"),
        ),
    )


def life() -> StateDiagram:
    return StateDiagram(
        "A container",
        ("Waiting", "Running", "Terminated"),
        (
            Transition("Waiting", "Running", "started"),
            Transition("Running", "Terminated", "exits"),
            Transition("Terminated", "Waiting"),
        ),
        "Running",
        {"Waiting": "The image is pulled, or the back-off has not ended yet, or a sandbox is being made for it."},
    )


def nasty() -> tuple[Graph, Timeline, Sequence, StateDiagram]:
    """Each kind of model, with labels that are meant to break it."""
    return (
        Graph(
            NASTY, (Node(NASTY, (NASTY, NASTY), NASTY, NASTY, NASTY),), (Edge(NASTY, NASTY, NASTY), Edge(NASTY, "?"))
        ),
        Timeline(NASTY, (NASTY,), (Bar(NASTY, 0, None, NASTY, NASTY),), (Mark("other", 1, NASTY, "Event"),)),
        Sequence(NASTY, (), (Message(NASTY, "b", NASTY, note=NASTY), Message("b", "b", NASTY, note=NASTY))),
        StateDiagram(NASTY, (NASTY,), (Transition(NASTY, "b", NASTY),), NASTY, {NASTY: NASTY}),
    )
